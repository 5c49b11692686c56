/** Where the access key of an installation comes from: issued, issued anew, somebody's own, or none. */

import type { ReactNode } from "react";
import { LinesField, RadioField } from "../parts/field.tsx";
import type { InstallationAction } from "./installation.ts";

type Choice = "issue" | "reissue" | "keep" | "own";

export interface AccessKey {
  /** Undefined until somebody chooses: then it is the service's own rule. */
  readonly choice: Choice | undefined;
  /** PEM. */
  readonly own: string;
  readonly ownSecond: string;
}

export interface Keyed {
  readonly action: InstallationAction;
  /** There is a key that is good. */
  readonly isIssued: boolean;
  readonly isInstalled: boolean;
}

/** What was chosen, or what is most likely meant: a key that was issued can't be issued again, and what is installed holds its own. */
export function chosenKey({ choice }: AccessKey, { action, isIssued, isInstalled }: Keyed): Choice {
  if (choice !== undefined && choice !== (isIssued ? "issue" : "reissue")) return choice;
  if (!isIssued) return "issue";
  if (action === "upgrade") return "reissue";
  return isInstalled ? "keep" : "own";
}

/** As the API takes it; of the second PlatformVM only where there is one. */
export function givenKey(value: AccessKey, keyed: Keyed): { readonly accessKey?: Choice; readonly secrets: Readonly<Record<string, string>> } {
  const choice = chosenKey(value, keyed);
  if (choice !== "own") return { accessKey: choice, secrets: {} };
  return { secrets: { ACCESS_KEY: value.own.trim(), ...(value.ownSecond.trim() === "" ? {} : { ACCESS_KEY_SECONDARY: value.ownSecond.trim() }) } };
}

export function isKeyMissing(value: AccessKey, keyed: Keyed): boolean {
  return chosenKey(value, keyed) === "own" && value.own.trim() === "";
}

export function AccessKeyFields({ value, onChange, keyed, error }: { readonly value: AccessKey; readonly onChange: (value: AccessKey) => void; readonly keyed: Keyed; readonly error: string | undefined }): ReactNode {
  const { action, isIssued } = keyed;
  const issued = isIssued
    ? [{ value: "reissue" as const, name: "Issue another", hint: "What was issued is revoked first. Tell the controller both." }]
    : [{ value: "issue" as const, name: "Issue it", hint: "It goes to the site alone; its public half is under Access keys, for the controller." }];
  const choices = [
    ...issued,
    { value: "own" as const, name: "I have it", hint: "Whoever has got it when it was issued gives it here, for this run." },
    { value: "keep" as const, name: "None", hint: action === "install" ? "Where it is installed already, and holds its key." : "The one that is at the site stays, if the platform can keep it." },
  ];
  const chosen = chosenKey(value, keyed);
  return (
    <>
      <RadioField label="Access key" name="accessKey" value={chosen} onChange={(choice) => onChange({ ...value, choice })} choices={choices} />
      {chosen === "own" && (
        <>
          <LinesField label="The access key" name="ACCESS_KEY" value={value.own} onChange={(own) => onChange({ ...value, choice: "own", own })} rows={4} isMasked error={error} hint="PEM, or the value of ACCESS_KEY in the secrets file." />
          <LinesField label="The access key of the second PlatformVM, where there are two" name="ACCESS_KEY_SECONDARY" value={value.ownSecond} onChange={(ownSecond) => onChange({ ...value, choice: "own", ownSecond })} rows={4} isMasked />
        </>
      )}
    </>
  );
}
