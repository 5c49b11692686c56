/** Package URLs (ECMA-427): `pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS`, one text for each package. */

import { byCodeUnit } from "./json.ts";

export interface Purl {
  readonly type: "apk" | "deb" | "docker" | "generic" | "npm" | "rpm";
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  /** Empty ones are left out. */
  readonly qualifiers?: Readonly<Record<string, string>>;
}

export function purlText({ type, namespace, name, version, qualifiers = {} }: Purl): string {
  const named = [...(namespace === undefined ? [] : namespace.split("/")), name].map(encoded).join("/");
  const more = Object.entries(qualifiers)
    .filter(([, value]) => value !== "")
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([key, value]) => `${key}=${encoded(value)}`);
  const at = version === undefined || version === "" ? "" : `@${encoded(version)}`;
  return `pkg:${type}/${named}${at}${more.length === 0 ? "" : `?${more.join("&")}`}`;
}

/** Name and version of such a text; undefined where it is none. */
export function readPurl(text: string): { readonly type: string; readonly namespace: string; readonly name: string; readonly version: string } | undefined {
  const [, type, path = "", version = ""] = /^pkg:([a-z]+)\/([^@?#]+)(?:@([^?#]*))?(?:\?[^#]*)?$/.exec(text) ?? [];
  if (type === undefined) return undefined;
  try {
    const parts = path.split("/").map(decodeURIComponent);
    return { type, namespace: parts.slice(0, -1).join("/"), name: parts.at(-1) ?? "", version: decodeURIComponent(version) };
  } catch {
    return undefined;
  }
}

/** ECMA-427 5.4: letters, digits and `.-_~` stand for themselves, and the colon does too; all else is percent-encoded. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}
