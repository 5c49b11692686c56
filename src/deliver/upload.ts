/** Sends a bundle's tar: goes on at the byte where the line was cut, after what is there was proven to be its beginning. */

import { EnvironmentError } from "../core/environment-error.ts";
import type { LastingLine } from "./lasting-line.ts";
import { LineCut, type Line } from "./line.ts";
import { answer, answersIn, failureOf, noSpace, runVerb, runVerbWell, startVerb, tailOf, type RemoteFolder } from "./remote-shell.ts";
import { digestOf, type TarSource } from "./tar-source.ts";

export interface Upload {
  readonly source: TarSource;
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
/** A disk that gives back other bytes than it got does not become better by trying. */
const damagesMax = 3;

/** Ends when the tar is on the host under its own name, every byte proven. Gives how many bytes were there at the beginning, and were good. */
export async function upload(lasting: LastingLine, remote: RemoteFolder, of: Upload, watch: UploadWatch): Promise<{ readonly kept: number }> {
  const state: State = { proven: 0, furthest: 0, damages: 0, kept: undefined };
  await lasting.use(async (line, fruitful) => {
    for (let isThere = false; !isThere; ) {
      await of.source.check();
      isThere = await step({ line, fruitful, remote, of, state, watch });
    }
  });
  return { kept: state.kept ?? 0 };
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
  readonly state: State;
  readonly watch: UploadWatch;
}

/** Looks how much is there, proves it, sends the rest. True when all of it is there and proven. */
async function step(at: Step): Promise<boolean> {
  const { line, remote, of, state, fruitful } = at;
  const measured = answersIn((await runVerbWell(line, remote, "measure", [of.id])).stdout);
  const tar = measured.get("tar");
  if (tar !== undefined && tar !== "") {
    if (Number(tar) === of.source.size && (await prove(at, "bundle.tar", of.source.size))) return true;
    await runVerbWell(line, remote, "again");
    state.proven = 0;
    return false;
  }
  const arrived = Number(measured.get("part") || 0);
  if (arrived > state.furthest) fruitful();
  state.furthest = Math.max(state.furthest, arrived);
  if (arrived > of.source.size || !(await prove(at, "bundle.tar.part", arrived))) {
    await throwAway(at);
    return false;
  }
  state.kept ??= arrived;
  if (arrived === of.source.size) {
    await runVerbWell(line, remote, "complete");
    return true;
  }
  await send(at, arrived);
  return false;
}

/** Compares the digests, here and there, of what is not proven yet. */
async function prove({ line, remote, of, state, watch }: Step, name: string, to: number): Promise<boolean> {
  if (to < state.proven) state.proven = 0;
  const from = Math.floor(state.proven / blockBytes) * blockBytes;
  if (to === from) return true;
  watch.compared(from, to);
  const there = runVerbWell(line, remote, "digest", [name, String(from / blockBytes), String(to - from)]);
  const [here, end] = await Promise.all([digestOf(of.source, from, to, watch.signal), there]);
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

async function send({ line, remote, of, watch }: Step, from: number): Promise<void> {
  const process = await startVerb(line, remote, "send", [of.id, String(from)]);
  const said = tailOf(process.stderr);
  void drain(process.stdout);
  let at = from;
  for await (const piece of of.source.read(from, of.source.size)) {
    if (!process.isRunning()) break;
    watch.signal.throwIfAborted();
    await process.write(piece);
    watch.sent((at += piece.byteLength));
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
  return new EnvironmentError(`the disk of the host is full: ${said} (${answers.get("part") || 0} of ${of.source.size} bytes have arrived, ${answers.get("free") || 0} KiB are free)`, {
    hint: "make room there, or choose a folder on another disk with --folder; the same command then goes on",
  });
}
