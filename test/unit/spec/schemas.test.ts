/** Every field of every schema is explained, and what the schemas say of defaults is what the code does. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { issueReference, specReference } from "../../../scripts/generate-spec-reference.ts";
import { PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "../../../src/spec/defaults.ts";
import { PARAMETER_VALIDATORS } from "../../../src/spec/platform-parameters.ts";
import { validateCloudlet, validateLibvirtHost, validateLock, validateRelease } from "../../../src/spec/validators.ts";

type Schema = { readonly [key: string]: unknown };

const root = join(import.meta.dirname, "../../..");
const OURS = {
  cloudlet: validateCloudlet,
  release: validateRelease,
  lock: validateLock,
  "libvirt-host": validateLibvirtHost,
  ...Object.fromEntries(Object.entries(PARAMETER_VALIDATORS).map(([name, validate]) => [`platform-${name}`, validate])),
};

function schemaNamed(name: string): Schema {
  return JSON.parse(readFileSync(join(root, "schemas", `${name}.schema.json`), "utf8")) as Schema;
}

/** Every schema of a field, with its place. */
function fieldsOf(schema: Schema, document: Schema, path: string): readonly (readonly [string, Schema])[] {
  const ref = typeof schema["$ref"] === "string" ? schema["$ref"].replace("#/$defs/", "") : undefined;
  const base = ref === undefined ? {} : ((document["$defs"] as Record<string, Schema>)[ref] ?? {});
  const whole = { ...base, ...schema };
  const below = [
    ...Object.entries((whole["properties"] as Record<string, Schema> | undefined) ?? {}).flatMap(([key, each]) =>
      fieldsOf(each, document, `${path}.${key}`),
    ),
    ...(whole["items"] === undefined ? [] : fieldsOf(whole["items"] as Schema, document, `${path}[]`)),
    ...((whole["oneOf"] as readonly Schema[] | undefined) ?? []).flatMap((each, index) =>
      fieldsOf({ examples: [0], ...each }, document, `${path}|${index}`),
    ),
    ...(typeof whole["additionalProperties"] === "object"
      ? fieldsOf(whole["additionalProperties"] as Schema, document, `${path}.*`)
      : []),
  ];
  return [[path, whole], ...below];
}

for (const name of Object.keys(OURS)) {
  t.test(`${name}: every field has a description, an example, and a unit where it is a number`, (t) => {
    const schema = schemaNamed(name);
    for (const [path, field] of fieldsOf(schema, schema, "")) {
      t.ok(
        typeof field["description"] === "string" && /[.)]$/.test(field["description"]),
        `${path} description in a sentence`,
      );
      t.ok(Array.isArray(field["examples"]) && field["examples"].length > 0, `${path} example`);
      if (field["type"] === "integer" || field["type"] === "number") {
        t.type(field["x-unit"], "string", `${path} unit`);
        t.ok(typeof field["minimum"] === "number" && typeof field["maximum"] === "number", `${path} limits`);
      }
      if (field["type"] === "string" && field["const"] === undefined && field["enum"] === undefined) {
        t.ok((field["maxLength"] ?? field["pattern"]) !== undefined, `${path} is bounded`);
      }
      if (field["type"] === "array") t.type(field["maxItems"], "number", `${path} is bounded`);
      if (field["pattern"] !== undefined) t.type(field["x-form"], "string", `${path} pattern in words`);
      if (field["properties"] !== undefined) t.equal(field["additionalProperties"], false, `${path} is closed`);
    }
    t.end();
  });
}

t.test("examples obey their schemas", (t) => {
  for (const [name, validate] of Object.entries(OURS)) {
    for (const example of (schemaNamed(name)["examples"] as readonly unknown[] | undefined) ?? []) {
      t.ok(
        validate?.(example),
        `${name} ${JSON.stringify(validate?.errors?.map((error) => [error.instancePath, error.keyword]))}`,
      );
    }
  }
  t.end();
});

for (const [name, defaults] of [
  ["cloudlet", SPEC_DEFAULTS],
  ...Object.entries(PLATFORM_DEFAULTS).map(([name, defaults]) => [`platform-${name}`, defaults] as const),
  ["release", RELEASE_DEFAULTS],
] as const) {
  t.test(`${name}: defaults in the schema are those of the code`, (t) => {
    const schema = schemaNamed(name);
    const said = fieldsOf(schema, schema, "").filter(([, field]) => field["default"] !== undefined);
    const bySchema = Object.fromEntries(
      said.map(([path, field]) => [path.replaceAll("[]", ".*").replaceAll(".", "/"), field["default"]]),
    );
    t.same(bySchema, Object.fromEntries(defaults.map((each) => [each.pointer, each.value])));
    t.end();
  });
}

t.test("default names are unique, and each has a reason", (t) => {
  const all = [...SPEC_DEFAULTS, ...Object.values(PLATFORM_DEFAULTS).flat(), ...RELEASE_DEFAULTS];
  t.equal(new Set(all.map((each) => each.name)).size, all.length);
  for (const each of all) t.ok(each.reason.length > 10, each.name);
  t.end();
});

t.test("the references are current (node scripts/generate-spec-reference.ts)", (t) => {
  t.equal(readFileSync(join(root, "docs/reference/spec.md"), "utf8"), specReference());
  t.equal(readFileSync(join(root, "docs/reference/issues.md"), "utf8"), issueReference());
  t.end();
});

t.test("a platform's schema belongs to a platform", (t) => {
  const files = readdirSync(join(root, "schemas")).flatMap(
    (name) => /^platform-(.+)\.schema\.json$/.exec(name)?.[1] ?? [],
  );
  t.same(files.sort(), Object.keys(PARAMETER_VALIDATORS).sort());
  t.end();
});
