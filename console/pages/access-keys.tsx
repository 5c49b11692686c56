/** Access keys of a cloudlet: issued once, shown once, revoked when they are lost. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { CopyText, Secret } from "../parts/copy.tsx";
import { Dialog, FormDialog } from "../parts/dialog.tsx";
import { Empty, Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import type { Cloudlet } from "./cloudlets.tsx";

interface AccessKey {
  readonly id: string;
  readonly slot: "primary" | "secondary";
  readonly publicKey: string;
  readonly issued: string;
  readonly revoked: string | null;
}

interface Issued {
  readonly items: readonly AccessKey[];
  readonly secrets: string;
}

export function AccessKeys({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  const { api, tell } = useConsole();
  const mayDo = useMay();
  const path = `/v1/cloudlets/${cloudlet.id}/access-keys`;
  const loaded = useLoaded(path, async (from, signal) => (await from.get<{ readonly items: readonly AccessKey[] }>(path, { signal })).body.items);
  const [issued, setIssued] = useState<Issued>();
  const [asked, setAsked] = useState<"revoke" | "reissue">();
  const mayWrite = mayDo("access-key:write", cloudlet.organization);
  const issue = useAction(async () => {
    setIssued((await api.post<Issued>(path)).body);
    loaded.reload();
  });
  const revoke = useAction(async () => {
    await api.delete(path);
    setAsked(undefined);
    loaded.reload();
    if (asked === "revoke") return tell("The access key is revoked. Tell the controller, too.");
    await issue.run();
  });
  return (
    <section className="card">
      <h2>Access keys</h2>
      <p>With its access key the cloudlet's CRM first meets its controller. The secret goes to the operator, for <code>install.sh --secrets</code>, by another way than the bundle; the public half goes to the controller, and so does the news of a revocation.</p>
      <Ready loaded={loaded}>{(items) => {
        const active = items.filter(({ revoked }) => revoked === null);
        const old = items.filter(({ revoked }) => revoked !== null);
        return (
          <>
            {active.length === 0 && <Empty title={old.length === 0 ? "None was issued yet" : "Every key is revoked"}>{mayWrite ? <p><Button className="button main" isPending={issue.isRunning} onPress={() => void issue.run()}>Issue the access key</Button></p> : <p>A contributor or manager of the organization issues it.</p>}</Empty>}
            {active.map((key) => <Key key={key.id} of={key} />)}
            {active.length > 0 && mayWrite && <div className="row"><Button className="button" onPress={() => setAsked("reissue")}>Issue another instead …</Button><Button className="button danger" onPress={() => setAsked("revoke")}>Revoke …</Button></div>}
            <ProblemNote problem={issue.problem} />
            {old.length > 0 && <details><summary>Revoked keys ({old.length})</summary>{old.map((key) => <Key key={key.id} of={key} />)}</details>}
          </>
        );
      }}</Ready>
      {asked !== undefined && (
        <FormDialog title={asked === "revoke" ? "Revoke the access key?" : "Revoke the access key and issue another?"} action={asked === "revoke" ? "Revoke" : "Revoke and issue"} isAlert isDangerous isRunning={revoke.isRunning} problem={revoke.problem} onClose={() => setAsked(undefined)} onSubmit={() => void revoke.run()}>
          <p>The key is good no more for a cloudlet that is installed from now on. The controller must be told, for this service does not reach it.</p>
        </FormDialog>
      )}
      {issued !== undefined && (
        <Dialog title={issued.items.length === 1 ? "The access key" : "The access keys"} isFirm onClose={() => setIssued(undefined)}>
          <p>For the operator: the {issued.items.length === 1 ? "line" : "lines"} of the secrets file for <code>install.sh</code>.</p>
          <Secret text={issued.secrets} name="secrets" fileName={`${cloudlet.name}.secrets`} />
          <div className="row end"><Button className="button main" onPress={() => setIssued(undefined)}>I have it</Button></div>
        </Dialog>
      )}
    </section>
  );
}

function Key({ of }: { readonly of: AccessKey }): ReactNode {
  return (
    <div className="key">
      <h3>{of.slot === "primary" ? "Primary" : "Secondary"} <span className={`tag ${of.revoked === null ? "good" : "look"}`}>{of.revoked === null ? "good" : "revoked"}</span></h3>
      <p className="soft">Issued <Time at={of.issued} />{of.revoked !== null && <>, revoked <Time at={of.revoked} /></>}</p>
      <CopyText text={of.publicKey.trim()} name={`public half of the ${of.slot} key`} />
    </div>
  );
}
