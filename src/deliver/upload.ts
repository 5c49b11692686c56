/** Sends a bundle's tar: goes on at the byte where the line was cut, after what is there was proven to be its beginning. */

import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import type { LastingLine } from "./lasting-line.ts";
import { LineCut, type Line } from "./line.ts";
import { answer, answersIn, failureOf, noSpace, runVerb, runVerbWell, startVerb, tailOf, type RemoteFolder } from "./remote-shell.ts";

export interface Upload {
  /** On this machine. */
  readonly path: string;
  readonly size: number;
  /** Of the file that was verified: see `stampOf`. */
  readonly stamp: string;
  /** Of this push, so that the host tells its lines from another's. */
  readonly id: string;
}

export interface UploadWatch {
  readonly sent: (at: number) => void;
  /** Comparing what is there. */
  readonly compared: (from: number, to: number) => void;
  /** What was there is not the bundle's beginning from this byte on, and was thrown away. */
  readonly damaged: (from: number) => void;
  readonly signal: AbortSignal;
}

const blockBytes = 1_048_576;
const pieceBytes = 131_072;
/** A disk that gives back other bytes than it got does not become better by trying. */
const damagesMax = 3;

/** Ends when the tar is on the host under its own name, every byte proven. Gives how many bytes were there at the beginning, and were good. */
export async function upload(lasting: LastingLine, remote: RemoteFolder, of: Upload, watch: UploadWatch): Promise<{ readonly kept: number }> {
  const file = await open(of.path, "r");
  const state: State = { proven: 0, furthest: 0, damages: 0, kept: undefined };
  try {
    await lasting.use(async (line, fruitful) => {
      for (let isThere = false; !isThere; ) {
        if ((await stampOf(of.path)) !== of.stamp) throw new EnvironmentError(`${of.path} was changed after it was verified`, { hint: "start again with the file as it is to be" });
        isThere = await step({ line, fruitful, remote, of, file, state, watch });
      }
    });
    return { kept: state.kept ?? 0 };
  } finally {
    await file.close();
  }
}

interface State {
  /** So much is known to be there as it is here. */
  proven: number;
  /** The most that was ever there. */
  furthest: number;
  damages: number;
  kept: number | undefined;
}

interface Step {
  readonly line: Line;
  readonly fruitful: () => void;
  readonly remote: RemoteFolder;
  readonly of: Upload;
  readonly file: FileHandle;
  readonly state: State;
  readonly watch: UploadWatch;
}

/** Looks how much is there, proves it, sends the rest. True when all of it is there and proven. */
async function step(at: Step): Promise<boolean> {
  const { line, remote, of, state, fruitful } = at;
  const measured = answersIn((await runVerbWell(line, remote, "measure", [of.id])).stdout);
  const tar = measured.get("tar");
  if (tar !== undefined && tar !== "") {
    if (Number(tar) === of.size && (await prove(at, "bundle.tar", of.size))) return true;
    await runVerbWell(line, remote, "again");
    state.proven = 0;
    return false;
  }
  const arrived = Number(measured.get("part") || 0);
  if (arrived > state.furthest) fruitful();
  state.furthest = Math.max(state.furthest, arrived);
  if (arrived > of.size || !(await prove(at, "bundle.tar.part", arrived))) {
    await throwAway(at);
    return false;
  }
  state.kept ??= arrived;
  if (arrived === of.size) {
    await runVerbWell(line, remote, "complete");
    return true;
  }
  await send(at, arrived);
  return false;
}

/** Compares the digests, here and there, of what is not proven yet. */
async function prove({ line, remote, file, state, watch }: Step, name: string, to: number): Promise<boolean> {
  if (to < state.proven) state.proven = 0;
  const from = Math.floor(state.proven / blockBytes) * blockBytes;
  if (to === from) return true;
  watch.compared(from, to);
  const there = runVerbWell(line, remote, "digest", [name, String(from / blockBytes), String(to - from)]);
  const [here, end] = await Promise.all([digestOf(file, from, to, watch.signal), there]);
  if (answer(end, "sha256") !== here) return false;
  state.proven = to;
  return true;
}

async function throwAway({ line, remote, state, watch }: Step): Promise<void> {
  const blocks = Math.floor(state.proven / blockBytes);
  state.damages += 1;
  if (state.damages > damagesMax) throw new EnvironmentError("the host's disk does not keep what is written to it", { hint: "choose a folder on another disk with --folder" });
  watch.damaged(blocks * blockBytes);
  await runVerbWell(line, remote, "cut", ["bundle.tar.part", String(blocks)]);
  state.proven = blocks * blockBytes;
  state.furthest = state.proven;
}

async function send({ line, remote, of, file, watch }: Step, from: number): Promise<void> {
  const process = await startVerb(line, remote, "send", [of.id, String(from)]);
  const said = tailOf(process.stderr);
  void drain(process.stdout);
  for (let at = from; at < of.size && process.isRunning(); ) {
    watch.signal.throwIfAborted();
    // A new buffer each time: the last one may still wait for its turn in the line.
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(Math.min(pieceBytes, of.size - at)), 0, undefined, at);
    if (bytesRead === 0) throw new EnvironmentError(`${of.path} has become shorter while it was sent`);
    await process.write(buffer.subarray(0, bytesRead));
    at += bytesRead;
    watch.sent(at);
  }
  process.end();
  const status = await process.ended;
  if (status === 0) return;
  const stderr = await said;
  // Killed by a push that came after us, or by the host: the next look tells.
  if (status === undefined || status > 128) throw new LineCut("what received the bundle on the host was killed");
  throw noSpace.test(stderr) ? await fullDisk(line, remote, of, stderr) : failureOf({ status, stdout: "", stderr }, remote);
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) continue;
}

async function fullDisk(line: Line, remote: RemoteFolder, of: Upload, said: string): Promise<EnvironmentError> {
  const answers = answersIn((await runVerb(line, remote, "survey")).stdout);
  return new EnvironmentError(`the disk of the host is full: ${said} (${answers.get("part") || 0} of ${of.size} bytes have arrived, ${answers.get("free") || 0} KiB are free)`, {
    hint: "make room there, or choose a folder on another disk with --folder; the same command then goes on",
  });
}

/** SHA-256 of a stretch of the file here, hexadecimal. */
export async function digestOf(file: FileHandle, from: number, to: number, signal: AbortSignal, read: (at: number) => void = () => undefined): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(blockBytes);
  for (let at = from; at < to; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(blockBytes, to - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    read((at += bytesRead));
  }
  return hash.digest("hex");
}

/** Another one where the file was changed, or is another file. */
export async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  return `${size} ${mtimeMs} ${ino}`;
}
