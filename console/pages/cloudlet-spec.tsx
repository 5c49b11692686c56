/** The spec of a cloudlet: seen, changed, and kept only where nobody else has changed it meanwhile. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { saveText } from "../parts/save.ts";
import { useDraft } from "../parts/draft.ts";
import { SpecEditor, SpecView, YamlText } from "./spec-editor.tsx";
import type { SeenCloudlet } from "./cloudlet.tsx";

export function CloudletSpec({ id, seen, changed }: { readonly id: string; readonly seen: SeenCloudlet; readonly changed: () => void }): ReactNode {
  const path = `/v1/cloudlets/${id}/spec`;
  // Another revision is another text.
  const key = `${path}#${seen.etag}`;
  const loaded = useLoaded(key, async (api, signal): Promise<Text> => {
    const { body, etag = "" } = await api.get<string>(path, { signal });
    return { text: typeof body === "string" ? body : JSON.stringify(body, null, 2), etag };
  });
  return <Ready loaded={loaded}>{(value) => <Shown key={value.etag} seen={seen} kept={value} changed={changed} />}</Ready>;
}

/** The spec with the tag of the revision that it is of. */
interface Text {
  readonly text: string;
  readonly etag: string;
}

function Shown({ seen: { cloudlet }, kept, changed }: { readonly seen: SeenCloudlet; readonly kept: Text; readonly changed: () => void }): ReactNode {
  const { api } = useConsole();
  const mayDo = useMay();
  const draftName = `spec.${cloudlet.id}`;
  const [isEditing, setEditing] = useState(() => sessionStorage.getItem(`cloudlet-bundle.draft.${draftName}`) !== null);
  const mayWrite = mayDo("cloudlet:write", cloudlet.organization);
  if (isEditing && mayWrite) return <Edited draftName={draftName} cloudlet={cloudlet} kept={kept} changed={changed} onEnd={() => setEditing(false)} />;
  return (
    <>
      <div className="row spec-actions">
        {mayWrite && <Button className="button main" onPress={() => setEditing(true)}>Edit</Button>}
        <Button className="button" onPress={() => saveText(`${cloudlet.name}.yaml`, kept.text, "application/yaml")}>Save as a file</Button>
        <span className="soft">Revision {cloudlet.revision}</span>
      </div>
      <SpecView api={api} label="Spec (YAML)" value={kept.text} />
    </>
  );
}

function Edited({ draftName, cloudlet, kept, changed, onEnd }: { readonly draftName: string; readonly cloudlet: SeenCloudlet["cloudlet"]; readonly kept: Text; readonly changed: () => void; readonly onEnd: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const draft = useDraft(draftName, kept.text, kept.etag);
  const [isValid, setValid] = useState(false);
  const [base, setBase] = useState(draft.base);
  const [theirs, setTheirs] = useState<Text>();
  const { run, isRunning, problem, forget } = useAction(async (ifMatch: string) => {
    await api.put(`/v1/cloudlets/${cloudlet.id}`, draft.value, { type: "application/yaml", ifMatch });
    draft.forget();
    tell("The spec is changed. Bundles that were made of the earlier one stay as they are.");
    changed();
    onEnd();
  });
  const look = useAction(async () => {
    const { body, etag = "" } = await api.get<string>(`/v1/cloudlets/${cloudlet.id}/spec`);
    setTheirs({ text: body, etag });
    setBase(etag);
    forget();
  });
  const change = (yaml: string): void => {
    if (problem?.kind === "not-valid") forget();
    draft.set(yaml);
  };
  const isConflict = problem?.kind === "changed-meanwhile";
  return (
    <>
      {draft.isOld && <div className="note"><p>This is the draft that you have begun in this tab.</p></div>}
      {isConflict && (
        <div role="alert" className="note look">
          <h3>Somebody else has changed the spec meanwhile</h3>
          <p>Nothing of yours is lost, and nothing of theirs is overwritten. Look at their version, and take over what you want of it.</p>
          <Button className="button small" isPending={look.isRunning} onPress={() => void look.run()}>Show their version</Button>
        </div>
      )}
      {theirs !== undefined && (
        <section className="card" aria-label="Their version">
          <h2>The version that is there now</h2>
          <YamlText label="Their version (YAML)" value={theirs.text} onChange={() => undefined} issues={[]} readOnly />
          <div className="row below"><Button className="button small" onPress={() => { draft.set(theirs.text); setTheirs(undefined); }}>Take theirs instead of mine</Button><Button className="button small" onPress={() => setTheirs(undefined)}>Close; keep mine below</Button></div>
        </section>
      )}
      <SpecEditor api={api} value={draft.value} onChange={change} onValidity={setValid} refused={problem?.issues ?? []} actions={(
        <>
          {!isConflict && <ProblemNote problem={problem ?? look.problem} hideIssues={problem !== undefined} />}
          <Button className="button main" isPending={isRunning} isDisabled={!isValid || draft.value === kept.text} onPress={() => void run(base)}>Keep the change</Button>
          <Button className="button" onPress={() => { draft.forget(); onEnd(); }}>Throw it away</Button>
        </>
      )} />
    </>
  );
}
