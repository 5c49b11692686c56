/** Receipts of install.sh: what was done at the operator's site. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link } from "../router.tsx";
import { FileField } from "../parts/field.tsx";
import { readFile } from "../parts/read-file.ts";
import { Empty, Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import { CloudletTag } from "../parts/words.tsx";
import type { Cloudlet } from "./cloudlets.tsx";

interface Receipt {
  readonly id: string;
  readonly bundle: string | null;
  readonly action: string;
  readonly result: "complete" | "removed";
  readonly finished: string;
  readonly received: string;
}

export function Receipts({ cloudlet, changed }: { readonly cloudlet: Cloudlet; readonly changed: () => void }): ReactNode {
  const mayDo = useMay();
  const path = `/v1/cloudlets/${cloudlet.id}/receipts`;
  const loaded = useLoaded(path, async (api, signal) => (await api.get<{ readonly items: readonly Receipt[] }>(path, { signal })).body.items);
  const mayWrite = mayDo("receipt:write", cloudlet.organization);
  return (
    <>
      {mayWrite && <Upload path={path} done={() => { loaded.reload(); changed(); }} />}
      <section className="card">
        <h2>Receipts</h2>
        <p>State of the cloudlet: <CloudletTag state={cloudlet.state} /></p>
        <Ready loaded={loaded}>{(items) => items.length === 0 ? <Empty title="There are none yet"><p><code>install.sh</code> writes <code>receipt.json</code> at the site; {mayWrite ? "upload it above." : "a contributor or manager uploads it."}</p></Empty> : (
          <div className="wide" tabIndex={0} role="region" aria-label="Table of receipts">
            <table className="stack">
              <caption className="visually-hidden">Receipts, the last one first</caption>
              <thead><tr><th scope="col">Finished</th><th scope="col">Asked of install.sh</th><th scope="col">Result</th><th scope="col">Bundle</th><th scope="col">Received</th></tr></thead>
              <tbody>{items.map((each) => (
                <tr key={each.id}>
                  <th scope="row"><Time at={each.finished} /></th>
                  <td data-name="Asked of install.sh">{each.action}</td>
                  <td data-name="Result"><span className={`tag ${each.result === "complete" ? "good" : "look"}`}>{each.result}</span></td>
                  <td data-name="Bundle">{each.bundle === null ? <span className="soft">none of this service's</span> : <Link to={`/bundles/${each.bundle}`}>see it</Link>}</td>
                  <td data-name="Received"><Time at={each.received} /></td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        )}</Ready>
      </section>
    </>
  );
}

function Upload({ path, done }: { readonly path: string; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [file, setFile] = useState<File>();
  const [mistake, setMistake] = useState<string>();
  const { run, isRunning, problem, forget } = useAction(async () => {
    setMistake(file === undefined ? "Choose a receipt first." : undefined);
    if (file === undefined) return;
    const { status } = await api.post<Receipt>(path, await readFile(file), { type: "application/json" });
    tell(status === 201 ? "The receipt is there." : "This receipt was there already.");
    done();
  });
  return (
    <section className="card">
      <h2>Upload a receipt</h2>
      <form onSubmit={(event) => { event.preventDefault(); void run(); }}>
        <FileField label="receipt.json" accept=".json,application/json" onFile={(next) => { forget(); setMistake(undefined); setFile(next); }} error={mistake} hint="As install.sh has written it." />
        <ProblemNote problem={problem} />
        <Button type="submit" className="button main" isPending={isRunning}>Upload</Button>
      </form>
    </section>
  );
}
