/** `explain`: where every value on a line of a bundle comes from, and which lines a field of the spec caused. */

import type { Command } from "commander";
import type { Outcome } from "../core/issue.ts";
import type { Json } from "../core/json.ts";
import { explainField, explainFile, explainOrigins, linesOf, readPointer } from "../evidence/explain.ts";
import type { FieldExplained, SpecFile } from "../evidence/explain.ts";
import { lineAsJson, originAsJson } from "../evidence/explain-json.ts";
import type { BundleRecord } from "../evidence/record.ts";
import { remake, templateLinesOf } from "../evidence/trace.ts";
import { isBlobPath } from "../pack/layout.ts";
import { platforms } from "../platforms/registry.ts";
import { textIn, type Contents } from "../seal/contents.ts";
import { readSpec } from "../spec/read-spec.ts";
import { bundleArgument, openContents, recordIn, refuse } from "./bundle-argument.ts";
import { load } from "./documents.ts";
import { assetsOf } from "../store/package-folder.ts";
import { fieldAsText, linesAsText, type CausedText } from "./explain-text.ts";
import type { ExitStatus, Io } from "./io.ts";
import { hasErrors, showAside } from "./show-report.ts";

interface Options {
  readonly spec?: string;
  readonly specFile?: string;
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Say where every value on a line of a bundle comes from: a field of the spec with its line, the release, the lock, a default with its reason, or the template. The other way round, --spec says which lines a field caused. Reads the bundle's own record and works without the blobs; whether the bundle is what its signer made, verify says.",
    )
    .argument("<bundle>", bundleArgument)
    .argument("[file:line]", "a file of the bundle, and a line of it; without a line, every line that a value caused")
    .option("--spec <pointer>", "a field of the spec, such as /networks/dns/0 or firewall/ingress: which lines did it cause?")
    .option("--spec-file <file>", "the spec as its author has it: origins are shown at its lines as well")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle explain berlin-1.cloudlet.tar site.env:3
  cloudlet-bundle explain berlin-1.cloudlet.tar site/user-data --spec-file berlin-1.yaml
  cloudlet-bundle explain bundle/ --spec /firewall/ingress/0

Exit status: 0 explained, 1 the bundle or the spec file can't be read as one, 2 usage, 3 it can't be read.`,
    )
    .action(async (bundle: string, place: string | undefined, options: Options) => done(await explain(bundle, place, options, io)));
}

async function explain(bundle: string, place: string | undefined, options: Options, io: Io): Promise<ExitStatus> {
  if ((place === undefined) === (options.spec === undefined)) return usage(io, "takes either a file of the bundle or --spec POINTER");
  const pointer = options.spec === undefined ? undefined : readPointer(options.spec);
  if (options.spec !== undefined && pointer === undefined) return usage(io, `${options.spec} is no JSON pointer: after ~ comes 0 or 1`);
  const contents = await openContents(io, bundle);
  const record = contents === undefined ? undefined : await recordIn(io, bundle, contents);
  if (contents === undefined || record === undefined) return 1;
  const specFile = await specFileOf(io, options.specFile, record);
  if (specFile === "refused") return 1;
  const reading: Reading = { io, bundle, contents, record, specFile, json: options.json === true };
  return pointer === undefined ? explainPlace(reading, place ?? "") : explainPointer(reading, pointer);
}

interface Reading {
  readonly io: Io;
  /** As the user named it. */
  readonly bundle: string;
  readonly contents: Contents;
  readonly record: BundleRecord;
  readonly specFile: SpecFile | undefined;
  readonly json: boolean;
}

function usage(io: Io, message: string): ExitStatus {
  io.err(`cloudlet-bundle explain: ${message}\n`);
  return 2;
}

async function explainPlace(reading: Reading, place: string): Promise<ExitStatus> {
  const { io, contents, record, specFile } = reading;
  const [, path = "", number] = /^(.*?)(?::(\d+))?$/s.exec(place) ?? [];
  const only = number === undefined ? undefined : Number(number);
  if (!contents.found.has(path)) return usage(io, `there is no ${path} in the bundle (cloudlet-bundle inspect lists its files)`);
  if (isBlobPath(path)) return explainBlob(reading, path);
  const text = await textOf(reading, path);
  if (text === undefined) return 1;
  const count = linesOf(text).length;
  if (only !== undefined && (only < 1 || only > count)) return usage(io, `${path} has ${count} lines, no line ${only}`);
  const made = remake(record, assetsOf(io.packageFolder));
  const source = contents.listed.get(path)?.origin ?? made.get(path)?.source;
  const file = { path, text, source, templateLines: templateLinesOf(made, path, text) };
  const lines = explainFile(record, file, explainOrigins(record, specFile), only);
  if (reading.json) show(io, { file: path, source: source ?? null, lines: lines.map(lineAsJson) });
  else io.out(linesAsText(lines, { source, whole: only === undefined }));
  return 0;
}

/** No text: the manifest says where it comes from, and the lock what it is. */
function explainBlob({ io, contents, json }: Reading, path: string): ExitStatus {
  const source = contents.listed.get(path)?.origin;
  if (json) show(io, { file: path, source: source ?? null, lines: [] });
  else io.out(`${path}: no text; it comes from ${source ?? "an unknown place"}, and evidence/lock.json has its digest\n`);
  return 0;
}

async function explainPointer(reading: Reading, pointer: string): Promise<ExitStatus> {
  const { io, record, specFile } = reading;
  const field = explainField(record, pointer);
  if (field.value === undefined && field.origins.length === 0) return usage(io, `the spec has no ${pointer}, and no default stands in for it`);
  const lines = await linesOfField(reading, field);
  if (lines === undefined) return 1;
  const explained = explainOrigins(record, specFile);
  const origins = field.origins.map(explained);
  if (reading.json) {
    show(io, { pointer, value: field.value ?? null, origins: origins.map(originAsJson), lines: lines.map((line) => ({ ...line })) });
  } else {
    io.out(fieldAsText(field, origins, lines));
  }
  return 0;
}

/** The texts of the lines; undefined where a file is not what the manifest lists, which has been said. */
async function linesOfField(reading: Reading, field: FieldExplained): Promise<readonly CausedText[] | undefined> {
  const texts = new Map<string, readonly string[]>();
  for (const file of new Set(field.lines.map((each) => each.file))) {
    const text = await textOf(reading, file);
    if (text === undefined) return undefined;
    texts.set(file, linesOf(text));
  }
  return field.lines.map((each) => ({ ...each, text: texts.get(each.file)?.[each.line - 1] ?? "" }));
}

async function textOf({ io, bundle, contents }: Reading, path: string): Promise<string | undefined> {
  const text: Outcome<string> = await textIn(contents, path);
  if (text.ok) return text.value;
  refuse(io, bundle, text.issues);
  return undefined;
}

/** Its text, where it is the spec of the bundle; a spec of other content would show wrong lines. */
async function specFileOf(io: Io, path: string | undefined, record: BundleRecord): Promise<SpecFile | undefined | "refused"> {
  if (path === undefined) return undefined;
  const read = (text: string): ReturnType<typeof readSpec> => readSpec(text, { platforms: platforms.map((platform) => platform.name) });
  const { value, report } = await load(io, path, read);
  const own = read(record.documents.spec.text);
  const issues =
    value !== undefined && own.ok && own.value.digest !== value.digest
      ? [...report.issues, { code: "evidence/other-spec", severity: "error", pointer: "", message: "the bundle was made of another spec", hint: "give the file as it was then, or leave --spec-file out" } as const]
      : report.issues;
  showAside(io, [{ ...report, issues }]);
  if (value === undefined || hasErrors([{ ...report, issues }])) return "refused";
  return { name: path, text: report.text ?? "" };
}

function show(io: Io, value: Json): void {
  io.out(`${JSON.stringify(value, null, 2)}\n`);
}
