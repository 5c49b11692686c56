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
    read: readAhead(view),
    hash: (places) => hashStretches(places.map(({ start, end }) => ({ from: [view.runs(start, end)] })), watch),
  };
}

/** Large enough that thousands of small files come with tens of reads, small enough to read for a header alone. Bytes. */
const windowBytes = 262_144;

/** Headers and small files lie side by side: what was read for one of them is kept for the next. */
function readAhead({ size, runs }: TarView): (place: Omit<Place, "file">) => Promise<Uint8Array> {
  let window: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array() };
  return async ({ start, end }) => {
    if (end - start >= windowBytes) return readRuns(runs(start, end));
    let here = window;
    if (start < here.start || end > here.start + here.bytes.byteLength) {
      here = { start, bytes: await readRuns(runs(start, Math.max(end, Math.min(size, start + windowBytes)))) };
      window = here;
    }
    // A copy, which does not keep the whole window.
    return here.bytes.slice(start - here.start, end - here.start);
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
