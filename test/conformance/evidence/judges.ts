/** Whose word our evidence is held against: published JSON Schemas, and the libraries of those who made the standards. */

import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const lab = process.env["LAB_DIR"] ?? "/var/tmp/lab-evidence";

/** Problems of the JSON document in that file; none where it is good. */
export type Judge = (path: string) => Promise<readonly string[]>;

/** The evidence that each judges, and by which text. */
export const judges: Readonly<Record<"cyclonedx" | "spdx" | "sarif" | "oscal" | "statement", readonly Judge[]>> = {
  cyclonedx: [cycloneDxStrictly],
  spdx: [bySchema("spdx-schema-v2.3.json", () => readFileSync(join(lab, "spdx-schema-v2.3.json"), "utf8")), byLibrary("spdx")],
  sarif: [bySchema("sarif-2.1.0-rtm.5.json", () => readFileSync(join(root, "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8"))],
  oscal: [bySchema("NIST's of all OSCAL models, 1.2.3", oscalSchema), byLibrary("trestle"), byLibrary("oscal-validate")],
  statement: [byLibrary("statement")],
};

/** The schema of 1.6, and more strictly than it is written: no property that it does not have. */
async function cycloneDxStrictly(path: string): Promise<readonly string[]> {
  const found = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(readFileSync(path, "utf8"));
  return found === null ? [] : [JSON.stringify(found)];
}

function bySchema(name: string, text: () => string): Judge {
  let validate: ValidateFunction | undefined;
  return (path) => {
    validate ??= compiled(text());
    const document: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Promise.resolve(validate(document) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${name}: ${instancePath} ${message}`));
  };
}

function compiled(text: string): ValidateFunction {
  // Draft 4 (SARIF) says `id` where draft 7 says `$id`, and knows no `u` in patterns; of what else changed the schema uses nothing.
  const { id, $schema: _, ...schema } = JSON.parse(text) as { readonly id?: string; readonly $schema?: string };
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: id === undefined });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

function oscalSchema(): string {
  const program = "import importlib.resources as r; print(r.files('oscal_validate').joinpath('vendor/oscal/complete_schema.json').read_text())";
  return python("-c", program);
}

function byLibrary(kind: "spdx" | "trestle" | "oscal-validate" | "statement"): Judge {
  return (path) => Promise.resolve((JSON.parse(python(join(import.meta.dirname, "judge.py"), kind, path)) as readonly (readonly string[])[]).flat());
}

function python(...words: readonly string[]): string {
  return execFileSync(join(lab, "python/bin/python"), words, { encoding: "utf8", maxBuffer: 1 << 26 });
}
