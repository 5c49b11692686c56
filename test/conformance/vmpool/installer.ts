/** Runs install.sh of an unpacked bundle as the operator of a pool would. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { BuiltBundle } from "../bundle.ts";

export interface Result {
  readonly status: number | null;
  /** Standard output and standard error. */
  readonly text: string;
}

/** One operator with a home and a state folder, empty at first, and the parameters that lead to the machine. */
export class Operator {
  readonly home: string;
  readonly parameters: readonly string[];

  constructor(name: string, parameters: Readonly<Record<string, string | number>>) {
    this.home = join(import.meta.dirname, "../../../out/conformance/operators", `vmpool-${name}`);
    this.parameters = Object.entries(parameters).flatMap(([key, value]) => ["--parameter", `${key}=${value}`]);
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.home, { recursive: true });
  }

  start(bundle: BuiltBundle, words: readonly string[], shell: readonly string[] = ["dash"]): ChildProcess {
    const [program = "", ...rest] = [...shell, join(bundle.folder, "install.sh"), "--state", join(this.home, "state"), ...words];
    // Of the caller's environment nothing that ssh would use, such as an agent.
    return spawn(program, rest, { env: { PATH: process.env["PATH"], HOME: this.home }, cwd: this.home, stdio: ["ignore", "pipe", "pipe"] });
  }

  async run(bundle: BuiltBundle, words: readonly string[], shell?: readonly string[]): Promise<Result> {
    return ended(this.start(bundle, words, shell));
  }

  /** With the key, the secrets and the way to the machine. */
  words(bundle: BuiltBundle, more: readonly string[] = ["--yes"]): readonly string[] {
    return ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, ...this.parameters, ...more];
  }

  async install(bundle: BuiltBundle, more?: readonly string[], shell?: readonly string[]): Promise<Result> {
    return this.run(bundle, this.words(bundle, more), shell);
  }

  async uninstall(bundle: BuiltBundle): Promise<Result> {
    return this.run(bundle, ["--uninstall", "--yes"]);
  }

  journal(): string {
    const path = join(this.home, "state/journal");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  receipt(): { readonly [name: string]: unknown } {
    return JSON.parse(readFileSync(join(this.home, "state/receipt.json"), "utf8")) as { readonly [name: string]: unknown };
  }

  /** Starts, and kills install.sh (not what it has started) as soon as the journal has the line. True if it was killed. */
  async killAt(bundle: BuiltBundle, line: RegExp, more?: readonly string[]): Promise<boolean> {
    const before = this.journal().length;
    const child = this.start(bundle, this.words(bundle, more));
    const end = ended(child);
    while (child.exitCode === null && !line.test(this.journal().slice(before))) await setTimeout(20);
    child.kill("SIGKILL");
    return (await end).status === null;
  }

  /** Every byte that the runs have left on this machine. */
  traces(): string {
    return readdirSync(this.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
  }
}

async function ended(child: ChildProcess): Promise<Result> {
  let text = "";
  for (const name of ["stdout", "stderr"] as const) child[name]?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  // Not "close": what a killed install.sh had started holds the pipes open.
  const status = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  await setTimeout(50);
  return { status, text };
}
