/** Documents named on the command line: read, decoded, and their issues gathered for the report. */

import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Outcome } from "../core/issue.ts";
import { DOCUMENT_MAX_BYTES, decodeText } from "../spec/decode-text.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface Loaded<T> {
  /** Undefined where an issue is an error. */
  readonly value: T | undefined;
  /** The document under the name the user gave it, with what was found in it. */
  readonly report: ReportedDocument;
}

/** Reads a document (`-` is standard input) and gives it to `read`. Throws an EnvironmentError where the file can't be read. */
export async function load<T>(io: Io, path: string, read: (text: string) => Outcome<T>): Promise<Loaded<T>> {
  const decoded = decodeText(await bytesOf(io, path));
  const name = path === "-" ? "standard input" : path;
  if (!decoded.ok) return { value: undefined, report: { name, issues: decoded.issues } };
  const outcome = read(decoded.value);
  return { value: outcome.ok ? outcome.value : undefined, report: { name, text: decoded.value, issues: outcome.issues } };
}

/** An empty name is a variable that nobody set, not the folder where the command runs. */
export function absolute(io: Io, path: string): string {
  if (path === "") throw new EnvironmentError("the name of a file or folder is empty", { hint: "was a variable of the shell not set?" });
  return isAbsolute(path) ? path : join(io.workingFolder, path);
}

/** Never more than one byte over the limit, so that a device or an endless pipe ends in an issue. */
async function bytesOf(io: Io, path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of path === "-" ? io.stdin : fileChunks(absolute(io, path))) {
    chunks.push(new Uint8Array(chunk));
    size += chunk.byteLength;
    if (size > DOCUMENT_MAX_BYTES) break;
  }
  return Buffer.concat(chunks, Math.min(size, DOCUMENT_MAX_BYTES + 1));
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new EnvironmentError(`${path}: there is no such file`, { cause: error });
  });
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(65_536), 0, 65_536, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
