/** A login to a host, as somebody gives it for one run: on the page alone, and gone from it when it was sent or the page is left. */

import { useState, type ReactNode } from "react";
import { useGone } from "../installations/login.tsx";
import { Button } from "../parts/button.tsx";
import { FileField, LinesField, RadioField, TextField } from "../parts/field.tsx";
import { readFile } from "../parts/read-file.ts";

/** As the API takes it. */
export interface GivenAuth {
  readonly privateKey?: string;
  readonly passphrase?: string;
  readonly password?: string;
  readonly jumps?: readonly GivenAuth[];
}

interface Draft {
  readonly way: "key" | "password";
  readonly privateKey: string;
  /** Where the key is a file's, its name: then it is not shown. */
  readonly fileName: string;
  readonly passphrase: string;
  readonly password: string;
}

const nothing = { privateKey: "", fileName: "", passphrase: "", password: "" };

export interface HostLogin {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly wrong: Readonly<Record<string, string>>;
  /** What is to be sent; undefined where something is missing, which then stands at its field. */
  readonly take: () => GivenAuth | undefined;
  readonly forget: () => void;
}

export function useHostLogin(): HostLogin {
  const [draft, setDraft] = useState<Draft>({ way: "key", ...nothing });
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const forget = (): void => setDraft((now) => ({ ...now, ...nothing }));
  useGone(forget);
  return {
    draft, wrong, forget,
    change: (change) => {
      setWrong({});
      setDraft((now) => ({ ...now, ...change }));
    },
    take: () => {
      const mistakes = mistakesIn(draft);
      setWrong(mistakes);
      if (Object.keys(mistakes).length > 0) return undefined;
      if (draft.way === "password") return { password: draft.password };
      return { privateKey: draft.privateKey, ...(draft.passphrase === "" ? {} : { passphrase: draft.passphrase }) };
    },
  };
}

function mistakesIn({ way, privateKey, password }: Draft): Readonly<Record<string, string>> {
  if (way === "password") return password === "" ? { password: "Without it there is no login." } : {};
  if (privateKey.trim() === "") return { privateKey: "Paste it, or choose the file." };
  if (/^(ssh|ecdsa)-/.test(privateKey.trim())) return { privateKey: "This is the public key. The private one begins with -----BEGIN." };
  return {};
}

export function HostLoginFields({ login: { draft, change, wrong } }: { readonly login: HostLogin }): ReactNode {
  return (
    <div className="wide-fields">
      <RadioField label="How one logs in there" name="login" value={draft.way} onChange={(way) => change({ way })} choices={[
        { value: "key", name: "With a private key", hint: "Best one that was made for this, and that is taken out at the host afterwards." },
        { value: "password", name: "With a password", hint: "It also answers a host that asks by itself. No jump host is given it." },
      ]} />
      {draft.way === "key" && (
        <>
          <KeyField draft={draft} change={change} error={wrong["privateKey"]} />
          <TextField label="Passphrase" name="passphrase" type="password" autoComplete="new-password" value={draft.passphrase} onChange={(passphrase) => change({ passphrase })} hint="Of the private key, where it has one." />
        </>
      )}
      {draft.way === "password" && <TextField label="Password at the host" name="password" type="password" autoComplete="new-password" value={draft.password} onChange={(password) => change({ password })} error={wrong["password"]} />}
      <p className="soft">It is in the service's memory while this goes on, and nowhere afterwards; a retry asks for it again.</p>
    </div>
  );
}

function KeyField({ draft, change, error }: { readonly draft: Draft; readonly change: (change: Partial<Draft>) => void; readonly error: string | undefined }): ReactNode {
  const [unread, setUnread] = useState<string>();
  const take = (file: File | undefined): void => {
    setUnread(undefined);
    if (file !== undefined) readFile(file).then((privateKey) => change({ privateKey, fileName: file.name }), (problem: Error) => setUnread(problem.message));
  };
  if (draft.fileName !== "") return <p><code>{draft.fileName}</code> was read. <Button className="button small" autoFocus onPress={() => change({ privateKey: "", fileName: "" })}>Take another</Button></p>;
  return (
    <>
      <LinesField label="Private key" name="privateKey" value={draft.privateKey} onChange={(privateKey) => change({ privateKey })} rows={5} isMasked error={error} hint="OpenSSH, PKCS#8 or PEM: -----BEGIN … PRIVATE KEY-----" />
      <FileField label="Or choose the file" accept="" onFile={take} error={unread} hint="It is read here, and sent with the request." />
    </>
  );
}
