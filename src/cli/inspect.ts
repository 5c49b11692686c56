/** `inspect`: what is in a bundle; one file of it; or files taken out of it. Reads headers and what is asked for, no more. */

import type { Command } from "commander";
import { createHash } from "node:crypto";
import type { Json } from "../core/json.ts";
import { isBlobPath, sealPaths } from "../pack/layout.ts";
import type { Found } from "../seal/bundle-source.ts";
import { piecesIn, type Contents } from "../seal/contents.ts";
import type { Fingerprint } from "../seal/keys.ts";
import { signersIn } from "../seal/signers-in.ts";
import { printable } from "../spec/show.ts";
import { bundleArgument, openContents } from "./bundle-argument.ts";
import { absolute } from "./documents.ts";
import { extract } from "./extract.ts";
import type { ExitStatus, Io } from "./io.ts";

interface Options {
  readonly extract?: string;
  readonly blobs?: true;
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Show what a bundle is and every file in it with mode, size and role; with a path, print that file; with --extract, write files into a folder and nowhere else. Reads headers and what is asked for, so it is quick on any size. It does not verify: that is verify's.",
    )
    .argument("<bundle>", bundleArgument)
    .argument("[path]", "one file of the bundle: its bytes go to standard output, or below --extract")
    .option("--extract <folder>", "write the small files, or the one at [path], below this folder; a file that is there is not replaced")
    .option("--blobs", "with --extract: the VM image and the payload as well")
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle inspect berlin-1.cloudlet.tar
  cloudlet-bundle inspect berlin-1.cloudlet.tar site/user-data
  cloudlet-bundle inspect https://files.example.net/berlin-1.cloudlet.tar evidence/spec.json
  cloudlet-bundle inspect berlin-1.cloudlet.tar --extract look

Exit status: 0 done, 1 it is no bundle, 2 usage, 3 it can't be read or written.`,
    )
    .action(async (bundle: string, path: string | undefined, options: Options) => done(await inspect(bundle, path, options, io)));
}

async function inspect(bundle: string, path: string | undefined, options: Options, io: Io): Promise<ExitStatus> {
  if (options.json && (path !== undefined || options.extract !== undefined)) return usage(io, "--json goes with the list of files alone");
  if (options.blobs && options.extract === undefined) return usage(io, "--blobs goes with --extract");
  const wantsBlobs = path === undefined ? options.extract === undefined || options.blobs === true : isBlobPath(path);
  const contents = await openContents(io, bundle, wantsBlobs ? "all" : "small");
  if (contents === undefined) return 1;
  const wanted = path === undefined ? undefined : contents.files.find((file) => file.path === path);
  if (path !== undefined && wanted === undefined) return usage(io, `there is no ${path} in the bundle`);
  if (options.extract !== undefined) {
    const files = wanted !== undefined ? [wanted] : contents.files.filter((file) => options.blobs === true || !isBlobPath(file.path));
    await extract(io, contents, files, absolute(io, options.extract));
    io.out(`wrote ${files.length} ${files.length === 1 ? "file" : "files"} to ${options.extract}\n`);
    return 0;
  }
  if (wanted !== undefined) return print(io, contents, wanted);
  const about = await aboutOf(contents);
  if (options.json) io.out(`${JSON.stringify(asJson(contents, about), null, 2)}\n`);
  else io.out(asText(contents, about));
  return 0;
}

function usage(io: Io, message: string): ExitStatus {
  io.err(`cloudlet-bundle inspect: ${message}\n`);
  return 2;
}

/** The bytes as they are, but for a terminal, which would act on some of them; says so where they are not those that the manifest lists. */
async function print(io: Io, contents: Contents, file: Found): Promise<ExitStatus> {
  const hash = createHash("sha256");
  const decoder = new TextDecoder();
  for await (const piece of piecesIn(contents, file)) {
    io.signal.throwIfAborted();
    hash.update(piece);
    if (io.stdoutIsTerminal) io.out(forTerminal(decoder.decode(piece, { stream: true })));
    else await io.outBytes(piece);
  }
  const listed = contents.listed.get(file.path);
  if (listed === undefined || listed.sha256 === hash.digest("hex")) return 0;
  io.err(`${file.path} is not the file that the bundle's manifest lists\n`);
  return 1;
}

/** Lines and tabs, and everything else as it may be shown. */
function forTerminal(text: string): string {
  return text.split(/([\n\t])/).map((part, index) => (index % 2 === 1 ? part : printable(part))).join("");
}

interface About {
  /** Of the keys that signed, as the bundle says: it proves nothing. */
  readonly fingerprints: readonly Fingerprint[];
}

async function aboutOf(contents: Contents): Promise<About> {
  return { fingerprints: await signersIn(contents) };
}

const notVerified = "not verified: cloudlet-bundle verify says whether it is what its signer made";

function asText({ files, manifest, listed }: Contents, { fingerprints }: About): string {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const rows: readonly (readonly [string, string])[] = [
    ...(manifest === undefined
      ? [["manifest", "none: these are files alone, not a whole bundle"] as const]
      : [
          ["cloudlet", `${manifest.cloudlet.name} of ${manifest.cloudlet.organization}, region ${manifest.cloudlet.region}`] as const,
          ["platform", manifest.platform] as const,
          ["release", `${manifest.release.name}, sequence ${manifest.release.sequence}, ${manifest.release.created}`] as const,
          ["made by", `${manifest.generator.name} ${manifest.generator.version}`] as const,
        ]),
    ...(fingerprints.length === 0 ? [["key", "none"] as const] : fingerprints.map((each) => ["key", `${each} lies in the bundle; compare it with what its signer told you`] as const)),
    ["verdict", notVerified],
    ["files", `${files.length}, ${size} bytes`],
  ];
  const lines = files.map(({ path, mode, size: bytes }) => `${mode.toString(8).padStart(4, "0")}  ${String(bytes).padStart(13)}  ${roleOf(path, listed).padEnd(8)}  ${path}\n`);
  const gone = missing(files, listed).map((path) => `      ${"absent".padStart(13)}  ${(listed.get(path)?.role ?? "").padEnd(8)}  ${path}\n`);
  return `${rows.map(([name, value]) => `${name.padEnd(9)} ${printable(value)}\n`).join("")}\n${lines.join("")}${gone.join("")}`;
}

/** The seal's own files are in no manifest; any other that is not has no business there. */
function roleOf(path: string, listed: Contents["listed"]): string {
  return listed.get(path)?.role ?? (sealPaths.includes(path) ? "seal" : "unlisted");
}

/** What the manifest lists and is not there: blobs that did not come along, or something that was taken out. */
function missing(files: readonly Found[], listed: Contents["listed"]): readonly string[] {
  const there = new Set(files.map((file) => file.path));
  return [...listed.keys()].filter((path) => !there.has(path));
}

function asJson({ files, manifest, listed }: Contents, { fingerprints }: About): Json {
  const about = manifest === undefined ? null : { cloudlet: { ...manifest.cloudlet }, platform: manifest.platform, release: { ...manifest.release }, generator: { ...manifest.generator }, spec: { ...manifest.spec }, lock: { ...manifest.lock } };
  return {
    about,
    fingerprint: fingerprints[0] ?? null,
    fingerprints: [...fingerprints],
    verified: false,
    files: files.map(({ path, mode, size }) => {
      const line = listed.get(path);
      return { path, mode: mode.toString(8).padStart(4, "0"), size, role: roleOf(path, listed), origin: line?.origin ?? null, sha256: line?.sha256 ?? null };
    }),
    absent: [...missing(files, listed)],
  };
}

