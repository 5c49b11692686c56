/** A new cloudlet: its spec, written here or taken from a file, checked while it is written. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useMaySomewhere } from "../console.tsx";
import { navigate } from "../router.tsx";
import { Page } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { useDraft } from "../parts/draft.ts";
import type { Cloudlet } from "./cloudlets.tsx";
import { SpecEditor } from "./spec-editor.tsx";

export function NewCloudlet(): ReactNode {
  const { api, tell } = useConsole();
  const maySomewhere = useMaySomewhere();
  const draft = useDraft("new", "");
  const [isValid, setValid] = useState(false);
  const { run, isRunning, problem, forget } = useAction(async () => {
    const { body } = await api.post<Cloudlet>("/v1/cloudlets", draft.value, { type: "application/yaml" });
    draft.forget();
    tell(`${body.name} is created. Next: ask for its bundle.`);
    navigate(`/cloudlets/${body.id}`);
  });
  const change = (yaml: string): void => {
    forget();
    draft.set(yaml);
  };
  if (!maySomewhere("cloudlet:write")) return <Page title="New cloudlet" up={{ to: "/cloudlets", name: "Cloudlets" }}><div className="card"><p>Your role does not create cloudlets. Ask a manager of the organization.</p></div></Page>;
  return (
    <Page title="New cloudlet" up={{ to: "/cloudlets", name: "Cloudlets" }}>
      <p>The spec says which organization the cloudlet belongs to, where it is, and on which platform. Fill in the form, write the YAML, or begin with what there is already.</p>
      {draft.isOld && <div className="note"><p>This is the draft that you have begun in this tab. <button type="button" className="button small" onClick={draft.forget}>Throw it away</button></p></div>}
      <SpecEditor api={api} value={draft.value} onChange={change} onValidity={setValid} refused={problem?.issues ?? []} actions={(
        <>
          <ProblemNote problem={problem} hideIssues />
          <Button className="button main" isPending={isRunning} isDisabled={!isValid} onPress={() => void run()}>Create cloudlet</Button>
        </>
      )} />
    </Page>
  );
}
