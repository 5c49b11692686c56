/** The first rung: is this a bundle at all? Nothing is used of one that is not. */

import { byPlace, isBlobPath, manifestPath, pathProblem, publicKeyPath, signaturePath, signaturesPath, sumsPath, trustFolder } from "../pack/layout.ts";
import { bundleEntries, manifestBytes, policyBytes, publicKeyBytes, signatureBytes, sumsBytes } from "../pack/limits.ts";
import { blockSize, endSize, paddingOf, readHeader } from "../pack/tar.ts";
import type { ArchiveSource, BundleSource, FolderSource, Found } from "./bundle-source.ts";
import { refusal } from "./verdict.ts";
import type { VerifyIssue } from "./verdict.ts";

export interface Form {
  /** By path. */
  readonly files: ReadonlyMap<string, Found>;
  /** Folders that lie there as such. */
  readonly folders: readonly string[];
  readonly issues: readonly VerifyIssue[];
}

/** All files of the bundle, with what is wrong with its outer form; `small`: of a tar only what comes before the first blob. */
export async function formOf(source: BundleSource, reach: "all" | "small" = "all"): Promise<Form> {
  const form = source.kind === "archive" ? await archiveForm(source, reach) : folderForm(source);
  return form.issues.length > 0 ? form : { ...form, issues: tooBig(form.files) };
}

/** Most bytes of the files that verifying reads into memory. */
const sizeLimits: Readonly<Record<string, number>> = {
  [manifestPath]: manifestBytes,
  [sumsPath]: sumsBytes,
  [signaturePath]: signatureBytes,
  [publicKeyPath]: publicKeyBytes,
  [signaturesPath]: policyBytes,
};

function tooBig(files: ReadonlyMap<string, Found>): readonly VerifyIssue[] {
  return [...files.values()].flatMap(({ path, size }) => {
    const limit = path.startsWith(trustFolder) ? policyBytes : (sizeLimits[path] ?? size);
    return size > limit ? [refusal("verify/too-big", `${path} has more than ${limit} bytes`)] : [];
  });
}

/** Goes from header to header and stops at the first that is wrong: behind it nothing can be made out. */
async function archiveForm(source: ArchiveSource, reach: "all" | "small"): Promise<Form> {
  const files = new Map<string, Found>();
  const stop = (issue: VerifyIssue): Form => ({ files, folders: [], issues: [issue] });
  let before: string | undefined;
  for (let offset = 0; ; ) {
    if (offset + blockSize > source.size) return stop(refusal("verify/archive-size", `the archive ends early, after ${source.size} bytes`));
    const reading = readHeader(await source.read({ file: "", start: offset, end: offset + blockSize }));
    if (reading.kind === "end") return { files, folders: [], issues: await endIssues(source, offset) };
    if (reading.kind === "wrong") return stop(refusal(`verify/archive-${reading.problem}`, reading.message));
    const { path, size, mode, mtime } = reading.entry;
    const problem = pathProblem(path);
    if (problem !== undefined) return stop(refusal("verify/path", `a name is ${problem}: ${JSON.stringify(path)}`));
    if (before !== undefined && byPlace(before, path) >= 0) return stop(refusal("verify/archive-order", `${path} stands out of its place, or twice`));
    if (isBlobPath(path) && (before === undefined || !isBlobPath(before))) source.smallEnd?.(offset);
    if (reach === "small" && isBlobPath(path)) return { files, folders: [], issues: [] };
    if (files.size === bundleEntries) return stop(refusal("verify/too-many", `there are more than ${bundleEntries} entries`));
    const start = offset + blockSize;
    offset = start + size + paddingOf(size);
    if (offset > source.size) return stop(refusal("verify/archive-size", `the archive ends early, in ${path}`));
    const padding = await source.read({ file: "", start: start + size, end: offset });
    if (!isZeros(padding)) return stop(refusal("verify/archive-padding", `there are bytes between ${path} and the next entry`));
    files.set(path, { path, mode, size, mtime, place: { file: "", start, end: start + size } });
    before = path;
  }
}

async function endIssues(source: ArchiveSource, offset: number): Promise<readonly VerifyIssue[]> {
  const left = source.size - offset;
  if (left < endSize) return [refusal("verify/archive-size", "the archive ends early, in its last block")];
  // A pipe's size is not known before its end.
  if (left > endSize) return [refusal("verify/archive-size", `${left === Infinity ? "bytes" : `${left - endSize} bytes`} follow the end of the archive`)];
  const end = await source.read({ file: "", start: offset, end: source.size });
  return isZeros(end) ? [] : [refusal("verify/archive-padding", "the archive's last block is not zeros")];
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function folderForm({ entries }: FolderSource): Form {
  const issues: VerifyIssue[] = [];
  const sorted = [...entries].sort((a, b) => byPlace(a.path, b.path));
  for (const { path, type } of sorted) {
    if (pathProblem(path) !== undefined) issues.push(refusal("verify/path", `a name is ${pathProblem(path)}: ${JSON.stringify(path)}`));
    else if (type === "other") issues.push(refusal("verify/not-a-file", `${path} is neither a regular file nor a folder`));
  }
  const files = sorted.filter((entry) => entry.type === "file");
  if (files.length > bundleEntries) issues.push(refusal("verify/too-many", `there are more than ${bundleEntries} files`));
  return {
    files: new Map(
      files.map(({ path, mode, size }) => [path, { path, mode, size, mtime: undefined, place: { file: path, start: 0, end: size } }]),
    ),
    folders: sorted.filter((entry) => entry.type === "folder").map((entry) => entry.path),
    issues,
  };
}
