/** The people who may sign in, and their invitations. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useMay } from "../console.tsx";
import { CopyText, Secret } from "../parts/copy.tsx";
import { Dialog, FormDialog } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { fieldErrors } from "../parts/problem.tsx";
import { localOf, Time } from "../parts/time.tsx";
import { roleWords } from "../parts/words.tsx";

interface User {
  readonly name: string;
  readonly platformRole: "admin" | "auditor" | null;
  readonly disabled: boolean;
  readonly hasPassword: boolean;
  readonly created: string;
}

interface Invited {
  readonly name: string;
  readonly invitation: string;
  readonly expires: string;
}

type Invitation = Omit<Invited, "name">;

const platformRoles = [
  { value: "", name: "none: what their organizations give them" },
  { value: "auditor", name: "auditor: reads everything, changes nothing" },
  { value: "admin", name: "administrator: everything" },
];

export function Users(): ReactNode {
  const mayDo = useMay();
  const { loaded, pager } = usePages<User>("/v1/users");
  const [asked, setAsked] = useState<{ readonly what: "add" } | { readonly what: "invite" | "change"; readonly user: User }>();
  const [invited, setInvited] = useState<Invited>();
  const mayWrite = mayDo("user:write");
  const close = (): void => setAsked(undefined);
  const give = (next: Invited): void => {
    close();
    setInvited(next);
    loaded.reload();
  };
  return (
    <Page title="People" actions={mayWrite && <Button className="button main" onPress={() => setAsked({ what: "add" })}>Invite somebody …</Button>}>
      <section className="card" aria-label="People">
        <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <Empty title="Nobody is here" /> : (
          <>
            <table className="stack">
              <caption className="visually-hidden">People, by name</caption>
              <thead><tr><th scope="col">Name</th><th scope="col">Role on the platform</th><th scope="col">State</th><th scope="col">Added</th>{mayWrite && <th scope="col"><span className="visually-hidden">Change</span></th>}</tr></thead>
              <tbody>{items.map((user) => (
                <tr key={user.name}>
                  <th scope="row">{user.name}</th>
                  <td data-name="Role on the platform">{user.platformRole === null ? <span className="soft">none</span> : roleWords[user.platformRole]}</td>
                  <td data-name="State">{user.disabled ? <span className="tag bad">shut out</span> : user.hasPassword ? <span className="tag good">active</span> : <span className="tag look">invited</span>}</td>
                  <td data-name="Added"><Time at={user.created} /></td>
                  {mayWrite && <td className="act"><div className="row"><Button className="button small" aria-label={`Change: ${user.name}`} onPress={() => setAsked({ what: "change", user })}>Change …</Button><Button className="button small" aria-label={`Invite again: ${user.name}`} onPress={() => setAsked({ what: "invite", user })}>Invite again …</Button></div></td>}
                </tr>
              ))}</tbody>
            </table>
            {pager}
          </>
        )}</Ready>
      </section>
      {asked?.what === "add" && <Add onClose={close} done={give} />}
      {asked?.what === "invite" && <InviteAgain user={asked.user} onClose={close} done={give} />}
      {asked?.what === "change" && <Change user={asked.user} onClose={close} done={() => { close(); loaded.reload(); }} />}
      {invited !== undefined && <ShowInvitation invited={invited} onClose={() => setInvited(undefined)} />}
    </Page>
  );
}

function Add({ onClose, done }: { readonly onClose: () => void; readonly done: (invited: Invited) => void }): ReactNode {
  const { api } = useConsole();
  const [name, setName] = useState("");
  const [role, setRole] = useState("");
  const { run, isRunning, problem } = useAction(async () => done({ name: name.trim(), ...(await api.post<Invitation>("/v1/users", { name: name.trim(), platformRole: role === "" ? null : role })).body }));
  const errors = fieldErrors(problem);
  return (
    <FormDialog title="Invite somebody" action="Invite" isRunning={isRunning} problem={problem} hideIssues={errors["name"] !== undefined} onClose={onClose} onSubmit={() => void run()}>
      <TextField label="Name" name="name" value={name} onChange={setName} error={errors["name"]} hint="They sign in with it: small letters, digits and . _ @ -" autoFocus isRequired />
      <SelectField label="Role on the platform" value={role} onChange={setRole} choices={platformRoles} />
    </FormDialog>
  );
}

function InviteAgain({ user, onClose, done }: { readonly user: User; readonly onClose: () => void; readonly done: (invited: Invited) => void }): ReactNode {
  const { api } = useConsole();
  const { run, isRunning, problem } = useAction(async () => done({ name: user.name, ...(await api.post<Invitation>(`/v1/users/${encodeURIComponent(user.name)}/invitation`)).body }));
  return <FormDialog title={`Invite ${user.name} again?`} action="Invite again" isAlert isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}><p>They set a new password with the invitation. Their sessions, API tokens and earlier invitations end at once.</p></FormDialog>;
}

function Change({ user, onClose, done }: { readonly user: User; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [role, setRole] = useState<string>(user.platformRole ?? "");
  const [disabled, setDisabled] = useState(user.disabled);
  const { run, isRunning, problem } = useAction(async () => {
    await api.patch(`/v1/users/${encodeURIComponent(user.name)}`, { platformRole: role === "" ? null : role, disabled });
    tell(`${user.name} is changed.`);
    done();
  });
  return (
    <FormDialog title={`Change ${user.name}`} action="Change" isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <SelectField label="Role on the platform" value={role} onChange={setRole} choices={platformRoles} />
      <div className="field"><label className="check"><input type="checkbox" checked={disabled} onChange={(event) => setDisabled(event.target.checked)} /><span>Shut out: they can't sign in, and their sessions and tokens end at once</span></label></div>
    </FormDialog>
  );
}

function ShowInvitation({ invited, onClose }: { readonly invited: Invited; readonly onClose: () => void }): ReactNode {
  const link = `${location.origin}/set-up?name=${encodeURIComponent(invited.name)}#${invited.invitation}`;
  return (
    <Dialog title={`Invitation for ${invited.name}`} isFirm onClose={onClose}>
      <p>Hand it over in a way that nobody else reads. It is good once, until {localOf(invited.expires)}.</p>
      <Secret text={invited.invitation} name="invitation" fileName={`${invited.name}.invitation`} />
      <h3>Or as a link</h3>
      <CopyText text={link} name="link" />
      <div className="row end"><Button className="button main" onPress={onClose}>I have it</Button></div>
    </Dialog>
  );
}
