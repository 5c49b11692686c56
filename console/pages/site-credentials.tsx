/** Logins to a cloudlet's site that the service keeps, sealed: their names are shown, and nothing else of them ever is. */

import { useState, type ReactNode } from "react";
import { useAction, useConsole, useMay, type Loaded } from "../console.tsx";
import { LoginFields, useLogin } from "../installations/login.tsx";
import type { InstallationPlatform } from "../installations/installation.ts";
import { Button } from "../parts/button.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { Empty, Ready } from "../parts/page.tsx";
import { fieldErrors } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import type { Cloudlet } from "./cloudlets.tsx";

export interface SiteCredential {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly createdBy: string;
}

export function SiteCredentials({ cloudlet, platform, loaded }: { readonly cloudlet: Cloudlet; readonly platform: InstallationPlatform; readonly loaded: Loaded<readonly SiteCredential[]> }): ReactNode {
  const mayWrite = useMay()("credential:write", cloudlet.organization);
  const [asked, setAsked] = useState<{ readonly what: "keep"; readonly name: string } | { readonly what: "delete"; readonly credential: SiteCredential }>();
  const close = (): void => setAsked(undefined);
  const done = (): void => {
    close();
    loaded.reload();
  };
  return (
    <section className="card">
      <div className="spread"><h2>Site credentials</h2>{mayWrite && <Button className="button" onPress={() => setAsked({ what: "keep", name: "" })}>Keep credentials …</Button>}</div>
      <p>A login to the site that the service keeps for this cloudlet, sealed with a key that is not in its database. It is used to install, and never shown again to anybody.</p>
      <Ready loaded={loaded}>{(items) => items.length === 0 ? <Empty title="None are kept"><p>Each installation is given a login for that one run.</p></Empty> : (
        <div className="wide" tabIndex={0} role="region" aria-label="Table of site credentials">
          <table className="stack">
            <caption className="visually-hidden">Site credentials, by name</caption>
            <thead><tr><th scope="col">Name</th><th scope="col">Kept</th><th scope="col">By</th>{mayWrite && <th scope="col"><span className="visually-hidden">Change</span></th>}</tr></thead>
            <tbody>{items.map((each) => (
              <tr key={each.id}>
                <th scope="row">{each.name}</th>
                <td data-name="Kept"><Time at={each.created} /></td>
                <td data-name="By">{each.createdBy}</td>
                {mayWrite && <td className="act"><div className="row"><Button className="button small" aria-label={`Replace: ${each.name}`} onPress={() => setAsked({ what: "keep", name: each.name })}>Replace …</Button><Button className="button small" aria-label={`Delete: ${each.name}`} onPress={() => setAsked({ what: "delete", credential: each })}>Delete …</Button></div></td>}
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}</Ready>
      {asked?.what === "keep" && <KeepDialog cloudlet={cloudlet} platform={platform} name={asked.name} onClose={close} done={done} />}
      {asked?.what === "delete" && <DeleteDialog cloudlet={cloudlet} credential={asked.credential} onClose={close} done={done} />}
    </section>
  );
}

function KeepDialog({ cloudlet, platform, name: given, onClose, done }: { readonly cloudlet: Cloudlet; readonly platform: InstallationPlatform; readonly name: string; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const isNew = given === "";
  const [name, setName] = useState(given);
  const [mistake, setMistake] = useState<string>();
  const login = useLogin(platform, []);
  const { run, isRunning, problem } = useAction(async () => {
    setMistake(name.trim() === "" ? "Give them a name." : undefined);
    const credentials = login.take()?.credentials;
    if (credentials === undefined || name.trim() === "") return;
    await api.put(`/v1/cloudlets/${cloudlet.id}/credentials`, { name: name.trim(), credentials });
    tell(isNew ? `The credentials ${name.trim()} are kept.` : `The credentials ${name.trim()} are replaced.`);
    done();
  });
  const { name: refused } = fieldErrors(problem);
  return (
    <FormDialog title={isNew ? "Keep credentials" : `Replace ${given}`} action={isNew ? "Keep" : "Replace"} isRunning={isRunning} problem={problem} hideIssues={refused !== undefined} onClose={onClose} onSubmit={() => void run()}>
      {isNew && <TextField label="A name for them" name="name" value={name} onChange={setName} error={mistake ?? refused} hint="Letters, digits and any of . _ -" autoFocus isRequired />}
      <LoginFields platform={platform} kept={[]} login={login} />
    </FormDialog>
  );
}

function DeleteDialog({ cloudlet, credential, onClose, done }: { readonly cloudlet: Cloudlet; readonly credential: SiteCredential; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.delete(`/v1/cloudlets/${cloudlet.id}/credentials/${encodeURIComponent(credential.id)}`);
    tell(`The credentials ${credential.name} are deleted.`);
    done();
  });
  return (
    <FormDialog title={`Delete ${credential.name}?`} action="Delete" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>The service forgets them. Whoever installs gives a login again; at the site itself nothing changes.</p>
    </FormDialog>
  );
}
