/** Runs install.sh of an unpacked bundle as an operator would, and watches it. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltBundle } from "../bundle.ts";
import { member } from "./cloud.ts";
import type { Environment } from "./cloud.ts";

export interface Result {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for a test's message. */
  readonly text: string;
  readonly seconds: number;
}

export interface Run {
  /** Default: dash. */
  readonly shell?: readonly string[];
  readonly environment?: Environment;
  /** What install.sh is started under, such as strace. */
  readonly under?: readonly string[];
}

/** One operator's state directory below out/conformance, empty at first. */
export class Operator {
  readonly state: string;
  readonly home: string;

  constructor(name: string) {
    this.home = join(import.meta.dirname, "../../../out/conformance/operators", name);
    this.state = join(this.home, "state");
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.home, { recursive: true });
  }

  start(bundle: BuiltBundle, words: readonly string[], run: Run = {}): ChildProcess {
    const [program = "", ...rest] = [
      ...(run.under ?? []),
      ...(run.shell ?? ["dash"]),
      join(bundle.folder, "install.sh"),
      "--state", this.state,
      ...words,
    ];
    return spawn(program, rest, { env: { ...(run.environment ?? member), HOME: this.home }, cwd: this.home, stdio: ["ignore", "pipe", "pipe"] });
  }

  async run(bundle: BuiltBundle, words: readonly string[], run: Run = {}): Promise<Result> {
    return ended(this.start(bundle, words, run));
  }

  /** As most runs want it: with the trusted key and the secrets. */
  async install(bundle: BuiltBundle, words: readonly string[] = ["--yes"], run: Run = {}): Promise<Result> {
    return this.run(bundle, ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, ...words], run);
  }

  async uninstall(bundle: BuiltBundle, run: Run = {}): Promise<Result> {
    return this.run(bundle, ["--uninstall", "--yes"], run);
  }

  journal(): string {
    const path = join(this.state, "journal");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  receipt(): { readonly [name: string]: unknown } {
    return JSON.parse(readFileSync(join(this.state, "receipt.json"), "utf8")) as { readonly [name: string]: unknown };
  }

  /** Starts, and kills install.sh (not what it has started) as soon as the journal has the line. */
  async killAt(bundle: BuiltBundle, line: RegExp, words: readonly string[] = ["--yes"]): Promise<Result> {
    const before = this.journal().length;
    const child = this.start(bundle, ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, ...words]);
    const end = ended(child);
    while (child.exitCode === null && !line.test(this.journal().slice(before))) await sleep(20);
    child.kill("SIGKILL");
    return end;
  }

  /** Every byte that a run has left on this machine. */
  traces(): string {
    return readdirSync(this.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
  }
}

export async function ended(child: ChildProcess): Promise<Result> {
  const began = Date.now();
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  // Not "close": what a killed install.sh had started holds the pipes open.
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("exit", (code, by) => resolve([code, by]));
  });
  await sleep(50);
  return { status, signal, ...text, text: `${text.stdout}${text.stderr}`, seconds: (Date.now() - began) / 1000 };
}

/** Values of site.env. */
export function site(bundle: BuiltBundle): (name: string) => string {
  const lines = readFileSync(join(bundle.folder, "site.env"), "utf8").split("\n");
  return (name) => {
    const line = lines.find((each) => each.startsWith(`${name}=`));
    if (line === undefined) throw new Error(`site.env has no ${name}`);
    return line.slice(name.length + 2, -1).replaceAll("'\\''", "'");
  };
}
