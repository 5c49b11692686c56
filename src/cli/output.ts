/** Standard output and standard error, of which a failure ends the command with a status that says so. */

import { fstatSync, writeSync } from "node:fs";
import { systemError } from "./system-error.ts";

/** As a shell tells of a program that SIGPIPE ended (128 + 13): 0 would say of a bundle that is refused that it is good. */
const brokenPipe = 141;

/**
 * The function that is given ends when text or bytes are on their way. A closed pipe (`| head`) ends the process in silence, as
 * it does with every tool of the shell; a full disk ends it with words.
 */
export function output(name: "stdout" | "stderr"): (what: string | Uint8Array) => Promise<void> {
  const [stream, fd] = [process[name], name === "stdout" ? 1 : 2];
  const to = fstatSync(fd);
  if (to.isFile() || (to.isCharacterDevice() && !stream.isTTY)) return async (what) => writeToFile(name, fd, typeof what === "string" ? Buffer.from(what) : what);
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(brokenPipe);
    fail(name, error);
  });
  return (what) => new Promise((resolve) => stream.write(what, (error) => (error ? undefined : resolve())));
}

/** All of it: of what does not fit, Node's own stream writes what does and says nothing of the rest (SyncWriteStream, Node 24). */
function writeToFile(name: "stdout" | "stderr", fd: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done);
  } catch (error) {
    fail(name, error);
  }
}

/** A lost message changes nothing of what is done; a lost result does, and nobody else hears of it. */
function fail(name: "stdout" | "stderr", error: unknown): void {
  if (name === "stderr") return;
  process.stderr.write(`cloudlet-bundle: standard output: ${systemError(error)?.replace(/^[^:]*: /, "") ?? String(error)}\n`);
  process.exit(3);
}
