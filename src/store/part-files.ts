/** Parts on the disk: found in files and folders, and read as the one tar that they make. */

import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Issue } from "../core/issue.ts";
import { byCodeUnit } from "../core/json.ts";
import { partFormOf } from "../seal/part-form.ts";
import type { PartFile } from "../seal/part-set.ts";
import { openArchive, type ArchiveOnDisk } from "./archive-file.ts";
import type { HashWatch } from "./hash-workers.ts";
import type { Run } from "./hash-stretch.ts";

export interface PartOnDisk extends PartFile {
  readonly path: string;
}

export interface FoundParts {
  /** In the order of their paths. */
  readonly parts: readonly PartOnDisk[];
  /** What was given as a part and has not the form of one, by path. */
  readonly refused: ReadonlyMap<string, readonly Issue[]>;
}

/** Named by `split`; what is called so and is none is told, what is called otherwise is passed over. */
export function isPartName(name: string): boolean {
  return /\.(part-\d+|parity)-of-\d+\.tar$/.test(name);
}

/** `paths` are files, or folders in which they lie. In a folder, every tar that is a part counts, whatever its name is. */
export async function findParts(paths: readonly string[], watch: HashWatch = {}): Promise<FoundParts> {
  const parts: PartOnDisk[] = [];
  const refused = new Map<string, readonly Issue[]>();
  for (const path of paths) {
    const isFolder = (await stat(path)).isDirectory();
    for (const file of isFolder ? await tarsIn(path) : [path]) {
      const source = await openArchive(file, watch);
      const form = await partFormOf(source);
      if ("head" in form) parts.push({ path: file, name: basename(file), source, form });
      else if (!isFolder || isPartName(basename(file))) refused.set(file, form.issues);
    }
  }
  return { parts: parts.filter((each, index) => parts.findIndex((other) => other.path === each.path) === index), refused };
}

async function tarsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".tar") && !entry.name.startsWith(".")).map((entry) => entry.name);
  return names.sort(byCodeUnit).map((name) => join(folder, name));
}

/** Whether a folder holds parts rather than what a bundle was unpacked into. */
export async function holdsParts(folder: string): Promise<boolean> {
  return (await tarsIn(folder)).some((path) => isPartName(basename(path)));
}

/**
 * The parts of a folder as the tar that they make, believing what each says of itself: for reading, as in any bundle that is
 * not verified. An EnvironmentError where they do not go through it from the first byte to the last.
 */
export async function openParts(folder: string, watch: HashWatch = {}): Promise<ArchiveOnDisk> {
  const { parts } = await findParts([folder], watch);
  const data = parts.filter((part) => part.form.description.part !== "parity").sort((a, b) => a.form.description.start - b.form.description.start);
  const [first] = data;
  const runs: Run[] = first === undefined ? [] : [{ path: first.path, start: 0, end: first.form.head }];
  let at = first?.form.head ?? 0;
  for (const { path, form } of data) {
    if (form.description.start === at) runs.push({ path, start: form.stretch.start, end: form.stretch.end });
    at = form.description.start === at ? form.description.end : Number.NaN;
  }
  if (first === undefined || at !== first.form.description.size) {
    throw new EnvironmentError(`${folder} does not hold all parts of one bundle`, { hint: "cloudlet-bundle verify tells what is missing; one part alone can be read too" });
  }
  return openArchive(runs, watch);
}
