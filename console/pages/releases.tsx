/** The releases, and uploading one. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { FileField } from "../parts/field.tsx";
import { readFile } from "../parts/read-file.ts";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";

export interface Release {
  readonly id: string;
  readonly name: string;
  readonly sequence: number;
  readonly digest: string;
  readonly lockDigest: string | null;
  readonly vmdk: boolean;
  readonly created: string;
}

export function Releases(): ReactNode {
  const mayDo = useMay();
  const [isUploading, setUploading] = useState(false);
  const loaded = useLoaded("/v1/releases", async (api, signal) => (await api.get<{ readonly items: readonly Release[] }>("/v1/releases", { signal })).body.items);
  const mayWrite = mayDo("release:write");
  return (
    <Page title="Releases" actions={mayWrite && <Button className="button main" onPress={() => setUploading(true)}>Upload a release …</Button>}>
      <section className="card" aria-label="Releases">
        <Ready loaded={loaded}>{(items) => items.length === 0 ? (
          <Empty title="There are no releases yet"><p>{mayWrite ? <>A release names the software and the VM images. Resolve it into the service's blob store with <code>cloudlet-bundle lock --store</code>, then upload it and its lock here.</> : "An administrator uploads them."}</p></Empty>
        ) : (
          <div className="wide" tabIndex={0} role="region" aria-label="Table of releases">
            <table className="stack">
              <caption className="visually-hidden">Releases, the newest first</caption>
              <thead><tr><th scope="col">Name</th><th scope="col" className="n">Sequence</th><th scope="col">Lock</th><th scope="col">VMDKs</th><th scope="col">Uploaded</th></tr></thead>
              <tbody>{items.map((each) => (
                <tr key={each.id}>
                  <th scope="row"><Link to={`/releases/${each.id}`}>{each.name}</Link></th>
                  <td data-name="Sequence" className="n">{each.sequence}</td>
                  <td data-name="Lock">{each.lockDigest === null ? <span className="tag look">missing</span> : <span className="tag good">there</span>}</td>
                  <td data-name="VMDKs">{each.vmdk ? "yes" : "no"}</td>
                  <td data-name="Uploaded"><Time at={each.created} /></td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        )}</Ready>
      </section>
      {isUploading && <UploadRelease onClose={() => setUploading(false)} />}
    </Page>
  );
}

function UploadRelease({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [release, setRelease] = useState<File>();
  const [lock, setLock] = useState<File>();
  const [mistake, setMistake] = useState<string>();
  /** The release went through, its lock did not: it is not to be uploaded twice. */
  const [made, setMade] = useState<Release>();
  const { run, isRunning, problem, forget } = useAction(async () => {
    setMistake(release === undefined ? "Choose the release first." : undefined);
    if (release === undefined) return;
    const there = made ?? (await api.post<Release>("/v1/releases", await readFile(release), { type: "application/yaml" })).body;
    setMade(there);
    if (lock !== undefined) await api.put(`/v1/releases/${there.id}/lock`, await readFile(lock), { type: "application/json" });
    tell(lock === undefined ? `${there.name} is there. Its lock is still missing.` : `${there.name} is there, with its lock.`);
    navigate(`/releases/${there.id}`);
  });
  return (
    <FormDialog title="Upload a release" action="Upload" isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <FileField label="Release (release.yaml)" accept=".yaml,.yml,.json" onFile={(file) => { forget(); setMistake(undefined); setMade(undefined); setRelease(file); }} error={mistake} />
      <FileField label="Lock (release.lock.json)" accept=".json" onFile={(file) => { forget(); setLock(file); }} hint="As cloudlet-bundle lock has written it. It may follow later." />
    </FormDialog>
  );
}
