/** Writes docs/reference/spec.md from the schemas and docs/reference/issues.md from the issue codes and their reject cases. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALL_ISSUE_CODES } from "../src/cli/issue-codes.ts";
import { issuesAsText } from "../src/cli/report-issues.ts";
import { COMPUTED_DEFAULTS, PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "../src/spec/defaults.ts";
import type { Default } from "../src/spec/defaults.ts";
import { PARAMETER_VALIDATORS } from "../src/spec/platform-parameters.ts";
import { PLATFORMS_WITH_VARIABLES, variablesOf } from "../src/spec/property-schema.ts";
import type { Variable } from "../src/spec/property-schema.ts";
import { REJECT_CASES } from "../test/reject/cases.ts";
import type { RejectCase } from "../test/reject/cases.ts";
import { judge } from "../test/reject/judge.ts";

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly discriminator?: { readonly propertyName: string };
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly "x-unit"?: string;
  readonly "x-form"?: string;
}

const root = join(import.meta.dirname, "..");

const MADE = "<!-- Made by scripts/generate-spec-reference.ts; not for editing. -->\n";

export function specReference(): string {
  const documents = ["cloudlet", ...Object.keys(PARAMETER_VALIDATORS).sort().map((name) => `platform-${name}`), "release", "lock"].map((name) => {
    const schema = JSON.parse(readFileSync(join(root, "schemas", `${name}.schema.json`), "utf8")) as Schema;
    return [
      `## ${schema.title}\n\n${schema.description} Schema: \`schemas/${name}.schema.json\`.\n`,
      ...groups(schema, schema, name.startsWith("platform-") ? "platform.parameters" : ""),
    ].join("\n");
  });
  return [
    `# Documents: spec, release, lock\n\n${MADE}`,
    "Documents are YAML 1.2 or JSON, in UTF-8. Every key is known: a misspelt one is an issue, not a comment. Values without quotes that YAML 1.1 reads otherwise (`no`, `0644`, `12:30:45`, dates) are refused, and so are anchors, aliases, tags and merge keys. **M** marks what is mandatory.\n",
    ...documents,
    "## Variables\n\nWhat `environment` may hold, by platform, and which variables are secrets (declared under `secrets`, never given a value here). Access variables tell the CRM how to reach the IaaS's API; the controller holds them unless the spec gives any of them, and then the mandatory ones must be complete.\n",
    ...PLATFORMS_WITH_VARIABLES.map(variableTable),
    "## Defaults\n\nWhat is filled in where a document leaves it out. `origins.json` in a bundle names these as `default:NAME`.\n",
    defaultTable([
      ...SPEC_DEFAULTS,
      ...Object.values(PLATFORM_DEFAULTS)
        .flat()
        .map((each) => ({ ...each, pointer: `/platform/parameters${each.pointer}` })),
      ...RELEASE_DEFAULTS,
    ]),
  ].join("\n");
}

/** A table for each group of keys, the document's own first. */
function groups(schema: Schema, document: Schema, path: string): readonly string[] {
  const own = Object.entries(schema.properties ?? {});
  if (own.length === 0) return [];
  const rows = own.map(([key, field]) => row(key, resolved(field, document), schema.required?.includes(key) ?? false));
  const table = `${path === "" ? "" : `### ${path}\n\n${schema.description ?? ""}\n\n`}| key | | what | default | example |\n|---|---|---|---|---|\n${rows.join("")}`;
  const below = own.flatMap(([key, field]) =>
    parts(resolved(field, document), document, path === "" ? key : `${path}.${key}`),
  );
  return [table, ...below];
}

function parts(field: Schema, document: Schema, path: string): readonly string[] {
  if (field.items !== undefined) return parts(resolved(field.items, document), document, `${path}[]`);
  if (field.oneOf !== undefined) {
    const tag = field.discriminator?.propertyName ?? "";
    return field.oneOf.flatMap((branch) =>
      groups(branch, document, `${path} with ${tag} ${String(branch.properties?.[tag]?.const)}`),
    );
  }
  return groups(field, document, path);
}

function resolved(field: Schema, document: Schema): Schema {
  const name = field.$ref?.replace("#/$defs/", "");
  return name === undefined ? field : { ...document.$defs?.[name], ...field };
}

function row(key: string, field: Schema, mandatory: boolean): string {
  const filled = field.default === undefined ? "" : code(field.default);
  return `| \`${key}\` | ${mandatory ? "**M**" : ""} | ${cell(field.description ?? "")}${cell(limits(field))} | ${filled} | ${code(field.examples?.[0])} |\n`;
}

function limits(field: Schema): string {
  const said = [
    field.enum === undefined ? undefined : `One of ${field.enum.map(String).join(", ")}`,
    field["x-form"] === undefined ? undefined : `Form: ${field["x-form"]}`,
    field["x-unit"] === undefined ? undefined : `Unit: ${field["x-unit"]}`,
    field.minimum === undefined ? undefined : `${field.minimum} to ${field.maximum}`,
    field.type !== "array" ? undefined : `${field.minItems ?? 0} to ${field.maxItems} entries`,
  ];
  return said
    .filter((each) => each !== undefined)
    .map((each) => ` ${each}.`)
    .join("");
}

function code(value: unknown): string {
  return value === undefined ? "" : `\`${cell(JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function variableTable(platform: string): string {
  const rows = [...variablesOf(platform).values()].filter((each) => !each.internal).map(variableRow);
  return `### ${platform}\n\n| variable | | what | default |\n|---|---|---|---|\n${rows.join("")}`;
}

function variableRow(variable: Variable): string {
  const marks = [
    variable.mandatory ? "**M**" : "",
    variable.secret ? "secret" : "",
    variable.group === "access" ? "access" : "",
  ].filter((each) => each !== "");
  const { form } = variable;
  const values =
    form.kind === "choice"
      ? ` One of ${form.values.join(", ")}.`
      : form.kind === "integer"
        ? ` ${form.minimum} to ${form.maximum}.`
        : "";
  return `| \`${variable.name}\` | ${marks.join(", ")} | ${cell(variable.description)}${values === "" ? "" : `.${values}`} | ${variable.default === undefined ? "" : `\`${cell(variable.default)}\``} |\n`;
}

function defaultTable(defaults: readonly Default[]): string {
  const rows = defaults.map(
    (each) => `| ${each.name} | \`${each.pointer}\` | ${code(each.value)} | ${cell(each.reason)} |\n`,
  );
  const computed = Object.entries(COMPUTED_DEFAULTS).map(
    ([name, reason]) => `| ${name} | computed | | ${cell(reason)} |\n`,
  );
  return `| name | where | value | why |\n|---|---|---|---|\n${rows.join("")}${computed.join("")}`;
}

export function issueReference(): string {
  const stages = [...new Set(Object.keys(ALL_ISSUE_CODES).map((each) => each.split("/")[0] ?? ""))];
  return [
    `# Issues\n\n${MADE}`,
    "An issue is a mistake in a document: its code, what is wrong, where, and what to do. All mistakes are told at once, sorted by place. Errors end in exit status 1; warnings do not. Codes are never renamed. Each example below is what `cloudlet-bundle` says to one edit of a valid document, and a test.\n",
    ...stages.flatMap((stage) => [
      `## ${STAGES[stage] ?? stage}\n`,
      ...Object.entries(ALL_ISSUE_CODES)
        .filter(([each]) => each.startsWith(`${stage}/`))
        .map(([each, about]) => `### ${each}\n\n${about.meaning} ${about.remedy}\n${example(each)}`),
    ]),
  ].join("\n");
}

const STAGES: Readonly<Record<string, string>> = {
  yaml: "The text",
  document: "Every document",
  schema: "The form of a document",
  spec: "A cloudlet spec",
  release: "A release",
  lock: "A lock",
  import: "An import",
  resolve: "The inputs of a release",
  plan: "The plan",
  guest: "The guest",
  platform: "What a platform can't do",
  seal: "Keys",
  ovf: "An OVF package",
  part: "Parts of a bundle",
  delta: "Deltas",
  service: "The service",
};

/** What is said to the code's reject case; a code that needs more than a document has none. */
function example(name: string): string {
  const found = REJECT_CASES.find((each) => each.code === name);
  if (found === undefined) return "";
  const { text, issues } = judge(found);
  const file = `${found.document === "import" ? "cloudlet" : found.document}.yaml`;
  return `\n\`\`\`\n${issuesAsText({ name: file, text: shortened(found, text), issues })}\`\`\`\n`;
}

/** A document that is too long is not shown. */
function shortened(found: RejectCase, text: string): string {
  return found.code === "yaml/too-long" ? "" : text;
}

if (import.meta.main) {
  writeFileSync(join(root, "docs/reference/spec.md"), specReference());
  writeFileSync(join(root, "docs/reference/issues.md"), issueReference());
}
