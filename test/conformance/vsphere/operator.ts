/** Runs install.sh of an unpacked bundle as an operator would, and kills it where a test wants it. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltBundle } from "../bundle.ts";
import type { Front } from "./front.ts";
import type { Simulator } from "./simulator.ts";

export interface Result {
  readonly status: number | null;
  readonly signal: string | null;
  /** Standard output and standard error. */
  readonly text: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** One operator's state directory below out/conformance, empty at first, and their login to a vCenter. */
export class Operator {
  readonly home: string;
  readonly state: string;
  shell: readonly string[] = ["dash"];
  readonly #environment: Environment;

  constructor(name: string, simulator: Simulator, front: Front) {
    this.home = join(import.meta.dirname, "../../../out/conformance/operators", name);
    this.state = join(this.home, "state");
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.home, { recursive: true });
    this.#environment = {
      PATH: `${simulator.bin}:/usr/bin:/bin`,
      HOME: this.home,
      GOVC_URL: front.url,
      GOVC_USERNAME: "lab",
      GOVC_PASSWORD: "lab-pass",
      GOVC_TLS_CA_CERTS: front.authority,
      // What a shell has left over must not decide, and debug files would hold secrets.
      GOVC_DATASTORE: "no-such-datastore",
      GOVC_DEBUG: "true",
    };
  }

  start(bundle: BuiltBundle, words: readonly string[], more: Environment = {}): ChildProcess {
    const [program = "", ...rest] = [...this.shell, join(bundle.folder, "install.sh"), "--state", this.state, ...words];
    return spawn(program, rest, { env: { ...this.#environment, ...more }, cwd: this.home, stdio: ["ignore", "pipe", "pipe"] });
  }

  async run(bundle: BuiltBundle, words: readonly string[], more: Environment = {}): Promise<Result> {
    return ended(this.start(bundle, words, more));
  }

  /** With the trusted key and the secrets, not asking. */
  async install(bundle: BuiltBundle, words: readonly string[] = [], more: Environment = {}): Promise<Result> {
    return this.run(bundle, this.words(bundle, words), more);
  }

  words(bundle: BuiltBundle, words: readonly string[] = []): readonly string[] {
    return ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, "--yes", ...words];
  }

  async uninstall(bundle: BuiltBundle): Promise<Result> {
    return this.run(bundle, ["--uninstall", "--yes"]);
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

  receipt(): Readonly<Record<string, unknown>> {
    return JSON.parse(readFileSync(join(this.state, "receipt.json"), "utf8")) as Readonly<Record<string, unknown>>;
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

/** Values of site.env. */
export function site(bundle: BuiltBundle, name: string): string {
  const line = readFileSync(join(bundle.folder, "site.env"), "utf8").split("\n").find((each) => each.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`site.env has no ${name}`);
  return line.slice(name.length + 2, -1).replaceAll("'\\''", "'");
}

/** Secrets as given, and as base64. */
export function secretsOf(bundle: BuiltBundle): readonly string[] {
  return readFileSync(bundle.secrets, "utf8")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.slice(line.indexOf("=") + 1).replace(/^base64:/, ""))
    .flatMap((value) => [value, Buffer.from(value).toString("base64").replace(/=+$/, "")]);
}

/** Looks at all arguments of all processes until `done`; gives those that hold one of the texts or match the pattern. */
export async function watchProcesses(done: Promise<unknown>, texts: readonly string[], pattern: RegExp): Promise<readonly string[]> {
  const found = new Set<string>();
  let running = true;
  done.finally(() => (running = false)).catch(() => undefined);
  while (running) {
    for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      let line = "";
      try {
        line = readFileSync(join("/proc", process, "cmdline"), "utf8");
      } catch {
        continue;
      }
      if (texts.some((text) => text !== "" && line.includes(text)) || pattern.test(line)) found.add(line.slice(0, 300));
    }
    await sleep(10);
  }
  return [...found];
}
