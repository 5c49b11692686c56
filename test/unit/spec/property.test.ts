/** Whatever is written: it reads or gives issues, issues have a place, nothing is thrown. */

import fc from "fast-check";
import t from "tap";
import { issuesAsJson, issuesAsSarif, issuesAsText } from "../../../src/cli/report-issues.ts";
import type { Outcome } from "../../../src/core/issue.ts";
import { canonicalJson } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { importCloudlet } from "../../../src/spec/import-mobiledgex.ts";
import { BACKEND_FIELDS, FIELDS } from "../../../src/spec/import/fields.ts";
import { variablesOf } from "../../../src/spec/property-schema.ts";
import { readLock } from "../../../src/spec/read-lock.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { schemaIssues } from "../../../src/spec/schema-issues.ts";
import { validateCloudlet } from "../../../src/spec/validators.ts";
import { HOSTILE, schemaNamed, valueOf } from "./arbitrary-document.ts";

const PLATFORMS = ["openstack", "vmpool", "vsphere"];
const RUNS = { numRuns: 100 } as const;

const cloudlet = schemaNamed("cloudlet");
const documents = fc
  .tuple(
    valueOf(cloudlet),
    fc.constantFrom("openstack", "openstack", "vmpool", "vsphere").chain((type) => fc.record({ type: fc.constant(type), parameters: valueOf(schemaNamed(`platform-${type}`)) })),
  )
  .map(([document, platform]): JsonObject => ({ ...(document as JsonObject), platform: platform as JsonObject }));

const MINIMAL: JsonObject = {
  apiVersion: "cloudlet-bundle/v1",
  kind: "Cloudlet",
  name: "berlin-1",
  organization: "ExampleTel",
  region: "EU",
  location: { latitude: 52.52, longitude: 13.405 },
  dynamicIps: 8,
  platform: { type: "openstack" },
  compute: { flavor: "m1.medium" },
  networks: { external: [{ name: "ue-net" }] },
};

/** Some parts of any document in a sound one: the rules let many of these pass. */
const likelySound = fc
  .tuple(documents, fc.subarray(Object.keys(cloudlet.properties ?? {}), { maxLength: 4 }))
  .map(([document, keys]): JsonObject => ({
    ...MINIMAL,
    ...Object.fromEntries(
      keys.filter((key) => Object.hasOwn(document, key)).map((key) => [key, document[key] as Json]),
    ),
  }));

function spec(text: string): Outcome<unknown> {
  return readSpec(text, { platforms: PLATFORMS });
}

/** Changes one value somewhere. */
function changed(value: Json, path: readonly number[], to: Json): Json {
  if (typeof value !== "object" || value === null || path.length === 0) return to;
  const keys = Object.keys(value);
  const key = keys[(path[0] ?? 0) % Math.max(keys.length, 1)];
  if (key === undefined) return to;
  const each = changed((value as JsonObject)[key] as Json, path.slice(1), to);
  return Array.isArray(value)
    ? (value as Json[]).map((one, index) => (String(index) === key ? each : one))
    : { ...(value as JsonObject), [key]: each };
}

/** That an outcome can be told: its issues have a place in the text, and every form of report can be made. */
function told(text: string, outcome: Outcome<unknown>): void {
  const name = "x.yaml";
  if (!outcome.ok && outcome.issues.length === 0) throw new Error("refused without a word");
  const shown = issuesAsText({ name, text, issues: outcome.issues }, { colour: true });
  if (/[\u0000-\u0009\u000b-\u001a\u001c-\u001f\u007f-\u009f]/.test(shown)) {
    throw new Error("a control character reaches the terminal");
  }
  const { documents: reported } = JSON.parse(issuesAsJson([{ name, text, issues: outcome.issues }])) as {
    documents: { issues: { line?: number; column?: number; endLine?: number; endColumn?: number }[] }[];
  };
  const lines = text.split("\n");
  for (const issue of reported[0]?.issues ?? []) {
    if (text === "") continue;
    const { line = 0, column = 0, endLine = 0, endColumn = 0 } = issue;
    if (line < 1 || line > lines.length || column < 1 || column > (lines[line - 1] ?? "").length + 1) {
      throw new Error(`no such place: ${JSON.stringify(issue)}`);
    }
    if (endLine < line || (endLine === line && endColumn < column)) {
      throw new Error(`an end before its begin: ${JSON.stringify(issue)}`);
    }
  }
  issuesAsSarif([{ name, text, issues: outcome.issues }], { name: "x", version: "1" });
}

t.test("a document of the schema obeys the schema, and a sound one reads as itself again", (t) => {
  let sound = 0;
  fc.assert(
    fc.property(fc.oneof(documents, likelySound), (document) => {
      const text = JSON.stringify(document);
      const outcome = readSpec(text, { platforms: PLATFORMS });
      told(text, outcome);
      const form = outcome.issues.filter((issue) => issue.code.startsWith("schema/"));
      if (form.length > 0) throw new Error(JSON.stringify(form));
      if (!outcome.ok) return;
      sound += 1;
      const again = readSpec(canonicalJson(outcome.value.spec as unknown as Json), { platforms: PLATFORMS });
      if (!again.ok || again.value.digest !== outcome.value.digest) {
        throw new Error(`does not read as itself: ${JSON.stringify(again.issues)}`);
      }
    }),
    { numRuns: 200 },
  );
  t.ok(sound > 20, `${sound} of 200 were sound`);
  t.end();
});

t.test("a document with wrong values ends in issues, each at what is wrong", (t) => {
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      documents,
      fc.array(fc.tuple(path, fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>), { minLength: 1, maxLength: 4 }),
      (document, changes) => {
        const wrong = changes.reduce<Json>((value, [at, to]) => changed(value, at, to), document);
        const text = JSON.stringify(wrong);
        told(text, spec(text));
        // No error is lost: at each of the validator's there is an issue, or below it.
        const issues = schemaIssues(validateCloudlet, wrong);
        validateCloudlet(wrong);
        for (const error of validateCloudlet.errors ?? []) {
          if (
            !issues.some(
              (issue) => issue.pointer === error.instancePath || issue.pointer.startsWith(`${error.instancePath}/`),
            )
          )
            throw new Error(`lost: ${error.instancePath} ${error.keyword}`);
        }
        const told2 = issues.map((issue) => `${issue.code} ${issue.pointer} ${issue.message}`);
        if (new Set(told2).size !== told2.length) throw new Error(`told twice: ${told2.join("; ")}`);
      },
    ),
    RUNS,
  );
  t.end();
});

t.test("hostile text is never the end of us", (t) => {
  const lines = fc
    .array(
      fc.tuple(HOSTILE, HOSTILE).map(([key, value]) => `${key}: ${value}`),
      { maxLength: 6 },
    )
    .map((all) => all.join("\n"));
  const head = fc.constantFrom(
    "",
    "apiVersion: cloudlet-bundle/v1\nkind: Cloudlet\n",
    "apiVersion: cloudlet-bundle/v1\nkind: Release\n",
    "key: {name: a, organization: b}\nenv_var:\n  ",
  );
  fc.assert(
    fc.property(head, fc.oneof(HOSTILE, lines), (first, rest) => {
      const text = first + rest;
      told(text, spec(text));
      told(text, readRelease(text));
      told(text, readLock(text));
      told(text, importCloudlet(text));
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test("hostile values in a sound document", (t) => {
  fc.assert(
    fc.property(documents, fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), HOSTILE, (document, path, value) => {
      const text = JSON.stringify(changed(document, path, value));
      told(text, spec(text));
    }),
    RUNS,
  );
  t.end();
});

t.test("an import carries or names, and what it writes reads", (t) => {
  const keys = fc.constantFrom(
    ...FIELDS.keys(),
    ...BACKEND_FIELDS,
    "env_var",
    "access_vars",
    "infra_config",
    "num_dynamic_ips",
    "bogus",
  );
  const variables = fc.dictionary(
    fc.constantFrom(...variablesOf("openstack").keys(), "MEX_FOO", "__proto__"),
    fc.oneof(
      HOSTILE,
      fc.constantFrom(
        "10.0.0.1,10.0.0.2",
        "cidr=10.1.X.0/24,floatingipnet=a,vnictype=direct,commoninternalnet=10.201.0.0/16",
        "protocol=tcp,portrange=1:65535,remotecidr=0.0.0.0/0;protocol=icmp",
        "yes",
        "3",
      ),
    ),
    { maxKeys: 8 },
  );
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
    HOSTILE,
    fc.nat(20),
    variables as fc.Arbitrary<Json>,
  );
  const object = fc
    .tuple(
      fc.dictionary(keys, value, { maxKeys: 20 }),
      fc.constantFrom(2, "Openstack", "PLATFORM_TYPE_VM_POOL", 7, "my cloud"),
      variables,
      fc.option(HOSTILE),
    )
    .map(([fields, platform, variablesGiven, name]): Json => ({
      region: "EU",
      cloudlet: {
        ...(fields as JsonObject),
        key: { name: name ?? "berlin-1", organization: "ExampleTel" },
        platform_type: platform,
        env_var: variablesGiven as JsonObject,
      },
    }));
  let carried = 0;
  fc.assert(
    fc.property(object, (source) => {
      const text = JSON.stringify(source);
      const outcome = importCloudlet(text);
      told(text, outcome);
      if (!outcome.ok) return;
      carried += 1;
      const platforms = [/^ {2}type: "?'?([a-z0-9]+)/m.exec(outcome.value.text)?.[1] ?? ""];
      const read = readSpec(outcome.value.text, { platforms });
      if (read.ok !== (outcome.value.missing.length === 0)) {
        throw new Error(
          `${JSON.stringify(outcome.value.missing)} ${JSON.stringify(read.issues)}\n${outcome.value.text}`,
        );
      }
      told(outcome.value.text, read);
    }),
    { numRuns: 200 },
  );
  t.ok(carried > 60, `${carried} of 200 were carried`);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (source) =>
      told(JSON.stringify(source), importCloudlet(JSON.stringify(source))),
    ),
    RUNS,
  );
  t.end();
});
