/**
 * Who is at something in a store just now: a process, by a name that goes into the names of its files. What the dead left
 * can so be told from what is in use, without locks that somebody would have to give back.
 */

import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** `unknown` is a process of another machine, or of another container: only age can tell. */
export type Life = "alive" | "dead" | "unknown";

/** This process: `<machine>.<pid>.<start>`. */
export function ownName(): string {
  return `${machine()}.${process.pid}.${startOf(process.pid) ?? "0"}`;
}

/** Of the process whose name is in `text`. */
export function lifeOf(text: string): Life {
  const [, where, pid, start] = /([0-9a-f]{8})\.(\d+)\.(\d+)/.exec(text) ?? [];
  if (where !== machine()) return "unknown";
  const found = startOf(Number(pid));
  if (found !== undefined) return found === start ? "alive" : "dead";
  // Without /proc a number that was given out again counts as alive: that only keeps files for longer.
  return start === "0" && isRunning(Number(pid)) ? "alive" : "dead";
}

/** Process numbers mean something within one PID namespace only; containers of one machine have several. */
function machine(): string {
  return createHash("sha256").update(`${hostname()}\n${pidNamespace()}`).digest("hex").slice(0, 8);
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** When a process began, in ticks since the machine did: proc(5), field 22 of stat, the 20th after the name in brackets. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
