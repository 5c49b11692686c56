/** Values in messages: short, printable on any terminal, and never one that may be a secret. */

import { keysOf } from "../core/pointer.ts";

/** Characters that a terminal or an editor would act on or hide. */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with every character that would not be seen written as \uXXXX. */
export function printable(text: string): string {
  return text.replace(HIDDEN, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value as JSON, at most 60 characters of it. */
export function show(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return printable(json.length > 60 ? `${json.slice(0, 57)}…` : json);
}

/** A key as the user knows it. */
export function showKey(key: string): string {
  return /^[A-Za-z0-9_.:-]{1,64}$/.test(key) ? `\`${key}\`` : show(key);
}

/** The value at `pointer` as the user knows it: its key, or its list's key and place. */
export function showPlace(pointer: string): string {
  const keys = keysOf(pointer);
  const last = keys.at(-1);
  if (last === undefined) return "the document";
  const list = keys.at(-2);
  return /^\d+$/.test(last) && list !== undefined ? `entry ${Number(last) + 1} of ${showKey(list)}` : showKey(last);
}

/** Whether the value at `pointer` may be a secret by its name; then no message and no excerpt shows it. */
export function mayBeSecret(pointer: string): boolean {
  return keysOf(pointer).some((key) => !NO_SECRETS.has(key) && SECRET_NAME.test(key));
}

const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|openrc|^access_?vars$|(^|_)key$|licen[cs]e_?config$|PrivateKey|private_key/i;

/** Names of ours that only sound so: they hold public keys, names of secrets, and what a cloudlet is known by. */
const NO_SECRETS: ReadonlySet<string> = new Set(["key", "secrets"]);
