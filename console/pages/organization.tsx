/** One organization: who is what in it. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import type { Organization } from "./organizations.tsx";

type Role = "manager" | "contributor" | "viewer";

interface Member {
  readonly name: string;
  readonly role: Role;
}

const roles = [
  { value: "manager", name: "manager: as contributor, and its people" },
  { value: "contributor", name: "contributor: cloudlets, bundles, keys, receipts" },
  { value: "viewer", name: "viewer: reads and downloads" },
] as const;

export function OrganizationPage({ name }: { readonly name: string }): ReactNode {
  const mayDo = useMay();
  const [asked, setAsked] = useState<{ readonly what: "add" } | { readonly what: "remove" } | { readonly what: "take out"; readonly member: string }>();
  const path = `/v1/organizations/${encodeURIComponent(name)}`;
  const loaded = useLoaded(path, async (api, signal) => {
    const [organization, members] = await Promise.all([api.get<Organization>(path, { signal }), api.get<{ readonly items: readonly Member[] }>(`${path}/members`, { signal })]);
    return { organization: organization.body, members: members.body.items };
  });
  const mayWrite = mayDo("membership:write", name);
  const close = (): void => setAsked(undefined);
  return (
    <Page title={name} kind="Organization" up={{ to: "/organizations", name: "Organizations" }} actions={loaded.value !== undefined && mayDo("organization:delete", name) && <Button className="button danger" onPress={() => setAsked({ what: "remove" })}>Remove …</Button>}>
      <Ready loaded={loaded}>{({ members }) => (
        <>
          <section className="card">
            <div className="spread"><h2>Members</h2>{mayWrite && <Button className="button" onPress={() => setAsked({ what: "add" })}>Take somebody in …</Button>}</div>
            {members.length === 0 ? <Empty title="Nobody is in it yet"><p>{mayWrite ? "Take in who works for it. Who has no account yet is invited by an administrator first, under “People”." : "A manager or an administrator takes people in."}</p></Empty> : (
              <table className="stack">
                <caption className="visually-hidden">Members, by name</caption>
                <thead><tr><th scope="col">Name</th><th scope="col">Role</th>{mayWrite && <th scope="col"><span className="visually-hidden">Take out</span></th>}</tr></thead>
                <tbody>{members.map((member) => (
                  <tr key={member.name}>
                    <th scope="row">{member.name}</th>
                    <td data-name="Role">{mayWrite ? <RoleChoice path={path} member={member} done={loaded.reload} /> : member.role}</td>
                    {mayWrite && <td className="act"><Button className="button small" aria-label={`Take out: ${member.name}`} onPress={() => setAsked({ what: "take out", member: member.name })}>Take out …</Button></td>}
                  </tr>
                ))}</tbody>
              </table>
            )}
          </section>
          <section className="card"><h2>What is its own</h2><ul className="plain-list">
            <li><Link to={`/cloudlets?organization=${encodeURIComponent(name)}`}>Its cloudlets</Link></li>
            {mayDo("audit:read", name) && <li><Link to={`/audit-trail?organization=${encodeURIComponent(name)}`}>Its audit trail</Link></li>}
          </ul></section>
          {asked?.what === "add" && <AddMember path={path} onClose={close} done={() => { close(); loaded.reload(); }} />}
          {asked?.what === "take out" && <TakeOut path={path} organization={name} member={asked.member} onClose={close} done={() => { close(); loaded.reload(); }} />}
          {asked?.what === "remove" && <RemoveOrganization path={path} name={name} onClose={close} />}
        </>
      )}</Ready>
    </Page>
  );
}

function RoleChoice({ path, member, done }: { readonly path: string; readonly member: Member; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async (role: string) => {
    await api.put(`${path}/members/${encodeURIComponent(member.name)}`, { role });
    tell(`${member.name} is ${role} now.`);
    done();
  });
  return (
    <>
      <select aria-label={`Role of ${member.name}`} value={member.role} disabled={isRunning} onChange={(event) => void run(event.target.value)}>{roles.map(({ value }) => <option key={value} value={value}>{value}</option>)}</select>
      <ProblemNote problem={problem} />
    </>
  );
}

function AddMember({ path, onClose, done }: { readonly path: string; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [name, setName] = useState("");
  const [role, setRole] = useState("contributor");
  const { run, isRunning, problem } = useAction(async () => {
    await api.put(`${path}/members/${encodeURIComponent(name.trim() === "" ? " " : name.trim())}`, { role });
    tell(`${name.trim()} is ${role} now.`);
    done();
  });
  const isUnknown = problem?.kind === "not-found";
  return (
    <FormDialog title="Take somebody in" action="Take in" isRunning={isRunning} problem={isUnknown ? undefined : problem} onClose={onClose} onSubmit={() => void run()}>
      <TextField label="Name" name="name" value={name} onChange={setName} error={isUnknown ? "Nobody has an account under this name. An administrator adds people." : undefined} hint="The one that they sign in with." autoFocus isRequired />
      <SelectField label="Role" value={role} onChange={setRole} choices={roles} />
    </FormDialog>
  );
}

function TakeOut({ path, organization, member, onClose, done }: { readonly path: string; readonly organization: string; readonly member: string; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.delete(`${path}/members/${encodeURIComponent(member)}`);
    tell(`${member} is out of ${organization}.`);
    done();
  });
  return <FormDialog title={`Take ${member} out of ${organization}?`} action="Take out" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}><p>They see nothing of it any more, at once. Their account stays.</p></FormDialog>;
}

function RemoveOrganization({ path, name, onClose }: { readonly path: string; readonly name: string; readonly onClose: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.delete(path);
    tell(`${name} is removed.`);
    navigate("/organizations");
  });
  return <FormDialog title={`Remove ${name}?`} action="Remove" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}><p>Only an organization without cloudlets can be removed. The accounts of its people stay.</p></FormDialog>;
}
