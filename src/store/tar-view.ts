/** A bundle as one tar, wherever its bytes lie: in that tar, in the folder it was unpacked into, in parts, or in a blob store. */

import { join } from "node:path";
import type { BundleLayout } from "../pack/stream.ts";
import { encodeHeader, endSize, paddingOf } from "../pack/tar.ts";
import { byPlace, manifestPath } from "../pack/layout.ts";
import { mtimeOf } from "../pack/tree.ts";
import type { Contents } from "../seal/contents.ts";
import type { BlobStore } from "./blob-store.ts";
import { lengthOf, type Run } from "./hash-stretch.ts";

export interface TarView {
  /** Bytes. */
  readonly size: number;
  /** Where the bytes from `start` up to, not including, `end` lie. */
  runs(start: number, end: number): readonly Run[];
}

/** Runs that follow each other. */
export function viewOfRuns(runs: readonly Run[]): TarView {
  let at = 0;
  const placed = runs.map((run) => {
    const start = at;
    at += lengthOf([run]);
    return { run, start, end: at };
  });
  return {
    size: at,
    runs: (start, end) =>
      placed.filter((each) => each.start < end && start < each.end).map((each) => part(each.run, Math.max(0, start - each.start), Math.min(end, each.end) - each.start)),
  };
}

function part(run: Run, from: number, to: number): Run {
  if ("zeros" in run) return { zeros: to - from };
  return "bytes" in run ? { bytes: run.bytes.slice(from, to) } : { path: run.path, start: run.start + from, end: run.start + to };
}

export function viewOfFile(path: string, size: number): TarView {
  return viewOfRuns([{ path, start: 0, end: size }]);
}

/** The bundle that a build would write, out of the store. */
export function viewOfLayout({ segments }: BundleLayout, store: Pick<BlobStore, "path">): TarView {
  return viewOfRuns(segments.map((segment) => (segment.kind === "bytes" ? { bytes: segment.bytes } : { path: store.path(segment.digest), start: segment.from ?? 0, end: (segment.from ?? 0) + segment.size })));
}

/** The tar that `folder` was unpacked from; undefined where no manifest says how its headers were. */
export function viewOfFolder(folder: string, { files, manifest, listed }: Pick<Contents, "files" | "manifest" | "listed">): TarView | undefined {
  if (manifest === undefined || !files.some((file) => file.path === manifestPath)) return undefined;
  const mtime = mtimeOf(manifest.release.created);
  const runs = [...files]
    .sort((a, b) => byPlace(a.path, b.path))
    .flatMap(({ path, size }): readonly Run[] => [
      { bytes: encodeHeader({ path, size, mtime, mode: listed.get(path)?.mode === "0755" ? 0o755 : 0o644 }) },
      { path: join(folder, path), start: 0, end: size },
      { zeros: paddingOf(size) },
    ]);
  return viewOfRuns([...runs, { zeros: endSize }]);
}
