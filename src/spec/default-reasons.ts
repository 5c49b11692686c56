/** From the name of a default, as origins carry it, to what it fills in and why. */

import type { Json } from "../core/json.ts";
import { COMPUTED_DEFAULTS, PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "./defaults.ts";
import type { Default } from "./defaults.ts";

export interface DefaultReason {
  readonly name: string;
  readonly reason: string;
  /** Where it goes and what it fills in; absent where both depend on the document. */
  readonly fills?: { readonly document: "spec" | "release"; readonly pointer: string; readonly value: Json };
  /** Of a computed one, where in the spec it goes; absent where it makes entries of its own. */
  readonly at?: string;
}

/** Undefined for a name that this build does not know: then the bundle was made by another version. */
export function defaultNamed(name: string): DefaultReason | undefined {
  return reasons.get(name);
}

/** The defaults that fill in the value at `pointer` of a spec, or values below it. */
export function defaultsAt(pointer: string): readonly DefaultReason[] {
  return [...reasons.values()].filter(({ fills, at }) => {
    const place = fills?.document === "spec" ? fills.pointer : at;
    if (place === undefined) return false;
    const [wanted, there] = [pointer.split("/"), place.split("/")];
    const known = Math.min(wanted.length, there.length);
    return wanted.slice(0, known).every((key, index) => key === there[index] || (there[index] === "*" && /^\d+$/.test(key)));
  });
}

const computedAt: Readonly<Record<string, string>> = { "default-route": "/networks/external/*/defaultRoute", "secret-description": "/secrets/*/description", "secret-target": "/secrets/*/target" };

const reasons: ReadonlyMap<string, DefaultReason> = new Map(
  [
    ...SPEC_DEFAULTS.map((each) => filling("spec", each)),
    ...Object.values(PLATFORM_DEFAULTS).flatMap((all) => all.map((each) => filling("spec", { ...each, pointer: `/platform/parameters${each.pointer}` }))),
    ...RELEASE_DEFAULTS.map((each) => filling("release", each)),
    ...Object.entries(COMPUTED_DEFAULTS).map(([name, reason]): DefaultReason => ({ name, reason, ...(computedAt[name] === undefined ? {} : { at: computedAt[name] }) })),
  ].map((each) => [each.name, each]),
);

function filling(document: "spec" | "release", { name, reason, pointer, value }: Default): DefaultReason {
  return { name, reason, fills: { document, pointer, value } };
}
