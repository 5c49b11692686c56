/** The operators' organizations. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { fieldErrors } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import { roleWords } from "../parts/words.tsx";

export interface Organization {
  readonly name: string;
  readonly created: string;
}

export function Organizations(): ReactNode {
  const { me } = useConsole();
  const mayDo = useMay();
  const [isAdding, setAdding] = useState(false);
  const { loaded, pager } = usePages<Organization>("/v1/organizations");
  const mayCreate = mayDo("organization:create");
  const roleIn = (name: string): string => me.memberships.find(({ organization }) => organization === name)?.role ?? (me.platformRole === null ? "" : roleWords[me.platformRole]);
  return (
    <Page title="Organizations" actions={mayCreate && <Button className="button main" onPress={() => setAdding(true)}>New organization …</Button>}>
      <section className="card" aria-label="Organizations">
        <Ready loaded={loaded}>{({ items }) => items.length === 0 ? (
          <Empty title={mayCreate ? "There are no organizations yet" : "You are in no organization yet"}><p>{mayCreate ? "An organization is an operator: its cloudlets, and its people with their roles. Add one to begin." : "A manager of the organization, or an administrator, takes you in."}</p></Empty>
        ) : (
          <>
            <table className="stack">
              <caption className="visually-hidden">Organizations, by name</caption>
              <thead><tr><th scope="col">Name</th><th scope="col">Your role</th><th scope="col">Added</th></tr></thead>
              <tbody>{items.map((each) => <tr key={each.name}><th scope="row"><Link to={`/organizations/${encodeURIComponent(each.name)}`}>{each.name}</Link></th><td data-name="Your role">{roleIn(each.name)}</td><td data-name="Added"><Time at={each.created} /></td></tr>)}</tbody>
            </table>
            {pager}
          </>
        )}</Ready>
      </section>
      {isAdding && <AddOrganization onClose={() => setAdding(false)} />}
    </Page>
  );
}

function AddOrganization({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [name, setName] = useState("");
  const { run, isRunning, problem } = useAction(async () => {
    await api.post("/v1/organizations", { name: name.trim() });
    tell(`${name.trim()} is added. Next: take its people in.`);
    navigate(`/organizations/${encodeURIComponent(name.trim())}`);
  });
  const errors = fieldErrors(problem);
  return (
    <FormDialog title="New organization" action="Add" isRunning={isRunning} problem={problem} hideIssues={errors["name"] !== undefined} onClose={onClose} onSubmit={() => void run()}>
      <TextField label="Name" name="name" value={name} onChange={setName} error={errors["name"]} hint="As the specs of its cloudlets write it." autoFocus isRequired />
    </FormDialog>
  );
}
