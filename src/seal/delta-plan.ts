/** What a bundle has that another one has as well: files by their digest, layers in the payload, pieces of the big files. */

import type { Step } from "../pack/delta.ts";
import { byPlace, payloadPath, piecesPath } from "../pack/layout.ts";
import { parsePieces, type Piece } from "../pack/pieces.ts";
import { shapeOf } from "../pack/parts.ts";
import { blockSize, endSize, paddingOf, readHeader } from "../pack/tar.ts";
import type { Found } from "./bundle-source.ts";
import type { Contents } from "./contents.ts";

/** Below this, a copy from the base costs more in the recipe than it saves. Bytes. */
const worthCopying = 512;

/** The target's tar as copies of the base's and additions of its own. Both must be proven before what is made of it is used. */
export async function deltaSteps(base: Contents, target: Contents): Promise<{ readonly steps: readonly Step[]; readonly added: readonly Stretch[] }> {
  const known = await knownStretches(base);
  const plan = new Plan();
  for (const { file, start } of placed(target.files)) {
    plan.add(start + file.size + paddingOf(file.size));
    for (const { key, at, size } of await stretchesOf(target, file, start)) {
      const copy = size < worthCopying ? undefined : known.get(key);
      if (copy !== undefined) plan.copy(at, size, copy);
    }
  }
  plan.add(plan.end + endSize);
  return plan.result();
}

/** Bytes of the target's tar from `start` up to, not including, `end`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Collects copies and takes all between them as additions. */
class Plan {
  readonly #copies: { readonly at: number; readonly size: number; readonly from: number }[] = [];
  end = 0;

  add(end: number): void {
    this.end = end;
  }

  copy(at: number, size: number, from: number): void {
    // What lies in a stretch that is copied already needs nothing more.
    const last = this.#copies.at(-1);
    if (last === undefined || at >= last.at + last.size) this.#copies.push({ at, size, from });
  }

  result(): { readonly steps: readonly Step[]; readonly added: readonly Stretch[] } {
    const steps: Step[] = [];
    const added: Stretch[] = [];
    let [at, taken] = [0, 0];
    const addUpTo = (end: number): void => {
      if (end === at) return;
      steps.push({ from: "delta", start: taken, end: taken + end - at });
      added.push({ start: at, end });
      [at, taken] = [end, taken + end - at];
    };
    for (const { at: start, size, from } of this.#copies) {
      addUpTo(start);
      const last = steps.at(-1);
      if (last?.from === "base" && last.end === from) steps[steps.length - 1] = { ...last, end: from + size };
      else steps.push({ from: "base", start: from, end: from + size });
      at = start + size;
    }
    addUpTo(this.end);
    return { steps, added };
  }
}

interface Known {
  /** The same key, the same bytes. */
  readonly key: string;
  /** In the tar. */
  readonly at: number;
  readonly size: number;
}

async function knownStretches(base: Contents): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>();
  for (const { file, start } of placed(base.files)) for (const { key, at } of await stretchesOf(base, file, start)) known.set(key, known.get(key) ?? at);
  return known;
}

/** A file as a whole; else the layers and configs in it where it is the payload; else its pieces. */
async function stretchesOf(contents: Contents, file: Found, start: number): Promise<readonly Known[]> {
  const line = contents.listed.get(file.path);
  if (line === undefined) return [];
  const inner = file.path === payloadPath ? await entriesIn(contents, file, start) : [];
  const pieces = (await piecesIn(contents)).filter((piece) => piece.path === file.path);
  return [
    { key: `${line.sha256} ${file.size}`, at: start, size: file.size },
    ...inner,
    ...(inner.length > 0 ? [] : pieces.map((piece) => ({ key: `${piece.sha256} ${piece.end - piece.start}`, at: start + piece.start, size: piece.end - piece.start }))),
  ];
}

/** The names of a payload's entries are the digests of their bytes; two of them are not, and are small. */
async function entriesIn({ source }: Contents, file: Found, start: number): Promise<readonly Known[]> {
  const entries: Known[] = [];
  for (let at = 0; at + blockSize <= file.size; ) {
    const reading = readHeader(await source.read({ ...file.place, start: file.place.start + at, end: file.place.start + at + blockSize }));
    if (reading.kind !== "entry") return entries;
    const { path, size } = reading.entry;
    const digest = /^([0-9a-f]{64})(\.json|\/layer\.tar)$/.exec(path)?.[1];
    if (digest !== undefined && at + blockSize + size <= file.size) entries.push({ key: `${digest} ${size}`, at: start + at + blockSize, size });
    at += blockSize + size + paddingOf(size);
  }
  return entries;
}

async function piecesIn({ source, files }: Contents): Promise<readonly Piece[]> {
  const place = files.find((file) => file.path === piecesPath)?.place;
  const pieces = place === undefined ? [] : parsePieces(await source.read(place), shapeOf(files, 0).blobs);
  return "wrong" in pieces ? [] : pieces;
}

/** Where each file's bytes begin in the tar. */
function placed(files: readonly Found[]): readonly { readonly file: Found; readonly start: number }[] {
  let at = 0;
  return [...files].sort((a, b) => byPlace(a.path, b.path)).map((file) => {
    const start = at + blockSize;
    at = start + file.size + paddingOf(file.size);
    return { file, start };
  });
}
