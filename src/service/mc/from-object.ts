/** MobiledgeX's Cloudlet object to our spec: a new one, or a change of one that is there. Nothing is dropped in silence. */

import type { Issue } from "../../core/issue.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { keysOf } from "../../core/pointer.ts";
import { importCloudlet } from "../../spec/import-mobiledgex.ts";
import { objectOf } from "../../spec/import/source-values.ts";
import { writeSpec } from "../../spec/import/write-spec.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import { defaultFlavor } from "./to-object.ts";

export type Taken =
  | { readonly ok: true; /** YAML. */ readonly text: string; /** Whose values were given and are kept nowhere. */ readonly secrets: readonly string[] }
  | { readonly ok: false; /** Everything that stands in the way. */ readonly refused: readonly string[] };

/** The spec of a new cloudlet. */
export function specOfObject(region: string, object: JsonObject): Taken {
  const read = imported(region, object);
  return read.refused.length > 0 ? { ok: false, refused: read.refused } : { ok: true, text: read.text, secrets: read.secrets };
}

/**
 * The spec with what `after` says otherwise than `before`; both are whole objects of the cloudlet. What the object has no place for
 * stays as it is. The text is to be read, which may find faults that only the whole shows.
 */
export function changedSpec(region: string, written: JsonObject, before: JsonObject, after: JsonObject): Taken {
  const [old, made] = [imported(region, before), imported(region, after)];
  if (!old.isRead || !made.isRead) return { ok: false, refused: [...new Set([...old.refused, ...made.refused])] };
  // What the cloudlet lacked before is not this change's fault.
  const refused = made.refused.filter((each) => !old.refused.includes(each));
  if (refused.length > 0) return { ok: false, refused };
  const merged = patched(withoutSecrets(written), withoutSecrets(old.spec), withoutSecrets(made.spec)) as JsonObject;
  const secrets = [...listOf(written["secrets"]), ...listOf(made.spec["secrets"]).filter((each) => !listOf(written["secrets"]).some((known) => known["name"] === each["name"]))];
  const spec = secrets.length === 0 ? merged : { ...merged, secrets };
  return { ok: true, text: writeSpec(spec, new Map(), ["A cloudlet spec, as UpdateCloudlet has changed it."]), secrets: made.secrets };
}

interface Imported {
  /** False: it was no object at all, and `spec` is empty. */
  readonly isRead: boolean;
  readonly spec: JsonObject;
  readonly text: string;
  readonly secrets: readonly string[];
  readonly refused: readonly string[];
}

function imported(region: string, object: JsonObject): Imported {
  const outcome = importCloudlet(JSON.stringify({ region, cloudlet: importable(object) }));
  if (!outcome.ok) return { isRead: false, spec: {}, text: "", secrets: [], refused: outcome.issues.map(said) };
  const { text, secrets } = outcome.value;
  const { value } = readYaml(text);
  return { isRead: true, spec: objectOf(value) ?? {}, text, secrets, refused: outcome.issues.filter((issue) => !isKeptSecret(issue, secrets)).map(said) };
}

/** What only a controller has is not ours to import: its own default flavor. Go leaves out a coordinate of 0. */
function importable({ flavor, fields: _, location, ...others }: JsonObject): JsonObject {
  const name = objectOf(flavor)?.["name"];
  return {
    ...others,
    location: { latitude: 0, longitude: 0, ...objectOf(location) },
    ...(flavor === undefined || name === defaultFlavor ? {} : { flavor }),
  };
}

/** A secret whose slot is in the spec: only its value is left out, and whoever sent it is told. */
function isKeptSecret({ code, pointer }: Issue, secrets: readonly string[]): boolean {
  if (code !== "import/secret") return false;
  const keys = keysOf(pointer);
  const name = keys.at(-1) === "kafka_password" ? "KAFKA_PASSWORD" : (keys.at(-1) ?? "");
  return secrets.includes(name);
}

/** `/cloudlet/env_var/MEX_FOO` is env_var.MEX_FOO in the words of whoever sent it. */
function said({ pointer, message, hint }: Issue): string {
  const [first, ...rest] = keysOf(pointer);
  const place = (first === "cloudlet" ? rest : [first ?? "", ...rest]).filter((key) => key !== "").join(".");
  // An import goes on without it; here nothing does.
  const plain = message.replace(/[;,] (it|the variable|[a-zA-Z.]+) is (left out|not carried over)(, with its value)?$/, "");
  return `${place === "" ? "" : `${place}: `}${plain}${hint === undefined ? "" : ` (${hint})`}`;
}

function withoutSecrets({ secrets: _, ...others }: JsonObject): JsonObject {
  return others;
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : [];
}

/** `base` with what is otherwise in `after` than in `before`. */
function patched(base: Json | undefined, before: Json | undefined, after: Json | undefined): Json | undefined {
  if (JSON.stringify(before) === JSON.stringify(after)) return base;
  const [from, old, made] = [objectOf(base), objectOf(before), objectOf(after)];
  if (from !== undefined && old !== undefined && made !== undefined) {
    const keys = new Set([...Object.keys(from), ...Object.keys(made)]);
    return Object.fromEntries([...keys].flatMap((key) => {
      const value = patched(own(from, key), own(old, key), own(made, key));
      return value === undefined ? [] : [[key, value]];
    }));
  }
  if (Array.isArray(base) && Array.isArray(before) && Array.isArray(after)) {
    const entries = (after as readonly Json[]).map((each, index) => (index < before.length && index < base.length ? (patched(base[index], before[index], each) ?? each) : each));
    return [...entries, ...(base as readonly Json[]).slice(before.length)];
  }
  return after;
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
