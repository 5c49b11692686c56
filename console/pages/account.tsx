/** One's own account: who one is, the password, and API tokens. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded } from "../console.tsx";
import { grantable, type Action } from "../../src/service/access/roles.ts";
import { Secret } from "../parts/copy.tsx";
import { Dialog, FormDialog } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { allOf } from "../parts/pages.tsx";
import { fieldErrors, ProblemNote } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import { roleWords } from "../parts/words.tsx";

export function Account(): ReactNode {
  const { me, signOut } = useConsole();
  return (
    <Page title="Your account" actions={<Button className="button" onPress={signOut}>Sign out</Button>}>
      <section className="card">
        <h2>Who you are</h2>
        <dl>
          <dt>Name</dt><dd>{me.name}</dd>
          {me.platformRole !== null && <><dt>Role on the platform</dt><dd>{roleWords[me.platformRole]}</dd></>}
          <dt>Organizations</dt><dd>{me.memberships.length === 0 ? <span className="soft">none</span> : me.memberships.map(({ organization, role }) => `${organization} (${role})`).join(", ")}</dd>
        </dl>
      </section>
      <Tokens />
      <ChangePassword />
    </Page>
  );
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Action[];
  readonly organization?: string;
  readonly created: string;
  readonly expires: string;
}

function Tokens(): ReactNode {
  const loaded = useLoaded("/v1/tokens", async (api, signal) => (await api.get<{ readonly items: readonly Token[] }>("/v1/tokens", { signal })).body.items);
  const [asked, setAsked] = useState<{ readonly what: "add" } | { readonly what: "remove"; readonly token: Token }>();
  const [made, setMade] = useState<string>();
  const close = (): void => setAsked(undefined);
  return (
    <section className="card">
      <div className="spread"><h2>API tokens</h2><Button className="button" onPress={() => setAsked({ what: "add" })}>New token …</Button></div>
      <Ready loaded={loaded}>{(items) => items.length === 0 ? <Empty title="You have none"><p>A program that acts for you uses a token instead of your password: with an end, and only the actions that it needs.</p></Empty> : (
        <table className="stack">
          <caption className="visually-hidden">API tokens, the oldest first</caption>
          <thead><tr><th scope="col">For</th><th scope="col">May</th><th scope="col">Organization</th><th scope="col">Ends</th><th scope="col"><span className="visually-hidden">Take back</span></th></tr></thead>
          <tbody>{items.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th><td data-name="May">{token.scopes.map((scope, index) => <span key={scope}>{index > 0 && ", "}<code>{scope}</code></span>)}</td><td data-name="Organization">{token.organization ?? <span className="soft">each of yours</span>}</td>
              <td data-name="Ends"><Time at={token.expires} /></td><td className="act"><Button className="button small" aria-label={`Take back: ${token.name}`} onPress={() => setAsked({ what: "remove", token })}>Take back …</Button></td>
            </tr>
          ))}</tbody>
        </table>
      )}</Ready>
      {asked?.what === "add" && <AddToken onClose={close} done={(token) => { close(); setMade(token); loaded.reload(); }} />}
      {asked?.what === "remove" && <RemoveToken token={asked.token} onClose={close} done={() => { close(); loaded.reload(); }} />}
      {made !== undefined && <Dialog title="The token" isFirm onClose={() => setMade(undefined)}><Secret text={made} name="token" fileName="token.txt" /><div className="row end"><Button className="button main" onPress={() => setMade(undefined)}>I have it</Button></div></Dialog>}
    </section>
  );
}

function AddToken({ onClose, done }: { readonly onClose: () => void; readonly done: (token: string) => void }): ReactNode {
  const { api } = useConsole();
  const [name, setName] = useState("");
  const [days, setDays] = useState("30");
  const [organization, setOrganization] = useState("");
  const [scopes, setScopes] = useState<readonly Action[]>(["cloudlet:read", "bundle:read", "release:read"]);
  const organizations = useLoaded("/v1/organizations", (from, signal) => allOf<{ readonly name: string }>(from, "/v1/organizations", 1_000, signal));
  const { run, isRunning, problem } = useAction(async () => {
    const { body } = await api.post<Token & { readonly token: string }>("/v1/tokens", { name: name.trim(), scopes, days: Number(days), ...(organization === "" ? {} : { organization }) });
    done(body.token);
  });
  const errors = fieldErrors(problem);
  return (
    <FormDialog title="New API token" action="Make the token" isRunning={isRunning} problem={problem} hideIssues={Object.keys(errors).length > 0} onClose={onClose} onSubmit={() => void run()}>
      <TextField label="What it is for" name="name" value={name} onChange={setName} error={errors["name"]} autoFocus isRequired />
      <TextField label="Days that it is good" name="days" type="number" value={days} onChange={setDays} error={errors["days"]} input={{ min: 1, max: 366, inputMode: "numeric" }} isRequired />
      <SelectField label="Only for" value={organization} onChange={setOrganization} choices={[{ value: "", name: "every organization of mine" }, ...(organizations.value ?? []).map((each) => ({ value: each.name, name: each.name }))]} error={errors["organization"]} />
      <fieldset className="checks" aria-describedby={errors["scopes"] === undefined ? undefined : "scopes-wrong"}>
        <legend>What it may do, of what you may</legend>
        {grantable.map((action) => <label key={action} className="check"><input type="checkbox" checked={scopes.includes(action)} onChange={(event) => setScopes(event.target.checked ? [...scopes, action] : scopes.filter((each) => each !== action))} /><code>{action}</code></label>)}
      </fieldset>
      {errors["scopes"] !== undefined && <p id="scopes-wrong" className="wrong">{errors["scopes"]}</p>}
    </FormDialog>
  );
}

function RemoveToken({ token, onClose, done }: { readonly token: Token; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.delete(`/v1/tokens/${token.id}`);
    tell(`The token ${token.name} is good no more.`);
    done();
  });
  return <FormDialog title={`Take the token ${token.name} back?`} action="Take back" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}><p>Programs that use it are refused at once.</p></FormDialog>;
}

function ChangePassword(): ReactNode {
  const { api, leave } = useConsole();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [mistake, setMistake] = useState<string>();
  const { run, isRunning, problem } = useAction(async () => {
    setMistake(password === again ? undefined : "This is not the same password.");
    if (password !== again) return;
    await api.put("/v1/me/password", { current, password });
    leave();
  });
  const errors = fieldErrors(problem);
  return (
    <section className="card">
      <h2>Change the password</h2>
      <p>Every session of yours ends, this one as well; API tokens go on.</p>
      <form onSubmit={(event) => { event.preventDefault(); void run(); }} noValidate>
        <TextField label="Password so far" name="current" type="password" value={current} onChange={setCurrent} autoComplete="current-password" error={errors["current"]} />
        <TextField label="New password" name="password" type="password" value={password} onChange={setPassword} autoComplete="new-password" hint="At least 15 characters. A sentence is good." error={errors["password"]} />
        <TextField label="New password again" name="again" type="password" value={again} onChange={setAgain} autoComplete="new-password" error={mistake} />
        <ProblemNote problem={problem} hideIssues={Object.keys(errors).length > 0} />
        <Button type="submit" className="button" isPending={isRunning}>Change the password</Button>
      </form>
    </section>
  );
}
