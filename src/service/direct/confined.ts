/** A child process that has nothing of the service's: a session of its own, named variables alone, limits; and its end, also after a restart. */

import { spawn } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StringDecoder } from "node:string_decoder";
import type { RunAs } from "./run-folder.ts";

export interface ConfinedCommand {
  readonly words: readonly string[];
  readonly folder: string;
  /** All that it has. */
  readonly environment: Readonly<Record<string, string>>;
  /** Stands in its environment and in that of all that it starts, so that they can be found. */
  readonly mark: string;
  readonly runAs: RunAs | undefined;
  readonly limits: ProcessLimits;
  readonly onLine: (line: string) => void;
}

/** Undefined is none. */
export interface ProcessLimits {
  readonly cpuSeconds: number | undefined;
  /** Of each file that is written. */
  readonly fileBytes: number | undefined;
}

const GiB = 1_024 ** 3;

/** Four hours of processor time; 1 GiB, for the big files are there already. */
export const usualProcessLimits = { cpuSeconds: 14_400, fileBytes: GiB };

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
}

export interface Confined {
  readonly pid: number;
  readonly born: string;
  /** It waits until then: by that time somebody has written down that it is there. */
  readonly go: () => void;
  readonly ended: Promise<Ended>;
  /** SIGTERM to all of them, and SIGKILL to whoever is there after the grace. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** umask; no core dump, which would hold a password; 1,024 open files; the limits. The shell waits for its word, so that nothing runs that nobody knows of. */
function prelude({ cpuSeconds, fileBytes }: ProcessLimits): string {
  const limits = [
    ...(cpuSeconds === undefined ? [] : [`ulimit -t ${cpuSeconds};`]),
    // In blocks of 512 bytes (POSIX.1-2017 XCU ulimit).
    ...(fileBytes === undefined ? [] : [`ulimit -f ${Math.ceil(fileBytes / 512)};`]),
  ];
  return ["umask 077; ulimit -c 0; ulimit -n 1024 2>/dev/null || :;", ...limits, 'IFS= read -r go || exit 125; exec "$@" </dev/null 2>&1'].join(" ");
}

/** Longer lines are cut: whoever prints without an end shall not fill a disk. */
const lineLength = 2_000;
/** Under this name a process tells whose it is. */
export const markName = "CLOUDLET_BUNDLE_RUN";

/** Throws where it can't be started. */
export async function startConfined({ words, folder, environment, mark, runAs, limits, onLine }: ConfinedCommand): Promise<Confined> {
  const child = spawn("/bin/sh", ["-c", prelude(limits), "sh", ...words], {
    cwd: folder, detached: true, stdio: ["pipe", "pipe", "ignore"], env: { ...environment, [markName]: mark }, ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const pid = child.pid ?? 0;
  child.stdin.on("error", () => undefined);
  const lines = lineReader(onLine);
  child.stdout.on("data", lines.take);
  const ended = new Promise<Ended>((resolve) => {
    child.once("exit", (status, signal) => {
      // Whatever it left of its group is of no use any more.
      signalGroup(pid, "SIGKILL");
      // Somebody outside of the group may hold the pipe.
      const late = setTimeout(() => child.stdout.destroy(), 2_000);
      child.once("close", () => {
        clearTimeout(late);
        lines.end();
        resolve({ status, signal });
      });
    });
  });
  return { pid, born: bornOf(pid) ?? "", go: () => void child.stdin.end("go\n"), ended, stop: (graceMs) => stopGroup(pid, graceMs) };
}

/** Ends what an earlier process of the service has started under that mark, if it is still there. True where there was something. */
export async function stopLeft({ pid, born, mark }: { readonly pid: number | null; readonly born: string | null; readonly mark: string }, graceMs: number): Promise<boolean> {
  const isLeader = pid !== null && born !== null && bornOf(pid) === born;
  const left = markedWith(mark);
  if (!isLeader && left.length === 0) return false;
  // Once each: a second one would end install.sh in the midst of its tidying up.
  if (isLeader) signalGroup(pid, "SIGTERM");
  else for (const each of left) signalOne(each, "SIGTERM");
  for (const end = Date.now() + graceMs; Date.now() < end && markedWith(mark).length > 0; ) await sleep(50);
  if (isLeader && bornOf(pid) === born) signalGroup(pid, "SIGKILL");
  for (const each of markedWith(mark)) signalOne(each, "SIGKILL");
  return true;
}

/** When a process was started, by the boot and the clock ticks since then (proc(5), field 22); undefined where there is none, or it has ended. */
export function bornOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function markedWith(mark: string): readonly number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== process.pid && isMarked(pid, mark) && !isVm(pid));
}

/** A VM that QEMU alone runs was started by install.sh, and has its environment; it is what was asked for, and stays. */
function isVm(pid: number): boolean {
  try {
    return /^qemu-(system-|kvm)/.test(basename(readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    return false;
  }
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${markName}=${mark}`);
  } catch {
    return false;
  }
}

async function stopGroup(pid: number, graceMs: number): Promise<void> {
  signalGroup(pid, "SIGTERM");
  for (const end = Date.now() + graceMs; Date.now() < end; await sleep(50)) if (!signalOne(-pid, 0)) return;
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // 0 and 1 would be the service's own group, and everybody.
  if (pid > 1) signalOne(-pid, signal);
}

/** False where there is nobody. */
function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function lineReader(onLine: (line: string) => void): { readonly take: (piece: Buffer) => void; readonly end: () => void } {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const tell = (line: string): void => {
    const plain = plainText(line);
    if (plain.trim() !== "") onLine(plain);
  };
  return {
    take: (piece) => {
      const lines = (rest + decoder.write(piece)).split(/\r?\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) tell(line);
      if (rest.length > 64 * 1_024) {
        tell(rest);
        rest = "";
      }
    },
    end: () => {
      tell(rest + decoder.end());
      rest = "";
    },
  };
}

/** Without what would move somebody's cursor. */
function plainText(line: string): string {
  return line.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, " ");
}

/** A line as it is kept: hidden first, so that no secret is cut in two and missed. */
export function cutLine(line: string): string {
  return line.length <= lineLength ? line : `${line.slice(0, lineLength)} …`;
}
