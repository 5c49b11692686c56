/** What the store needs of the file system; tests give it one that fails at the n-th call. */

import type * as disk from "node:fs/promises";

export type StoreDisk = Pick<
  typeof disk,
  "open" | "rename" | "mkdir" | "mkdtemp" | "rm" | "stat" | "statfs" | "readdir" | "readFile" | "utimes" | "chmod"
>;

/** write(2) may take less than it was given. */
export async function writeAll(file: disk.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at, null);
    at += bytesWritten;
  }
}

/** A new file that is on the disk when this returns. */
export async function writeSynced(files: StoreDisk, path: string, text: string): Promise<void> {
  const file = await files.open(path, "wx", 0o444);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes names in a folder survive a power cut. */
export async function syncFolder(files: StoreDisk, folder: string): Promise<void> {
  const handle = await files.open(folder, "r");
  // Some network file systems can't sync a folder; the files in it are safe.
  await handle.sync().catch(ignoring("EINVAL")).finally(() => handle.close());
}

export function ignoring(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code === undefined || !codes.includes(error.code)) throw error;
  };
}
