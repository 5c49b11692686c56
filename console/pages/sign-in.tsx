/** Signing in: name and password, and where one goes without them. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import type { Api } from "../api.ts";
import { useAction } from "../console.tsx";
import { Link } from "../router.tsx";
import { TextField } from "../parts/field.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { Alone } from "./alone.tsx";

export function SignIn({ api, onDone }: { readonly api: Api; readonly onDone: (token: string) => void }): ReactNode {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { run, isRunning, problem } = useAction(async () => onDone(await tokenFor(api, name, password)));
  return (
    <Alone title="Sign in">
      <form className="card" onSubmit={(event) => { event.preventDefault(); void run(); }} noValidate>
        <TextField label="Name" name="name" value={name} onChange={setName} autoComplete="username" autoFocus />
        <TextField label="Password" name="password" type="password" value={password} onChange={setPassword} autoComplete="current-password" />
        <ProblemNote problem={problem} />
        <Button type="submit" className="button main" isPending={isRunning}>Sign in</Button>
      </form>
      <p><Link to="/set-up">I have an invitation</Link></p>
      <p className="soft">Without an invitation, ask an administrator. The first start of the service prints one; whoever has forgotten a password is invited again.</p>
    </Alone>
  );
}

export async function tokenFor(api: Api, name: string, password: string): Promise<string> {
  return (await api.post<{ readonly token: string }>("/v1/sessions", { name, password })).body.token;
}
