/** Setting a password with an invitation: the first start's, which makes an administrator, or an administrator's. */

import { useEffect, useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import type { Api } from "../api.ts";
import { useAction } from "../console.tsx";
import { Link, usePlace } from "../router.tsx";
import { TextField } from "../parts/field.tsx";
import { fieldErrors, ProblemNote } from "../parts/problem.tsx";
import { Alone } from "./alone.tsx";
import { tokenFor } from "./sign-in.tsx";

const leastCharacters = 15;

export function SetUp({ api, onDone }: { readonly api: Api; readonly onDone: (token: string) => void }): ReactNode {
  const { query } = usePlace();
  const [token, setToken] = useState(() => location.hash.slice(1));
  const [name, setName] = useState(query.get("name") ?? "");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [mistake, setMistake] = useState<{ readonly password?: string; readonly again?: string }>({});
  const isKnown = query.get("name") !== null;
  // What is after the # never leaves the browser; it shall not stay in its history either.
  useEffect(() => {
    if (location.hash !== "") history.replaceState(null, "", `${location.pathname}${location.search}`);
  }, []);
  const { run, isRunning, problem } = useAction(async () => {
    const short = [...password].length < leastCharacters;
    const other = password !== again;
    setMistake({ ...(short ? { password: `A password has at least ${leastCharacters} characters.` } : {}), ...(other ? { again: "This is not the same password." } : {}) });
    if (short || other) return;
    await api.post("/v1/setup", { token: token.trim(), name, password });
    onDone(await tokenFor(api, name, password));
  });
  const errors = fieldErrors(problem);
  return (
    <Alone title="Set your password">
      <p>With an invitation you choose your password. The one that the first start of the service prints makes you its administrator, under a name that you choose.</p>
      <form className="card" onSubmit={(event) => { event.preventDefault(); void run(); }} noValidate>
        <TextField label="Invitation" name="token" value={token} onChange={setToken} error={errors["token"]} hint="It begins with cbi_." autoFocus={token === ""} />
        <TextField label="Name" name="name" value={name} onChange={setName} error={errors["name"]} autoComplete="username" hint={isKnown ? "The one that you were invited under." : "Small letters, digits and . _ @ -"} autoFocus={token !== "" && !isKnown} />
        <TextField label="Password" name="password" type="password" value={password} onChange={setPassword} error={mistake.password ?? errors["password"]} autoComplete="new-password" hint={`At least ${leastCharacters} characters. A sentence is good.`} autoFocus={token !== "" && isKnown} />
        <TextField label="Password again" name="again" type="password" value={again} onChange={setAgain} error={mistake.again} autoComplete="new-password" />
        <ProblemNote problem={problem} />
        <Button type="submit" className="button main" isPending={isRunning}>Set password and sign in</Button>
      </form>
      <p><Link to="/">Sign in instead</Link></p>
    </Alone>
  );
}
