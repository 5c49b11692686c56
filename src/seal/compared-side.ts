/** A bundle as one side of a comparison, and what two sides can be compared by. */

import { createHash } from "node:crypto";
import type { File } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { differences, inDoubt, type DiffFile, type Difference, type DiffSide } from "../evidence/diff.ts";
import { isDerived } from "../evidence/diff-files.ts";
import { recordPaths, type BundleRecord } from "../evidence/record.ts";
import { isMadeText } from "../evidence/trace.ts";
import { isBlobPath, ovfCertificatePath, sealPaths, trustFolder } from "../pack/layout.ts";
import { digestIn, textIn, type Contents } from "./contents.ts";
import { signersIn } from "./signers-in.ts";

export interface ComparedSide extends DiffSide {
  /** False for small files without a manifest: nobody says what the blobs are, nor who made it. */
  readonly isWhole: boolean;
  /** False for a spec: signatures and trust policies come with the build. */
  readonly isBuilt: boolean;
  /** A text that was left out, as what is made of everything else is; undefined where it can't be read any more. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** What changed, and the two sides as they were compared. */
export interface Compared {
  readonly a: DiffSide;
  readonly b: DiffSide;
  readonly found: readonly Difference[];
}

/** What is made of everything else differs where anything does; its text is read where nothing else does. */
export async function compareSides(before: ComparedSide, after: ComparedSide): Promise<Compared> {
  const [a, b] = inCommon(before, after);
  const found = differences(a, b);
  const paths = inDoubt(a, b, found);
  if (paths.length === 0) return { a, b, found };
  const [x, y] = [await withTexts(a, before, paths), await withTexts(b, after, paths)];
  return { a: x, b: y, found: differences(x, y) };
}

/** `made`: what this build makes of the record. Issues: of files that are not what the manifest lists. */
export async function comparedSide(contents: Contents, record: BundleRecord, made: ReadonlyMap<string, File>): Promise<Outcome<ComparedSide>> {
  const read = await filesOf(contents, made);
  if (!read.ok) return read;
  const files = read.value;
  const { manifest } = contents;
  const value: ComparedSide = {
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
  return { ok: true, value, issues: [] };
}

async function filesOf(contents: Contents, made: ReadonlyMap<string, File>): Promise<Outcome<ReadonlyMap<string, DiffFile>>> {
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
    if (!read.ok) return read;
    const text = isDerived(path, { role }) ? undefined : read.value;
    const sha256 = line?.sha256 ?? (text === undefined ? read.value : createHash("sha256").update(text).digest("hex"));
    files.set(path, { mode: line?.mode ?? modes.get(path) ?? "0644", role, source: line?.origin ?? made.get(path)?.source, sha256, text });
  }
  return { ok: true, value: files, issues: [] };
}

export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** The same side with these texts. */
async function withTexts(side: DiffSide, { read }: ComparedSide, paths: readonly string[]): Promise<DiffSide> {
  const files = new Map(side.files);
  for (const path of paths) {
    const file = files.get(path);
    if (file !== undefined) files.set(path, { ...file, text: await read(path) });
  }
  return { ...side, files };
}

/** Both without what only one of them can say. */
function inCommon(a: ComparedSide, b: ComparedSide): readonly [DiffSide, DiffSide] {
  const [isWhole, isBuilt] = [a.isWhole && b.isWhole, a.isBuilt && b.isBuilt];
  // Trust policies come with the build, and what is made of all files tells of them.
  const comesWithBuild = (path: string, { role }: DiffFile): boolean => path.startsWith(trustFolder) || path === ovfCertificatePath || (role === "evidence" && !Object.values(recordPaths).includes(path));
  const kept = (side: ComparedSide): DiffSide => ({
    ...side,
    files: new Map([...side.files].filter(([path, file]) => (isWhole || !isBlobPath(path)) && (isBuilt || !comesWithBuild(path, file)))),
    generator: isWhole ? side.generator : undefined,
    fingerprint: isBuilt ? side.fingerprint : undefined,
  });
  return [kept(a), kept(b)];
}
