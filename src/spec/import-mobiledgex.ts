/** A MobiledgeX cloudlet object (mcctl data file or REST body, YAML or JSON) to the text of a spec. */

import type { Issue, Outcome } from "../core/issue.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit } from "../core/json.ts";
import { below, keysOf } from "../core/pointer.ts";
import type { Carrier } from "./import/carrier.ts";
import { at, carry, newCarrier, say } from "./import/carrier.ts";
import type { FieldHandler } from "./import/fields.ts";
import { FIELDS, carryFields } from "./import/fields.ts";
import { bare, objectOf, textOf } from "./import/source-values.ts";
import { carryAccessVariables, carryVariables } from "./import/variables.ts";
import { writeSpec } from "./import/write-spec.ts";
import { byPlace } from "./read-document.ts";
import { readSpec } from "./read-spec.ts";
import { readYaml } from "./read-yaml.ts";

export interface ImportedCloudlet {
  /** YAML, with comments that say where each value comes from and what was left out. */
  readonly text: string;
  /** Secrets whose values were left out, by the names they have in the secrets file. */
  readonly secrets: readonly string[];
  /** What the spec still needs before it can be built, in words; empty when it reads as it is. */
  readonly missing: readonly string[];
}

/**
 * What can't be carried over is named in a warning (`import/…`), at its place in the source; the values of secrets appear
 * nowhere. The text reads with `readSpec`, except for what `missing` names.
 */
export function importCloudlet(text: string): Outcome<ImportedCloudlet> {
  const { value, marks, issues } = readYaml(text);
  if (value === undefined || issues.length > 0) return { ok: false, issues: byPlace(issues, marks) };
  const found = findCloudlet(value, "");
  if ("code" in found) return { ok: false, issues: [found] };
  const carrier = newCarrier();
  if (found.region !== undefined) carry(carrier, ["region"], found.region.text, found.region.source);
  carryFields(found.cloudlet, found.source, HANDLERS, carrier);
  // MobiledgeX's default, which is not ours.
  carrier.spec["access"] ??= "direct";
  const missing = leaveOutFaults(carrier);
  for (const each of missing) say(carrier, "import/missing", found.source, each.message, each.hint);
  const said = byPlace(carrier.issues, marks);
  return {
    ok: true,
    value: {
      text: writeSpec(carrier.spec, carrier.from, headOf(said, missing)),
      secrets: carrier.secrets,
      missing: missing.map((each) => each.message),
    },
    issues: said,
  };
}

const HANDLERS: ReadonlyMap<string, FieldHandler> = new Map([
  ...FIELDS,
  ["envvar", carryVariables],
  ["accessvars", carryAccessVariables],
]);

interface Found {
  readonly cloudlet: JsonObject;
  readonly source: string;
  readonly region: { readonly text: string; readonly source: string } | undefined;
}

/** The cloudlet may be bare, in `{region, cloudlet}`, or the only entry of a list. */
function findCloudlet(value: Json, source: string, region?: Found["region"]): Found | Issue {
  const at = { severity: "error", pointer: source } as const;
  if (Array.isArray(value)) {
    if (value.length === 1) return findCloudlet(value[0] as Json, below(source, 0), region);
    if (value.length > 1) {
      return {
        ...at,
        code: "import/several-cloudlets",
        message: `there are ${value.length} cloudlets here`,
        hint: "import one at a time",
      };
    }
  }
  const fields = objectOf(value);
  const byName = new Map(Object.keys(fields ?? {}).map((key) => [bare(key), key]));
  const wrapped = byName.get("cloudlet") ?? byName.get("cloudlets") ?? byName.get("data") ?? byName.get("result");
  const regionKey = byName.get("region");
  const text = regionKey === undefined ? undefined : textOf(fields?.[regionKey]);
  const here =
    regionKey === undefined || text === undefined || text === "" ? region : { text, source: below(source, regionKey) };
  if (fields !== undefined && wrapped !== undefined && !byName.has("key")) {
    return findCloudlet(fields[wrapped] as Json, below(source, wrapped), here);
  }
  if (fields === undefined || !byName.has("key")) {
    return {
      ...at,
      code: "import/not-a-cloudlet",
      message: "this is no MobiledgeX cloudlet object: it has no `key` with name and organization",
      hint: "give an mcctl data file, or the body of a CreateCloudlet request",
    };
  }
  const { [regionKey ?? ""]: _, ...cloudlet } = fields;
  return { cloudlet, source, region: here };
}

/** Each round leaves out what the one before brought to light; three are usual. */
const ROUNDS = 64;

/** Leaves out what our spec refuses, with a warning for each, until only missing things are left, which it returns. */
function leaveOutFaults(carrier: Carrier): readonly Issue[] {
  for (let round = 0; round < ROUNDS; round += 1) {
    const type = at(carrier.spec, ["platform", "type"]);
    const outcome = readSpec(JSON.stringify(carrier.spec), { platforms: typeof type === "string" ? [type] : [] });
    const errors = outcome.issues.filter((issue) => issue.severity === "error");
    const faults = errors.filter((issue) => !isMissing(issue));
    if (faults.length === 0) return errors;
    // A list that is too long goes as a whole, whatever its entries are.
    const counts = faults.filter((issue) => issue.code === "schema/count");
    leaveOut(carrier, counts.length > 0 ? counts : faults);
  }
  throw new Error("an import does not come to an end");
}

/** Whether the spec lacks something, rather than holds something wrong. A group that is not whole is wrong. */
function isMissing({ code, pointer }: Issue): boolean {
  if (code === "schema/missing-key") return pointer === "" || pointer === "/platform";
  if (code === "spec/vm-pool") return pointer === "";
  // MobiledgeX made a Redis of its own in its cluster, so no object names one.
  if (code === "spec/high-availability") return true;
  return code === "spec/flavor-missing" || code === "spec/network-missing" || code === "spec/variable-missing";
}

/** Later entries go first, so that the places of the earlier ones stay. */
function leaveOut(carrier: Carrier, faults: readonly Issue[]): void {
  const byPointer = new Map(faults.map((issue) => [carriedPart(carrier, issue), issue]));
  const places = [...byPointer.keys()].map((pointer) => keysOf(pointer)).sort((a, b) => compareKeys(b, a));
  for (const keys of places) {
    const pointer = below("", ...keys);
    const fault = byPointer.get(pointer) as Issue;
    const key = keys.at(-1);
    const holder = at(carrier.spec, keys.slice(0, -1));
    if (key === undefined || typeof holder !== "object" || holder === null) {
      throw new Error(`nothing to leave out for ${fault.code}`);
    }
    say(carrier, "import/value", sourceOf(carrier, pointer), `${fault.message}; it is left out`, fault.hint);
    if (Array.isArray(holder)) removeEntry(carrier, keys, Number(key));
    else delete (holder as Record<string, Json>)[key];
  }
}

/** Entries that are nothing without each of their parts. */
const WHOLE_ENTRY =
  /^\/(policies\/quotas|firewall\/ingress|firewall\/egress|secrets)\/\d+|^\/networks\/external\/\d+(?=\/name$)/;

/** The nearest part that is there: an issue may point to what a default filled in. */
function carriedPart(carrier: Carrier, issue: Issue): string {
  const entry = WHOLE_ENTRY.exec(issue.pointer);
  if (entry !== null) return entry[0];
  const keys = [...keysOf(issue.pointer)];
  while (keys.length > 1 && at(carrier.spec, keys) === undefined) keys.pop();
  return below("", ...keys);
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, key] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (key === other) continue;
    return /^\d+$/.test(key) && /^\d+$/.test(other) ? Number(key) - Number(other) : byCodeUnit(key, other);
  }
  return a.length - b.length;
}

/** The entries after it move up, and so do their sources. */
function removeEntry(carrier: Carrier, keys: readonly string[], index: number): void {
  const list = below("", ...keys.slice(0, -1));
  const holder = at(carrier.spec, keys.slice(0, -1)) as Json[];
  holder.splice(index, 1);
  for (const [pointer, source] of [...carrier.from].filter(([each]) => each.startsWith(`${list}/`))) {
    const [place = "", ...rest] = pointer.slice(list.length + 1).split("/");
    if (Number(place) < index) continue;
    carrier.from.delete(pointer);
    if (Number(place) > index) carrier.from.set([below(list, Number(place) - 1), ...rest].join("/"), source);
  }
}

function sourceOf(carrier: Carrier, pointer: string): string {
  const keys = keysOf(pointer);
  for (let length = keys.length; length > 0; length -= 1) {
    const source = carrier.from.get(below("", ...keys.slice(0, length)));
    if (source !== undefined) return source;
  }
  return "";
}

function headOf(said: readonly Issue[], missing: readonly Issue[]): readonly string[] {
  const left = said.filter((issue) => issue.code !== "import/missing");
  return [
    "A cloudlet spec, imported from a MobiledgeX cloudlet object by cloudlet-bundle import.",
    "The comment at a value is its place in that object.",
    ...(missing.length === 0
      ? []
      : ["", "Missing; write it in before building:", ...missing.map((issue) => `- ${issue.message}`)]),
    ...(left.length === 0
      ? []
      : [
          "",
          "Not carried over as it was:",
          ...left.map((issue) => `- ${issue.pointer === "" ? "the object" : issue.pointer}: ${issue.message}`),
        ]),
  ];
}
