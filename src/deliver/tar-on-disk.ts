/** The tar that is pushed from this machine's disk: one file, or the folder with its parts. */

import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import { holdsParts, openParts } from "../store/part-files.ts";
import { viewOfFile, type TarView } from "../store/tar-view.ts";
import type { TarSource } from "./tar-source.ts";

export interface TarOnDisk extends TarSource {
  readonly close: () => Promise<void>;
}

/** Large enough that the calls don't count, small enough that what waits in a line takes no memory to speak of. */
const pieceBytes = 131_072;

/** Throws an EnvironmentError where there is neither a tar nor all parts of one. */
export async function openTar(path: string): Promise<TarOnDisk> {
  const view = await viewOf(path);
  const stamp = await stampOf(path);
  const files = new Map<string, FileHandle>();
  const fileAt = async (name: string): Promise<FileHandle> => {
    const file = files.get(name) ?? (await open(name, "r"));
    files.set(name, file);
    return file;
  };
  return {
    size: view.size,
    async *read(from, to) {
      for (const run of view.runs(from, to)) {
        if (!("path" in run)) throw new Error("a bundle on a disk is made of files");
        const file = await fileAt(run.path);
        for (let at = run.start; at < run.end; ) {
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(Math.min(pieceBytes, run.end - at)), 0, undefined, at);
          if (bytesRead === 0) throw new EnvironmentError(`${run.path} has become shorter while it was read`);
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      }
    },
    async check() {
      if ((await stampOf(path)) !== stamp) throw new EnvironmentError(`${path} was changed after it was verified`, { hint: "start again with the bundle as it is to be" });
    },
    async close() {
      for (const file of files.values()) await file.close();
      files.clear();
    },
  };
}

async function viewOf(path: string): Promise<TarView> {
  const found = await stat(path);
  if (found.isFile()) return viewOfFile(path, found.size);
  if (found.isDirectory() && (await holdsParts(path))) return (await openParts(path)).view;
  throw new EnvironmentError(`${path} is neither a bundle's tar nor a folder with its parts`, { hint: "a bundle that was unpacked is not packed again: push the tar that it came from" });
}

/** Another one where a file was changed, or is another file. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path);
  const paths = found.isDirectory() ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const stamps = await Promise.all(paths.map(async (each) => stat(each)));
  return stamps.map(({ size, mtimeMs, ino }, at) => `${paths[at]} ${size} ${mtimeMs} ${ino}`).join("\n");
}
