/** What a file is as a part of a bundle, by its outer form: where its small files end, what it says of itself, where its stretch lies. */

import { hexOf, sha256 } from "../core/digest.ts";
import type { Issue } from "../core/issue.ts";
import { bundleEntries, headBytes } from "../pack/limits.ts";
import { descriptionBytes, descriptionPath, parseDescription, stretchPath, type Description } from "../pack/parts.ts";
import { blockSize, endSize, paddingOf, readHeader, type TarEntry } from "../pack/tar.ts";
import type { ArchiveSource, Place } from "./bundle-source.ts";
import { partIssue } from "./part-issue-codes.ts";

export interface PartForm {
  /** Bytes of the small files with their headers and padding, from the beginning. */
  readonly head: number;
  readonly description: Description;
  readonly stretch: Place;
  /** A part that ends early or goes on can still be named. */
  readonly issues: readonly Issue[];
}

/** Whether a tar says that it is a part: its small files are followed by a description. */
export async function partFormOf(source: ArchiveSource): Promise<PartForm | { readonly issues: readonly Issue[] }> {
  const none = (message: string): { readonly issues: readonly Issue[] } => ({ issues: [partIssue("part/form", message)] });
  const head = await headOf(source);
  if (head === undefined) return none("it is no part of a bundle: there is no part.txt behind the small files");
  const text = await source.read({ file: "", start: head + blockSize, end: Math.min(source.size, head + blockSize + descriptionBytes) });
  const description = parseDescription(text);
  const start = head + blockSize + descriptionBytes + blockSize;
  const entry = await entryAt(source, start - blockSize);
  if (description === undefined) return none("its part.txt is not written as it must be");
  const size = description.end - description.start;
  if (entry?.path !== stretchPath || entry.size !== size) return none("its part.bin does not stand behind part.txt, or has another size than that says");
  const wanted = start + size + paddingOf(size) + endSize;
  const issues = source.size === wanted ? [] : [partIssue("part/size", `it has ${source.size} bytes, and ${wanted} when it is whole`, "Copy it again.")];
  return { head, description, stretch: { file: "", start, end: start + size }, issues };
}

async function headOf(source: ArchiveSource): Promise<number | undefined> {
  for (let offset = 0, count = 0; count <= bundleEntries; count += 1) {
    const entry = await entryAt(source, offset);
    if (entry === undefined || offset > headBytes) return undefined;
    if (entry.path === descriptionPath) return entry.size === descriptionBytes ? offset : undefined;
    offset += blockSize + entry.size + paddingOf(entry.size);
  }
  return undefined;
}

async function entryAt(source: ArchiveSource, offset: number): Promise<TarEntry | undefined> {
  if (offset + blockSize > source.size) return undefined;
  const reading = readHeader(await source.read({ file: "", start: offset, end: offset + blockSize }));
  return reading.kind === "entry" ? reading.entry : undefined;
}

/** The small files with which a bundle and each of its parts begin, as an archive of their own. */
export function smallFilesOf(head: Uint8Array): ArchiveSource {
  // What is behind the head is not held, for that would be a second copy of it.
  const read = ({ start, end }: Pick<Place, "start" | "end">): Uint8Array => {
    const bytes = new Uint8Array(end - start);
    bytes.set(head.subarray(start, end));
    return bytes;
  };
  return {
    kind: "archive",
    size: head.byteLength + endSize,
    hash: async (places) => places.map(({ start, end }) => hexOf(sha256(end <= head.byteLength ? head.subarray(start, end) : read({ start, end })))),
    read: async (place) => read(place),
  };
}
