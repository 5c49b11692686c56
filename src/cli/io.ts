/** The world as a command sees it: the one place where clock, randomness, environment and terminal enter. */

import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { output } from "./output.ts";

export interface Io {
  /** Results. */
  readonly out: (text: string) => void;
  /** Results that are bytes of any kind; ends when they are on their way, so that a slow reader slows the writer. */
  readonly outBytes: (bytes: Uint8Array) => Promise<void>;
  /** Progress and messages. */
  readonly err: (text: string) => void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal on stderr. */
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** Milliseconds since the Epoch. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** Ends long work: the user pressed Ctrl-C, or whoever started us asked us to stop. */
  readonly signal: AbortSignal;
  /** Whoever keeps a piece copies it: the next one may lie in the same memory. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** The folder with `templates/` and `package.json`. */
  readonly packageFolder: string;
}

/** Exit status: 0 done, 1 findings, 2 usage, 3 environment (disk, network, a missing tool). */
export type ExitStatus = 0 | 1 | 2 | 3;

export function processIo(): Io {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => {
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  // A file that may not grow (ulimit -f) shall be an error of write(2), which is told, not the end of the process.
  process.on("SIGXFSZ", () => undefined);
  const out = output("stdout");
  return {
    out: (text) => void out(text),
    outBytes: out,
    err: output("stderr"),
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    environment: process.env,
    workingFolder: process.cwd(),
    now: () => Date.now(),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    signal: stop.signal,
    stdin: standardInput,
    packageFolder: packageFolder(),
  };
}

/** Most commands read none, and start sooner without it. */
const standardInput: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    const { piecesOfInput } = await import("./standard-input.ts");
    yield* piecesOfInput();
  },
};

/** `src/cli/` in the checkout and `dist/` in the package both lie below the folder of package.json. */
function packageFolder(): string {
  const here = fileURLToPath(import.meta.url);
  const cut = Math.max(here.lastIndexOf("/src/"), here.lastIndexOf("/dist/"));
  if (cut < 0) throw new Error(`not inside the package: ${here}`);
  return here.slice(0, cut);
}

/** Colours on a terminal only, and not under NO_COLOR (no-color.org: set and not empty). */
export function wantsColour(io: Io, stream: "stdout" | "stderr"): boolean {
  const terminal = stream === "stdout" ? io.stdoutIsTerminal : io.stderrIsTerminal;
  return terminal && !io.environment["NO_COLOR"] && io.environment["TERM"] !== "dumb";
}
