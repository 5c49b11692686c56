/** One side of `diff`: a bundle as it was read, or what a spec would become; and what the two can be compared by. */

import { createHash } from "node:crypto";
import type { File } from "../core/file.ts";
import type { DiffFile, DiffSide } from "../evidence/diff.ts";
import { isDerived } from "../evidence/diff-files.ts";
import { readRecord, recordPaths } from "../evidence/record.ts";
import { isMadeText, remake } from "../evidence/trace.ts";
import { isBlobPath, ovfCertificatePath, sealPaths, trustFolder } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { digestIn, textIn, type Contents } from "../seal/contents.ts";
import { signersIn } from "../seal/signers-in.ts";
import { openContents, recordIn, refuse } from "./bundle-argument.ts";
import { bytesOf } from "../store/draw.ts";
import { assetsOf } from "../store/package-folder.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { hasErrors, showAside } from "./show-report.ts";

export interface LoadedSide extends DiffSide {
  /** False for small files without a manifest: nobody says what the blobs are, nor who made it. */
  readonly isWhole: boolean;
  /** False for a spec: signatures and trust policies come with the build. */
  readonly isBuilt: boolean;
  /** A text that was left out, as what is made of everything else is; undefined where it can't be read any more. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** Undefined where it can't be read as what it is, which has been said. */
export async function bundleSide(io: Io, name: string): Promise<LoadedSide | undefined> {
  const contents = await openContents(io, name);
  const record = contents === undefined ? undefined : await recordIn(io, name, contents);
  if (contents === undefined || record === undefined) return undefined;
  const made = remake(record, assetsOf(io.packageFolder));
  const files = await filesOf(io, name, contents, made);
  if (files === undefined) return undefined;
  const { manifest } = contents;
  return {
    record,
    files,
    isMade: (path) => isMadeText(made, path, files.get(path)?.text),
    fingerprint: (await signersIn(contents)).join(" ") || undefined,
    generator: manifest === undefined ? undefined : `${manifest.generator.name} ${manifest.generator.version}`,
    isWhole: manifest !== undefined,
    isBuilt: true,
    read: async (path) => {
      const text = await textIn(contents, path);
      return text.ok ? text.value : undefined;
    },
  };
}

async function filesOf(io: Io, name: string, contents: Contents, made: ReadonlyMap<string, File>): Promise<ReadonlyMap<string, DiffFile> | undefined> {
  const files = new Map<string, DiffFile>();
  const modes = new Map(contents.files.map(({ path, mode }) => [path, modeText(mode)]));
  for (const path of new Set([...contents.listed.keys(), ...modes.keys()])) {
    const line = contents.listed.get(path);
    if (sealPaths.includes(path)) continue;
    if (isBlobPath(path)) {
      if (line !== undefined) files.set(path, { mode: line.mode, role: line.role, source: line.origin, sha256: line.sha256, text: undefined });
      continue;
    }
    // Without a manifest, what this build would make of the record tells what each file is for.
    const role = line?.role ?? made.get(path)?.role ?? "site";
    const read = await (isDerived(path, { role }) ? digestIn(contents, path) : textIn(contents, path));
    if (!read.ok) {
      refuse(io, name, read.issues);
      return undefined;
    }
    const text = isDerived(path, { role }) ? undefined : read.value;
    const sha256 = line?.sha256 ?? (text === undefined ? read.value : createHash("sha256").update(text).digest("hex"));
    files.set(path, { mode: line?.mode ?? modes.get(path) ?? "0644", role, source: line?.origin ?? made.get(path)?.source, sha256, text });
  }
  return files;
}

function modeText(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** The blobs need not be there: a lock that is made says what they are. */
export async function specSide(io: Io, path: string, options: ReleaseOptions & { readonly quiet?: true }): Promise<LoadedSide | undefined> {
  const loaded = await loadSpec(io, path);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(loaded), blobs: "as-locked" });
  const { drawn, reports } = inputs.resolved === undefined ? { drawn: undefined, reports: [] } : drawBundle(io, loaded, inputs.resolved);
  // What a bundle was warned of when it was built is not asked here.
  showAside(io, [...inputs.reports, ...reports].filter((report) => hasErrors([report])));
  if (drawn === undefined) return undefined;
  const { files, about } = drawn.tree;
  const text = (wanted: string): string => new TextDecoder().decode(bytesOf(drawn.tree, wanted));
  const record = readRecord({ spec: text(recordPaths.spec), release: text(recordPaths.release), lock: text(recordPaths.lock), origins: text(recordPaths.origins) });
  if (!record.ok) throw new Error(`the record just made is not well formed: ${JSON.stringify(record.issues)}`);
  return {
    record: record.value,
    files: new Map(files.map((file): [string, DiffFile] => [file.path, asDiffFile(file)])),
    isMade: () => true,
    specFile: { name: path, text: loaded.report.text ?? "" },
    fingerprint: undefined,
    generator: `${about.generator.name} ${about.generator.version}`,
    isWhole: true,
    isBuilt: false,
    read: async (path) => text(path),
  };
}

function asDiffFile({ mode, role, source, path, body }: File): DiffFile {
  const text = body.kind === "bytes" && !isBlobPath(path) && !isDerived(path, { role }) ? new TextDecoder().decode(body.bytes) : undefined;
  return { mode: modeText(mode), role, source, sha256: bodySha256(body), text };
}

/** The same side with these texts. */
export async function withTexts(side: DiffSide, { read }: LoadedSide, paths: readonly string[]): Promise<DiffSide> {
  const files = new Map(side.files);
  for (const path of paths) {
    const file = files.get(path);
    if (file !== undefined) files.set(path, { ...file, text: await read(path) });
  }
  return { ...side, files };
}

/** Both without what only one of them can say. */
export function inCommon(a: LoadedSide, b: LoadedSide): readonly [DiffSide, DiffSide] {
  const [isWhole, isBuilt] = [a.isWhole && b.isWhole, a.isBuilt && b.isBuilt];
  // Trust policies come with the build, and what is made of all files tells of them.
  const comesWithBuild = (path: string, { role }: DiffFile): boolean => path.startsWith(trustFolder) || path === ovfCertificatePath || (role === "evidence" && !Object.values(recordPaths).includes(path));
  const kept = (side: LoadedSide): DiffSide => ({
    ...side,
    files: new Map([...side.files].filter(([path, file]) => (isWhole || !isBlobPath(path)) && (isBuilt || !comesWithBuild(path, file)))),
    generator: isWhole ? side.generator : undefined,
    fingerprint: isBuilt ? side.fingerprint : undefined,
  });
  return [kept(a), kept(b)];
}
