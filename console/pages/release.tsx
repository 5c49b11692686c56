/** One release: its lock, and what the service's store still lacks. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { navigate } from "../router.tsx";
import { CopyText } from "../parts/copy.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { FileField } from "../parts/field.tsx";
import { readFile } from "../parts/read-file.ts";
import { Page, Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { saveText } from "../parts/save.ts";
import { Time } from "../parts/time.tsx";
import type { Release } from "./releases.tsx";

type OneRelease = Release & { readonly missing: readonly string[] };

export function ReleasePage({ id }: { readonly id: string }): ReactNode {
  const { api } = useConsole();
  const mayDo = useMay();
  const [isRemoving, setRemoving] = useState(false);
  const path = `/v1/releases/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, async (from, signal) => (await from.get<OneRelease>(path, { signal })).body);
  const save = useAction(async () => saveText(`release-${loaded.value?.name ?? ""}.yaml`, await api.text(`${path}/release`), "application/yaml"));
  const mayWrite = mayDo("release:write");
  return (
    <Page title={loaded.value === undefined ? "Release" : `Release ${loaded.value.name}`} up={{ to: "/releases", name: "Releases" }} actions={loaded.value !== undefined && mayWrite && <Button className="button danger" onPress={() => setRemoving(true)}>Remove …</Button>}>
      <Ready loaded={loaded}>{(release) => (
        <>
          <Condition release={release} mayWrite={mayWrite} again={loaded.reload} />
          <section className="card">
            <h2>What it is</h2>
            <dl>
              <dt>Name</dt><dd>{release.name}</dd>
              <dt>Sequence</dt><dd>{release.sequence}</dd>
              <dt>Digest</dt><dd><code>{release.digest}</code></dd>
              <dt>Lock</dt><dd>{release.lockDigest === null ? "missing" : <code>{release.lockDigest}</code>}</dd>
              <dt>VMDKs</dt><dd>{release.vmdk ? "yes: for vSphere and vCloud Director as well" : "no: not for vSphere and vCloud Director"}</dd>
              <dt>Uploaded</dt><dd><Time at={release.created} /></dd>
            </dl>
            <div className="row below"><Button className="button small" isPending={save.isRunning} onPress={() => void save.run()}>Save the release as a file</Button></div>
            <ProblemNote problem={save.problem} />
          </section>
          {mayWrite && <UploadLock path={path} release={release} done={loaded.reload} />}
          {isRemoving && <RemoveRelease path={path} release={release} onClose={() => setRemoving(false)} />}
        </>
      )}</Ready>
    </Page>
  );
}

function Condition({ release, mayWrite, again }: { readonly release: OneRelease; readonly mayWrite: boolean; readonly again: () => void }): ReactNode {
  if (release.lockDigest === null) return <div className="note look"><h2>Its lock is missing</h2><p>{mayWrite ? "Resolve the release into the service's blob store, then upload the lock below." : "An administrator uploads it."} Without it no bundle is made.</p>{mayWrite && <CopyText text="cloudlet-bundle lock --release release.yaml --store STATE/blobs" name="command" />}</div>;
  if (release.missing.length === 0) return <div className="note good"><h2>It is ready</h2><p>The store has everything that the lock names: bundles can be made of it.</p></div>;
  return (
    <div className="note bad">
      <h2>{release.missing.length === 1 ? "One blob is missing" : `${release.missing.length} blobs are missing`}</h2>
      <p>The lock names them, and the service's store lacks them. Resolve the release into the store of this service: <code>cloudlet-bundle lock --store</code>.</p>
      <ul className="plain-list">{release.missing.map((digest) => <li key={digest}><code>{digest}</code></li>)}</ul>
      <p><button type="button" className="button small" onClick={again}>Look again</button></p>
    </div>
  );
}

function UploadLock({ path, release, done }: { readonly path: string; readonly release: Release; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [file, setFile] = useState<File>();
  const [mistake, setMistake] = useState<string>();
  const { run, isRunning, problem, forget } = useAction(async () => {
    setMistake(file === undefined ? "Choose a lock first." : undefined);
    if (file === undefined) return;
    await api.put(`${path}/lock`, await readFile(file), { type: "application/json" });
    tell("The lock is there.");
    done();
  });
  return (
    <section className="card">
      <h2>{release.lockDigest === null ? "Upload its lock" : "Upload another lock"}</h2>
      <form onSubmit={(event) => { event.preventDefault(); void run(); }}>
        <FileField label="Lock (release.lock.json)" accept=".json" onFile={(next) => { forget(); setMistake(undefined); setFile(next); }} error={mistake} hint="As cloudlet-bundle lock has written it; with --vmdk where there are cloudlets on vSphere or vCloud Director." />
        <ProblemNote problem={problem} />
        <Button type="submit" className="button main" isPending={isRunning}>Upload</Button>
      </form>
    </section>
  );
}

function RemoveRelease({ path, release, onClose }: { readonly path: string; readonly release: Release; readonly onClose: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.delete(path);
    tell(`Release ${release.name} is removed.`);
    navigate("/releases");
  });
  return (
    <FormDialog title={`Remove release ${release.name}?`} action="Remove" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>Only a release of which there is no bundle can be removed. What is in the blob store stays.</p>
    </FormDialog>
  );
}
