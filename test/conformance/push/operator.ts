/** Runs `cloudlet-bundle push` as a process of its own, as the user does. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { work } from "./host.ts";

const cli = join(import.meta.dirname, "../../../bin/cloudlet-bundle.js");

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both. */
  readonly text: string;
}

export interface Pushing {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far, on both. */
  readonly said: () => string;
}

/** Starts it with a home folder that has no keys and no known hosts, and no agent. */
export function push(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Pushing {
  const home = join(work, "operator");
  mkdirSync(home, { recursive: true });
  // A session of its own: there is no terminal to ask on.
  const child = spawn(process.execPath, [cli, "push", ...words], {
    detached: true,
    env: { PATH: process.env["PATH"], HOME: home, USER: "root", ...environment },
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr, text] = ["", "", ""];
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    stdout += piece;
    text += piece;
  });
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    stderr += piece;
    text += piece;
  });
  const ended = new Promise<Ended>((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr, text })));
  return { child, ended, said: () => text };
}

/** Waits until it holds, half a minute at most. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 600) throw new Error(`waited in vain: ${what}`);
    await sleepFor(50);
  }
}
