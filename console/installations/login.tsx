/** A login to the operator's site, as somebody gives it for a run or to be kept: on the page alone, and gone from it when it was sent or the page is left. */

import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { FileField, LinesField, RadioField, SelectField, TextField } from "../parts/field.tsx";
import { readFile } from "../parts/read-file.ts";
import { platformName } from "../parts/words.tsx";
import type { InstallationPlatform, LoginVariable } from "./installation.ts";

type Way = "kept" | "fields" | "text";

interface Draft {
  readonly way: Way;
  /** Name of kept credentials. */
  readonly kept: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly text: string;
  /** Where the text is a file's, its name: then it is not shown. */
  readonly fileName: string;
}

/** As the API takes it. */
export interface GivenLogin {
  readonly credential?: string;
  readonly credentials?: string | Readonly<Record<string, string>>;
}

export interface Login {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  /** Mistakes by the name of their field. */
  readonly wrong: Readonly<Record<string, string>>;
  /** What is to be sent; undefined where something is missing, which then stands at its field. */
  readonly take: () => GivenLogin | undefined;
  readonly forget: () => void;
}

const nothing = { fields: {}, text: "", fileName: "" };

/** `kept` are the names of kept credentials; `before` is the one that is chosen at first, where there is one. */
export function useLogin(platform: InstallationPlatform, kept: readonly string[], before?: string | null): Login {
  const first = before != null && kept.includes(before) ? before : kept[0];
  const [draft, setDraft] = useState<Draft>(() => ({ ...nothing, way: first === undefined ? "fields" : "kept", kept: first ?? "" }));
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
      const mistakes = mistakesIn(platform, draft);
      setWrong(mistakes);
      return Object.keys(mistakes).length > 0 ? undefined : givenBy(platform, draft);
    },
  };
}

/** A browser keeps pages that were left for its back button; what nobody may see does not stay in them. */
export function useGone(forget: () => void): void {
  const latest = useRef(forget);
  latest.current = forget;
  useEffect(() => {
    const left = (): void => latest.current();
    window.addEventListener("pagehide", left);
    return () => window.removeEventListener("pagehide", left);
  }, []);
}

function mistakesIn({ login, variables }: InstallationPlatform, { way, fields, text }: Draft): Readonly<Record<string, string>> {
  if (login === "none" || way === "kept") return {};
  if (way === "text") return text.trim() === "" ? { text: "Paste it, or choose the file." } : {};
  const missing = variables.filter(({ name, needed }) => needed && (fields[name] ?? "").trim() === "");
  if (missing.length > 0) return Object.fromEntries(missing.map(({ name }) => [name, "Without it there is no login."]));
  return {};
}

function givenBy({ login }: InstallationPlatform, { way, kept, fields, text }: Draft): GivenLogin {
  if (login === "none") return {};
  if (way === "kept") return { credential: kept };
  if (way === "text") return { credentials: text };
  return { credentials: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) };
}

export function LoginFields({ platform, kept, login: { draft, change, wrong } }: { readonly platform: InstallationPlatform; readonly kept: readonly string[]; readonly login: Login }): ReactNode {
  if (platform.login === "none") return <p>No login is needed: the service may install on {platformName(platform.platform)} as who it runs as.</p>;
  const ways: readonly { readonly value: Way; readonly name: string; readonly hint?: string }[] = [
    ...(kept.length === 0 ? [] : [{ value: "kept" as const, name: "With kept credentials" }]),
    { value: "fields", name: "With a login, field by field" },
    { value: "text", name: platform.platform === "openstack" ? "With an openrc or a clouds.yaml" : "With a text of NAME=value lines", hint: platform.platform === "openstack" ? "An openrc that sets plain values, or a clouds.yaml with one cloud. Nothing in it is run." : "Nothing in it is run." },
  ];
  return (
    <div className="wide-fields">
      <RadioField label="How the service logs in to the site" name="way" value={draft.way} onChange={(way) => change({ way })} choices={ways} />
      {draft.way === "kept" && <SelectField label="Kept credentials" value={draft.kept} onChange={(name) => change({ kept: name })} choices={kept.map((name) => ({ value: name, name }))} />}
      {draft.way === "fields" && platform.variables.map((variable) => <VariableField key={variable.name} of={variable} value={draft.fields[variable.name] ?? ""} onChange={(value) => change({ fields: { ...draft.fields, [variable.name]: value } })} error={wrong[variable.name]} />)}
      {draft.way === "text" && <LoginText draft={draft} change={change} error={wrong["text"]} />}
    </div>
  );
}

function VariableField({ of: { name, description, needed, secret, text }, value, onChange, error }: { readonly of: LoginVariable; readonly value: string; readonly onChange: (value: string) => void; readonly error: string | undefined }): ReactNode {
  const field = { name, value, onChange, label: description, hint: <code>{name}</code>, error };
  if (text) return <LinesField {...field} rows={4} />;
  // Else a browser would offer the password of this console.
  return <TextField {...field} type={secret ? "password" : "text"} autoComplete={secret ? "new-password" : "off"} isRequired={needed} />;
}

function LoginText({ draft, change, error }: { readonly draft: Draft; readonly change: (change: Partial<Draft>) => void; readonly error: string | undefined }): ReactNode {
  const id = useId();
  const [unread, setUnread] = useState<string>();
  const take = (file: File | undefined): void => {
    setUnread(undefined);
    if (file !== undefined) readFile(file).then((text) => change({ text, fileName: file.name }), (problem: Error) => setUnread(problem.message));
  };
  if (draft.fileName !== "") return <p id={id}><code>{draft.fileName}</code> was read. <Button className="button small" autoFocus onPress={() => change({ text: "", fileName: "" })}>Take another</Button></p>;
  return (
    <>
      <LinesField label="Text" name="text" value={draft.text} onChange={(text) => change({ text })} error={error} rows={8} />
      <FileField label="Or choose the file" accept="" onFile={take} error={unread} hint="It is read here, and sent with the request." />
    </>
  );
}
