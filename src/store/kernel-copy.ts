/**
 * Copies from file to file inside the kernel, copy_file_range(2), for which Node has no call. Where it can't be had (the package
 * koffi is not there for this platform, the file system has none) the caller reads and writes; the bytes are the same.
 */

import { createRequire } from "node:module";

/** So much is asked for at a time: a command that is stopped waits for no more than that. Bytes. */
const atOnce = 16 * 1024 * 1024;

/** Less than this is read and written before the package has loaded. Bytes. */
const worthLoading = 4 * 1024 * 1024;

/** In a file that is open. */
export interface Place {
  readonly fd: number;
  readonly at: number;
}

/**
 * Bytes that were copied, from the beginning: fewer than `count` where the file ends early, or where the kernel will or can not.
 * What stopped it is not told: whoever reads and writes the rest meets it again, and hears of it as of any other error.
 */
export function copyInKernel(from: Place, to: Place, count: number): number {
  if (count < worthLoading) return 0;
  let done = 0;
  while (done < count) {
    const copied = copyFileRange(from.fd, [from.at + done], to.fd, [to.at + done], Math.min(atOnce, count - done), 0);
    if (copied <= 0) break;
    done += copied;
  }
  return done;
}

type CopyFileRange = (from: number, fromAt: readonly [number], to: number, toAt: readonly [number], count: number, flags: number) => number;

let found: CopyFileRange | undefined;

function copyFileRange(...words: Parameters<CopyFileRange>): number {
  found ??= load();
  return found(...words);
}

function load(): CopyFileRange {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    // Of the C library that Node itself has loaded, whichever that is. Its offsets have 64 bits on every platform of Node.
    return koffi.load(null).func("int64_t copy_file_range(int, _Inout_ int64_t *, int, _Inout_ int64_t *, size_t, unsigned int)") as CopyFileRange;
  } catch {
    return () => -1;
  }
}
