/** Whether the service's own copy of a bundle is as it was made: every file by its digest, in one reading, before a byte of it is sent. */

import { createHash, type Hash } from "node:crypto";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { TarSource } from "../../deliver/tar-source.ts";
import type { TarFile } from "./courier-messages.ts";

/** SHA-256 of the tar, hexadecimal. Throws an EnvironmentError that names the first file which is another than it was. `files` are in the order of the tar. */
export async function digestOfWhole(source: TarSource, files: readonly TarFile[], signal: AbortSignal, read: (at: number) => void): Promise<string> {
  const whole = createHash("sha256");
  const inner = files.filter(({ size }) => size > 0);
  let hash: Hash | undefined;
  let at = 0;
  let next = 0;
  for await (const piece of source.read(0, source.size)) {
    signal.throwIfAborted();
    whole.update(piece);
    const end = at + piece.byteLength;
    for (let file = inner[next]; file !== undefined && file.start < end; file = inner[next]) {
      hash ??= createHash("sha256");
      const ends = file.start + file.size;
      hash.update(piece.subarray(Math.max(0, file.start - at), Math.min(piece.byteLength, ends - at)));
      if (ends > end) break;
      if (hash.digest("hex") !== file.sha256) throw damaged(file.path);
      hash = undefined;
      next += 1;
    }
    read((at = end));
  }
  const unread = inner[next];
  if (unread !== undefined) throw damaged(unread.path);
  return whole.digest("hex");
}

function damaged(path: string): EnvironmentError {
  return new EnvironmentError(`the service's own copy of ${path} is not as it was made: a blob is damaged, and nothing was sent. Put the right one into its blob store (cloudlet-bundle lock --store), and retry`);
}
