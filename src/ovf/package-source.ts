/** An OVF package as someone received it: an OVA, or a descriptor with its files beside it. The edge reads and hashes. */

import { createHash } from "node:crypto";

export type OvfSource = OvaSource | OvfFolder;

export interface OvaSource extends Stretch {
  readonly kind: "archive";
}

export interface OvfFolder {
  readonly kind: "folder";
  /** Name of the descriptor in its folder. */
  readonly descriptor: string;
  /** A file beside it; undefined where there is none of that name. */
  file(name: string): Promise<Stretch | undefined>;
}

/** Bytes that can be read in places. */
export interface Stretch {
  /** Bytes. */
  readonly size: number;
  /** From `start` up to, not including, `end`, in chunks. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** A file of the package, in whichever form it came. */
export interface Member extends Stretch {
  readonly name: string;
}

export type DigestName = "SHA1" | "SHA256" | "SHA512";

/** All of a part at once; for what is small. */
export async function bytesAt(stretch: Stretch, start: number, end: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stretch.read(start, Math.min(end, stretch.size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Lower-case hexadecimal digits. */
export async function digestOf(stretch: Stretch, algorithm: DigestName): Promise<string> {
  const hash = createHash(algorithm.toLowerCase());
  for await (const chunk of stretch.read(0, stretch.size)) hash.update(chunk);
  return hash.digest("hex");
}
