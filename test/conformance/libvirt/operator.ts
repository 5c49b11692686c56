/** Runs install.sh of an unpacked bundle as an operator would, and kills it where a test wants it. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltBundle } from "../bundle.ts";

export interface Result {
  readonly status: number | null;
  readonly signal: string | null;
  /** Standard output and standard error. */
  readonly text: string;
}

/** One operator's state directory below out/conformance, empty at first. */
export class Operator {
  readonly home: string;
  readonly state: string;
  private readonly shell: readonly string[];
  private readonly parameters: readonly string[];
  private readonly environment: Readonly<Record<string, string>>;

  /** `environment`: what the operator has exported besides. */
  constructor(name: string, shell: readonly string[], parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.home = join(import.meta.dirname, "../../../out/conformance/operators", name);
    this.state = join(this.home, "state");
    this.shell = shell;
    this.environment = environment;
    this.parameters = parameters.flatMap((parameter) => ["--parameter", parameter]);
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.home, { recursive: true });
  }

  start(bundle: BuiltBundle, words: readonly string[]): ChildProcess {
    const [program = "", ...rest] = [...this.shell, join(bundle.folder, "install.sh"), "--state", this.state, ...words];
    return spawn(program, rest, { env: { PATH: process.env["PATH"], HOME: this.home, ...this.environment }, cwd: this.home, stdio: ["ignore", "pipe", "pipe"] });
  }

  async run(bundle: BuiltBundle, ...words: readonly string[]): Promise<Result> {
    return ended(this.start(bundle, words));
  }

  /** With the trusted key and the secrets. */
  async install(bundle: BuiltBundle, ...words: readonly string[]): Promise<Result> {
    return ended(this.start(bundle, this.installWords(bundle, words)));
  }

  installWords(bundle: BuiltBundle, words: readonly string[] = []): readonly string[] {
    return ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, "--yes", ...this.parameters, ...words];
  }

  /**
   * Runs it again and again, each time killed (not what it has started) at the first `begin STEP` or `done STEP` that was not
   * there before, until it ends by itself. Gives these events and the last run.
   */
  async killedAtEach(bundle: BuiltBundle, words: readonly string[]): Promise<Result & { readonly kills: readonly string[] }> {
    const kills: string[] = [];
    for (;;) {
      const from = this.journal().length;
      const child = this.start(bundle, words);
      const end = ended(child);
      let news: string | undefined;
      while (child.exitCode === null && news === undefined) {
        news = events(this.journal().slice(from)).find((event) => !kills.includes(event));
        if (news === undefined) await sleep(5);
      }
      if (news === undefined) return { ...(await end), kills };
      child.kill("SIGKILL");
      await end;
      kills.push(news);
    }
  }

  journal(): string {
    const path = join(this.state, "journal");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  receipt(): { readonly [name: string]: unknown } {
    return JSON.parse(readFileSync(join(this.state, "receipt.json"), "utf8")) as { readonly [name: string]: unknown };
  }

  /** Every byte that the runs have left in the operator's folder. */
  traces(): string {
    return readdirSync(this.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
  }
}

function events(journal: string): readonly string[] {
  return journal.split("\n").map((line) => line.split(" ").slice(1, 3).join(" ")).filter((event) => /^(begin|done) ./.test(event));
}

async function ended(child: ChildProcess): Promise<Result> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  // Not "close": what a killed install.sh had started holds the pipes open.
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("exit", (code, by) => resolve([code, by]));
  });
  await sleep(50);
  return { status, signal, text };
}
