/** The session has ended while somebody is at work: they log in over the page, which goes on where it was. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import type { Api } from "../api.ts";
import { useAction } from "../console.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { tokenFor } from "./sign-in.tsx";

export function SignInAgain({ api, name, onDone, onLeave }: { readonly api: Api; readonly name: string; readonly onDone: (token: string) => void; readonly onLeave: () => void }): ReactNode {
  const [password, setPassword] = useState("");
  const { run, isRunning, problem } = useAction(async () => onDone(await tokenFor(api, name, password)));
  return (
    <Dialog title="Your session has ended" onClose={onLeave} isFirm>
      <p>Sign in again: everything on the page is as you left it, and what you were doing goes on.</p>
      <form onSubmit={(event) => { event.preventDefault(); void run(); }} noValidate>
        <TextField label="Name" name="name" value={name} onChange={() => undefined} autoComplete="username" readOnly />
        <TextField label="Password" name="password" type="password" value={password} onChange={setPassword} autoComplete="current-password" autoFocus />
        <ProblemNote problem={problem} />
        <div className="row end">
          <Button className="button" onPress={onLeave}>Leave</Button>
          <Button type="submit" className="button main" isPending={isRunning}>Sign in</Button>
        </div>
      </form>
    </Dialog>
  );
}
