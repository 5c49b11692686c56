/** `report`: the report of a bundle made anew, as one HTML page or as data, and whether it is the one that lies in the bundle. */

import type { Command } from "commander";
import { createHash } from "node:crypto";
import type { Issue } from "../core/issue.ts";
import { auditAsSarif } from "../evidence/audit/sarif.ts";
import { auditAsOscal } from "../evidence/oscal.ts";
import { chunksOf, type Bytes } from "../evidence/report/known-texts.ts";
import { reportTexts } from "../evidence/report/report-files.ts";
import { reportHtmlPath, reportJsonPath } from "../pack/layout.ts";
import { digestIn, type Contents } from "../seal/contents.ts";
import { bundleArgument, refuse } from "./bundle-argument.ts";
import { absolute } from "./documents.ts";
import { releaseOptions, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { judge, type Judged } from "./judged.ts";
import { version } from "./version.ts";
import { tellExpired } from "./waivers.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options extends ReleaseOptions {
  readonly format: string;
  readonly out?: string;
  readonly quiet?: true;
}

/** What each form is made of. */
const formats: Readonly<Record<string, (made: Made) => readonly Uint8Array[]>> = {
  html: ({ texts }) => texts.get(reportHtmlPath) ?? [],
  json: ({ texts }) => texts.get(reportJsonPath) ?? [],
  sarif: ({ judged: { input, results }, about }) => [Buffer.from(auditAsSarif(input, results, about))],
  oscal: ({ judged: { input, results }, about }) => [Buffer.from(auditAsOscal(input, results, about))],
};

interface Made {
  readonly judged: Judged;
  /** Of the two files of the bundle, made anew, the one that is asked for. */
  readonly texts: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly about: { readonly name: string; readonly version: string };
}

/** A file of the bundle that was made anew: its digest, and its bytes where they are asked for, as there are many. */
interface Anew {
  readonly path: string;
  readonly sha256: string;
  readonly chunks: readonly Uint8Array[];
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  const names = Object.keys(formats).join(", ");
  releaseOptions(command.argument("<bundle|spec>", `${bundleArgument}; or a spec (.yaml, .yml, .json), with its release`))
    .description(
      "Write the report of a bundle, or of what a spec would become: what it is, what is not met and what was let pass, who may reach what, resources, software, keys, and every file line by line with its origins. It is made anew, also without the blobs, and must be the one in the bundle, to the byte; whether the files are what their signer made, verify says.",
    )
    .option("--format <form>", `one of ${names}: a page that needs neither network nor script, the same as JSON, the findings as SARIF 2.1.0 or as OSCAL 1.1.3`, "html")
    .option("--out <file>", "where it goes; standard output when left out")
    .option("--quiet", "no progress, and no word where all is well")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle report berlin-1.cloudlet.tar --out berlin-1.report.html
  cloudlet-bundle report bundle/ --format json > report.json
  cloudlet-bundle report berlin-1.yaml --release release.yaml --out before-the-build.html

Exit status: 0 written, 1 it can't be judged, or the report in the bundle is another one (then nothing is written), 2 usage, 3 it can't be read or written.`,
    )
    .action(async (what: string, options: Options) => done(await report(what, options, io)));
}

async function report(what: string, options: Options, io: Io): Promise<ExitStatus> {
  const format = Object.hasOwn(formats, options.format) ? formats[options.format] : undefined;
  if (format === undefined) return usage(io, `there is no form ${options.format}; there are ${Object.keys(formats).join(", ")}`);
  if (options.format === "html" && options.out === undefined && io.stdoutIsTerminal) return usage(io, "a terminal shows no page: name a file (--out report.html) or send it to one (> report.html)");
  const judged = await judge(io, what, options);
  if (judged === undefined) return 1;
  const wanted = { html: reportHtmlPath, json: reportJsonPath }[options.format];
  const anew = Object.entries(reportTexts(judged.input, judged.results)).map(([path, make]) => made(path, make(), path === wanted));
  if (judged.contents !== undefined && !(await isTheirs(io, what, judged.contents, anew, options))) return 1;
  const texts = new Map(anew.map(({ path, chunks }) => [path, chunks]));
  const chunks = format({ judged, texts, about: { name: "cloudlet-bundle", version: version(io) } });
  if (options.out === undefined) for (const chunk of chunks) await io.outBytes(chunk);
  else await writeTextAside(absolute(io, options.out), chunks);
  tellExpired(io, judged.results);
  return 0;
}

function made(path: string, pieces: Bytes, isWanted: boolean): Anew {
  const hash = createHash("sha256");
  const chunks: Uint8Array[] = [];
  for (const chunk of chunksOf(pieces)) {
    hash.update(chunk);
    if (isWanted) chunks.push(chunk);
  }
  return { path, sha256: hash.digest("hex"), chunks };
}

function usage(io: Io, message: string): ExitStatus {
  io.err(`cloudlet-bundle report: ${message}\n`);
  return 2;
}

/** Whether the reports in the bundle are the ones made anew, or another version made them: then nobody can say. */
async function isTheirs(io: Io, name: string, contents: Contents, anew: readonly Anew[], { quiet }: Options): Promise<boolean> {
  const different: string[] = [];
  for (const { path, sha256 } of anew) {
    const told = await digestIn(contents, path);
    if (!told.ok || told.value !== sha256) different.push(path);
  }
  if (different.length === 0) {
    if (quiet !== true) io.err(`${anew.map(({ path }) => path).join(" and ")} in the bundle are the same, to the byte\n`);
    return true;
  }
  const made = contents.manifest?.generator.version;
  if (made !== undefined && made !== version(io)) {
    io.err(`warning: version ${made} made the bundle, and its report differs; this is what version ${version(io)} finds in it\n`);
    return true;
  }
  const hint = "Ask `cloudlet-bundle verify` whether the bundle is what its signer made; `cloudlet-bundle audit` shows what is found in it now.";
  refuse(io, name, different.map((path): Issue => ({ code: "evidence/report-differs", severity: "error", pointer: "", message: `${path} in the bundle is not what its files make`, hint })));
  return false;
}
