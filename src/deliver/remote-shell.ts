/** Runs our script on the host: any POSIX shell, every word of ours quoted, and what a login shell says by itself left out. */

import { shWord } from "../core/sh-word.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { LineCut, type Line, type RemoteProcess } from "./line.ts";
import { plainText } from "./plain-text.ts";

/** The folder on the host that all is about, and the script that is run there. */
export interface RemoteFolder {
  /** `templates/push/host.sh`. */
  readonly script: string;
  /** Absolute, or below the home folder. */
  readonly folder: string;
}

export interface ScriptEnd {
  /** Undefined where a signal has ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  /** Without control characters, and no more than the last lines. */
  readonly stderr: string;
}

/** A login shell's start-up files may write too; what the script says comes behind this line. */
const marker = "cloudlet-bundle-9c1f says:";
/** Start-up files that say more are no start-up files. */
const noiseMaxBytes = 262_144;
/** Of what a script says on standard error, the end is kept. */
const stderrMaxBytes = 16_384;
/** No script says more on either; a receipt is the longest. */
const stdoutMaxBytes = 4 * 1_048_576;

/**
 * One command for the login shell: `words` become $1, $2 … of a script that comes on standard input, before anything else.
 * Dropbear takes no command of more than 9,000 characters. `dd` reads byte by byte, and so none of what follows.
 */
export function remoteCommand(scriptBytes: number, words: readonly string[]): string {
  return `exec sh -c ${[`printf '%s\\n' ${shWord(marker)}; eval "$(dd bs=1 count=${scriptBytes} 2>/dev/null)"`, "sh", ...words].map(shWord).join(" ")}`;
}

/** Starts a verb of the script. */
export async function startVerb(line: Line, { script, folder }: RemoteFolder, verb: string, words: readonly string[]): Promise<RemoteProcess> {
  const bytes = new TextEncoder().encode(script);
  const process = await line.exec(remoteCommand(bytes.length, [verb, folder, ...words]));
  await process.write(bytes);
  return process;
}

/** Runs a verb of the script to its end. `input` goes to its standard input. */
export async function runVerb(line: Line, remote: RemoteFolder, verb: string, words: readonly string[] = [], input?: Uint8Array): Promise<ScriptEnd> {
  const process = await startVerb(line, remote, verb, words);
  const said = tailOf(process.stderr);
  const text = textOf(process);
  if (input !== undefined) await process.write(input);
  process.end();
  // Together: a host that says too much need not have ended.
  const [status, stdout, stderr] = await Promise.all([process.ended, text, said]);
  return { status, stdout, stderr };
}

/** The same, where anything but success is a failure of the host. */
export async function runVerbWell(line: Line, remote: RemoteFolder, verb: string, words: readonly string[] = [], input?: Uint8Array): Promise<ScriptEnd> {
  const end = await runVerb(line, remote, verb, words, input);
  if (end.status !== 0) throw failureOf(end, remote);
  return end;
}

/** What the exit status of a verb means: see the script's head. */
export function failureOf({ status, stderr }: ScriptEnd, { folder }: RemoteFolder): Error {
  switch (status) {
    case undefined:
      return new LineCut("the command on the host was killed");
    case 7:
      return new EnvironmentError(`there is nothing of this bundle on the host (${plainText(folder)})`, { hint: "push it first; if it lies in another folder there, give --folder" });
    case 8:
      return new EnvironmentError(`another push, or an installation, is at work there (${plainText(folder)})`, { hint: "wait for it; an installation is shown with --attach and stopped with --cancel" });
    case 9:
      return new EnvironmentError(`${plainText(folder)}: the folder on the host was not made by push`, { hint: "choose another with --folder; this one is left as it is" });
    default:
      return new EnvironmentError(`the host says: ${stderr === "" ? `exit status ${status}` : stderr}`, noSpace.test(stderr) ? { hint: "make room there, or choose a folder on another disk with --folder; the same command then goes on" } : {});
  }
}

export const noSpace = /No space left on device|Disk quota exceeded|File too large|disk full/i;

/** Runs a script whose output is bytes, as they come. */
export async function* scriptOutput(process: RemoteProcess): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of process.stdout) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    const at = head.indexOf(`${marker}\n`);
    if (at < 0 && head.length > noiseMaxBytes) throw new EnvironmentError("the login shell of the host says too much before it does what it is told", { hint: "see what its start-up files print" });
    if (at < 0) continue;
    const rest: Buffer = head.subarray(at + marker.length + 1);
    head = undefined;
    if (rest.length > 0) yield rest;
  }
}

async function textOf(process: RemoteProcess): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of scriptOutput(process)) {
    size += piece.length;
    if (size > stdoutMaxBytes) throw tooMuch();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** The end of what a process says on standard error, for a message. */
export async function tailOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let tail = Buffer.alloc(0);
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > stdoutMaxBytes) throw tooMuch();
    tail = Buffer.concat([tail, piece]).subarray(-stderrMaxBytes);
  }
  return plainText(tail.toString("utf8")).trim();
}

function tooMuch(): EnvironmentError {
  return new EnvironmentError("the host says more than it is asked", { hint: "what runs there is not our script: see what its login shell is" });
}

/** `NAME value` a line, as our scripts answer. A name that comes twice keeps its first value. */
export function answersIn(text: string): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^([a-z0-9-]+)(?: (.*))?$/.exec(line) ?? [];
    if (name !== undefined && !answers.has(name)) answers.set(name, value);
  }
  return answers;
}

/** An answer that the script always gives when it ends well: without it, what ran there was not our script. */
export function answer(end: ScriptEnd, name: string): string {
  const value = answersIn(end.stdout).get(name);
  if (value !== undefined) return value;
  throw new EnvironmentError(`the host gives no answer (${name}): ${end.stderr === "" ? `exit status ${end.status ?? "none"}` : end.stderr}`, {
    hint: "a POSIX shell as the login shell, and sh, are needed there; a forced command is in the way",
  });
}
