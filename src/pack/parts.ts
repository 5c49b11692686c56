/**
 * Parts of a bundle, for media that hold less than all of it. A part begins with all small files, as the bundle does, and
 * has a stretch of the rest that ends where a signed piece ends: so each is proven alone. docs/bundle-format.md section 9.
 */

import { isBlobPath } from "./layout.ts";
import { partCount } from "./limits.ts";
import { bundleFileName, bundleSuffix, type BundleAbout } from "./tree.ts";
import type { Piece } from "./pieces.ts";
import { blockSize, encodeHeader, endSize, paddingOf } from "./tar.ts";

/** Where each big file of a bundle lies in its tar. Bytes. */
export interface Shape {
  /** Of the small files, which come first; with their headers and padding. */
  readonly head: number;
  readonly blobs: readonly Placed[];
  readonly size: number;
  /** Seconds since the Epoch. */
  readonly mtime: number;
}

export interface Placed {
  readonly path: string;
  readonly mode: number;
  /** Of its bytes; its header lies before. */
  readonly start: number;
  readonly size: number;
}

/** `files` in the order of the tar. */
export function shapeOf(files: readonly { readonly path: string; readonly mode: number; readonly size: number }[], mtime: number): Shape {
  let at = 0;
  let head = 0;
  const blobs: Placed[] = [];
  for (const { path, mode, size } of files) {
    if (isBlobPath(path)) blobs.push({ path, mode, start: at + blockSize, size });
    at += blockSize + size + paddingOf(size);
    if (!isBlobPath(path)) head = at;
  }
  return { head, blobs, size: at + endSize, mtime };
}

/** A stretch of the tar with one piece in it, and what must stand around that: headers before, padding and the end behind. */
export interface Atom {
  readonly start: number;
  readonly end: number;
  readonly before: Uint8Array;
  readonly piece: Piece;
  readonly after: Uint8Array;
}

/** All atoms, one after another from the end of the head to the end of the tar. `pieces` are those of `shape`'s files. */
export function atomsOf({ blobs, head, mtime }: Shape, pieces: readonly Piece[]): readonly Atom[] {
  const headerOf = ({ path, mode, size }: Placed): Uint8Array => encodeHeader({ path, mode, size, mtime });
  const atoms: Atom[] = [];
  let at = head;
  // A file without a byte has no piece; its header goes with the next one.
  let waiting: readonly Uint8Array[] = [];
  for (const blob of blobs) {
    waiting = [...waiting, headerOf(blob)];
    for (const piece of pieces.filter((each) => each.path === blob.path)) {
      const before = joined(waiting);
      waiting = [];
      const after = new Uint8Array(piece.end === blob.size ? paddingOf(blob.size) : 0);
      const end = at + before.byteLength + piece.end - piece.start + after.byteLength;
      atoms.push({ start: at, end, before, piece, after });
      at = end;
    }
  }
  const last = atoms.at(-1);
  if (last === undefined) return [];
  const after = joined([last.after, ...waiting, new Uint8Array(endSize)]);
  return [...atoms.slice(0, -1), { ...last, end: last.end + after.byteLength - last.after.byteLength, after }];
}

function joined(all: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(all.reduce((sum, each) => sum + each.byteLength, 0));
  let at = 0;
  for (const each of all) {
    bytes.set(each, at);
    at += each.byteLength;
  }
  return bytes;
}

/** What a part holds of the bundle. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly atoms: readonly Atom[];
}

/** As few bytes as a part of this bundle can have beside its stretch: head, two headers, the description, the end. */
export function overheadOf(shape: Shape): number {
  return shape.head + blockSize + descriptionBytes + blockSize + endSize;
}

/** Each part as full as `limit` allows, from the front; the same cuts for the same bundle and limit, always. Or why not. */
export function cutsOf(shape: Shape, atoms: readonly Atom[], limit: number): readonly Cut[] | { readonly wrong: string; readonly least: number } {
  const room = limit - overheadOf(shape);
  const largest = atoms.reduce((most, atom) => Math.max(most, atom.end - atom.start), 0);
  const least = overheadOf(shape) + largest;
  if (room < largest) return { wrong: `a part of this bundle has at least ${least} bytes`, least };
  const cuts: { start: number; end: number; atoms: Atom[] }[] = [];
  for (const atom of atoms) {
    const last = cuts.at(-1);
    if (last !== undefined && atom.end - last.start <= room) {
      last.atoms.push(atom);
      last.end = atom.end;
    } else cuts.push({ start: atom.start, end: atom.end, atoms: [atom] });
  }
  if (cuts.length > partCount) {
    return { wrong: `that makes ${cuts.length} parts; at most ${partCount} are made`, least: Math.max(least, overheadOf(shape) + Math.ceil((shape.size - shape.head) / partCount) + largest) };
  }
  return cuts;
}

/** The two entries behind the small files. */
export const descriptionPath = "part.txt";
export const stretchPath = "part.bin";

/** part.txt is filled with spaces and line ends to one block, so that where the stretch begins follows from the head. */
export const descriptionBytes = blockSize;

/** part.txt: what a part says of itself. Nobody signed it; all of it is compared with what the signed files give. */
export interface Description {
  /** Name of the bundle's tar. */
  readonly bundle: string;
  /** Bytes of that tar. */
  readonly size: number;
  /** The largest that a part may be, in bytes: where the cuts are follows from it. */
  readonly limit: number;
  /** From 1; "parity" is the XOR of all. */
  readonly part: number | "parity";
  readonly parts: number;
  /** Bytes of the tar from `start` up to, not including, `end`; of the parity, 0 and the length of the longest stretch. */
  readonly start: number;
  readonly end: number;
  /** Of the parity's stretch: against accidents alone, for it is not signed. 64 hexadecimal digits. */
  readonly sha256?: string;
}

/** Lines of name and value, in this order. */
export function descriptionText({ bundle, size, limit, part, parts, start, end, sha256 }: Description): string {
  const lines = [
    ["format", "cloudlet-bundle-part/v1"],
    ["bundle", bundle],
    ["size", size],
    ["limit", limit],
    ["part", part],
    ["parts", parts],
    ["start", start],
    ["end", end],
    ...(sha256 === undefined ? [] : [["sha256", sha256]]),
  ];
  const text = lines.map(([name, value]) => `${name} ${value}\n`).join("");
  if (text.length > descriptionBytes) throw new Error(`the description of a part has ${text.length} characters`);
  return text.padEnd(descriptionBytes - 1, " ").padEnd(descriptionBytes, "\n");
}

/** Reads what `descriptionText` writes for some part, and nothing else. */
export function parseDescription(bytes: Uint8Array): Description | undefined {
  const text = new TextDecoder("latin1").decode(bytes);
  const of = (name: string): string => new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? "";
  const number = (name: string): number => (/^(0|[1-9]\d{0,14})$/.test(of(name)) ? Number(of(name)) : Number.NaN);
  const part = of("part") === "parity" ? "parity" : number("part");
  const read: Description = {
    bundle: of("bundle"),
    size: number("size"),
    limit: number("limit"),
    part,
    parts: number("parts"),
    start: number("start"),
    end: number("end"),
    ...(part === "parity" ? { sha256: of("sha256") } : {}),
  };
  if (read.bundle.length > bundleNameLength || !/^[A-Za-z0-9._-]+\.tar$/.test(read.bundle)) return undefined;
  if (part === "parity" && !/^[0-9a-f]{64}$/.test(read.sha256 ?? "")) return undefined;
  if (!(read.parts >= 1 && read.parts <= partCount) || (part !== "parity" && !(part >= 1 && part <= read.parts)) || !(read.start < read.end)) return undefined;
  return descriptionText(read) === text ? read : undefined;
}

/** ext4, XFS and NTFS take names of 255; a part's own is longer by some thirty. */
const bundleNameLength = 200;

/** The name of a bundle's tar, by what its manifest says, in which names may be longer; the same for whoever splits it, from whatever file. */
export function bundleNameIn(about: Pick<BundleAbout, "cloudlet" | "release">): string {
  return `${bundleFileName(about).slice(0, bundleNameLength - bundleSuffix.length).replace(/\.cloudlet\.tar$/, "")}${bundleSuffix}`;
}

/** `munich-tdg-2026.11.cloudlet.part-03-of-12.tar`: a name for people; a part is known by what is in it. */
export function partName({ bundle, part, parts }: Pick<Description, "bundle" | "part" | "parts">): string {
  const stem = bundle.replace(/\.tar$/, "");
  return part === "parity" ? `${stem}.parity-of-${parts}.tar` : `${stem}.part-${String(part).padStart(String(parts).length, "0")}-of-${parts}.tar`;
}

export interface PartFrame {
  /** Between the head and the stretch. */
  readonly before: Uint8Array;
  /** Behind the stretch. */
  readonly after: Uint8Array;
}

/** What stands around the stretch of a part; headers as in a bundle. */
export function frameOf(description: Description, mtime: number): PartFrame {
  const size = description.end - description.start;
  const header = (path: string, bytes: number): Uint8Array => encodeHeader({ path, mode: 0o644, size: bytes, mtime });
  const text = new TextEncoder().encode(descriptionText(description));
  return { before: joined([header(descriptionPath, descriptionBytes), text, header(stretchPath, size)]), after: new Uint8Array(paddingOf(size) + endSize) };
}
