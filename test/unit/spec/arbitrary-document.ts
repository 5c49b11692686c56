/** Documents made from a schema: everything it allows may turn up. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Json } from "../../../src/core/json.ts";

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly examples?: readonly Json[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
}

export function schemaNamed(name: string): Schema {
  return JSON.parse(
    readFileSync(join(import.meta.dirname, "../../../schemas", `${name}.schema.json`), "utf8"),
  ) as Schema;
}

/** Any value that obeys the schema. */
export function valueOf(schema: Schema, document: Schema = schema): fc.Arbitrary<Json> {
  if (schema.$ref !== undefined) {
    const target = document.$defs?.[schema.$ref.replace("#/$defs/", "")];
    if (target === undefined) throw new Error(`no such definition: ${schema.$ref}`);
    return valueOf(target, document);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((branch) => valueOf(branch, document)));
  switch (schema.type) {
    case "string":
      return textOf(schema);
    case "integer":
      return fc.oneof(
        fc.constantFrom(...((schema.examples ?? [schema.minimum ?? 0]) as number[])),
        fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 9 }),
      );
    case "number":
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 9, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return fc
        .array(valueOf(schema.items ?? {}, document), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? 3, 3),
        })
        .map((all) => (schema.uniqueItems === true ? [...new Set(all)] : all));
    case "object":
      return objectOf(schema, document);
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

/** An example is more often sound in the eyes of the rules than what a pattern gives. */
function textOf(schema: Schema): fc.Arbitrary<string> {
  const examples = (schema.examples ?? []) as string[];
  const longest = Math.min(schema.maxLength ?? 40, 40);
  const any =
    schema.pattern === undefined
      ? fc.string({ minLength: schema.minLength ?? 0, maxLength: longest, unit: "grapheme" })
      : fc.stringMatching(new RegExp(schema.pattern, "u")).filter((text) => text.length <= (schema.maxLength ?? 200));
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...examples) }, { weight: 1, arbitrary: any });
}

function objectOf(schema: Schema, document: Schema): fc.Arbitrary<Json> {
  const properties = Object.entries(schema.properties ?? {});
  const record = fc.record(Object.fromEntries(properties.map(([key, each]) => [key, valueOf(each, document)])), {
    requiredKeys: (schema.required ?? []) as string[],
  });
  if (typeof schema.additionalProperties !== "object") return record as fc.Arbitrary<Json>;
  const key = textOf({ examples: ["a", "MEX_DNS", "OS_AUTH_URL"], ...schema.propertyNames });
  return fc.dictionary(key, valueOf(schema.additionalProperties, document), { maxKeys: 3 }) as fc.Arbitrary<Json>;
}

/** Strings that break things: of every plane, control characters, quotes, YAML's and shells' own words. */
export const HOSTILE: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "",
    "no",
    "0644",
    "null",
    "~",
    "<<",
    "=",
    "&a",
    "*a",
    "!x",
    "%x",
    "@x",
    "`x",
    "- a",
    "a: b",
    "a #b",
    "{{x}}",
    "$(reboot)",
    "'",
    '"',
    "\\",
    "\u0000",
    "\u001b[31m",
    "\u2028",
    "\ufeff",
    "\ud800",
    "__proto__",
    "constructor",
    "toString",
    "@@CLOUDLET-SECRET:X@@",
    "-----BEGIN PRIVATE KEY-----",
    "1e999",
    "-0",
    ".inf",
  ),
);
