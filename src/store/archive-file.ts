/** A tar on disk, in one file or in several stretches, for those who read it in places. */

import { open, stat } from "node:fs/promises";
import type { ArchiveSource, Place } from "../seal/bundle-source.ts";
import type { Run } from "./hash-stretch.ts";
import { hashStretches, type HashWatch } from "./hash-workers.ts";
import { viewOfFile, viewOfRuns, type TarView } from "./tar-view.ts";

/** An archive that also tells where its bytes lie. */
export interface ArchiveOnDisk extends ArchiveSource {
  readonly view: TarView;
}

/** A tar: one file, or runs that make one. */
export async function openArchive(from: string | readonly Run[], watch: HashWatch = {}): Promise<ArchiveOnDisk> {
  const view = typeof from === "string" ? viewOfFile(from, (await stat(from)).size) : viewOfRuns(from);
  return {
    kind: "archive",
    size: view.size,
    view,
    read: ({ start, end }) => readRuns(view.runs(start, end)),
    hash: (places) => hashStretches(places.map(({ start, end }) => ({ from: [view.runs(start, end)] })), watch),
  };
}

export async function readRuns(runs: readonly Run[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const run of runs) pieces.push("zeros" in run ? new Uint8Array(run.zeros) : "bytes" in run ? run.bytes : await readPlace(run.path, run));
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : new Uint8Array(Buffer.concat(pieces));
}

export async function readPlace(path: string, { start, end }: Omit<Place, "file">): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    while (at < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, at, bytes.byteLength - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}
