/** Progress of long work on stderr: one moving line on a terminal, a plain line now and then elsewhere, nothing when quiet. */

import { wantsColour, type Io } from "./io.ts";

/** Told by whoever does the work; `done` and `total` in bytes. */
export type ReportProgress = (what: string, done: number, total: number) => void;

export interface Progress {
  readonly report: ReportProgress;
  /** Clears the moving line; call before any other output and at the end. */
  readonly finish: () => void;
}

/** Plain lines come no more often than this. */
const plainEveryMs = 5_000;
/** A terminal is redrawn no more often than this. */
const redrawEveryMs = 100;

export function progressOn(io: Io, quiet = false): Progress {
  if (quiet) return { report: () => undefined, finish: () => undefined };
  return io.stderrIsTerminal ? movingLine(io) : plainLines(io);
}

function movingLine(io: Io): Progress {
  let drawnAt = -Infinity;
  let shown = false;
  return {
    report(what, done, total) {
      const now = io.now();
      if (now - drawnAt < redrawEveryMs && done < total) return;
      drawnAt = now;
      shown = true;
      const figures = ` ${percent(done, total)} ${mebibytes(done)} of ${mebibytes(total)}`;
      const room = Math.max(0, io.columns - figures.length - 1);
      const label = what.length > room ? `${what.slice(0, Math.max(0, room - 1))}…` : what;
      const line = wantsColour(io, "stderr") ? `\u001b[2m${label}\u001b[0m${figures}` : `${label}${figures}`;
      io.err(`\r\u001b[K${line}`);
    },
    finish() {
      if (shown) io.err("\r\u001b[K");
      shown = false;
    },
  };
}

function plainLines(io: Io): Progress {
  let last = io.now();
  return {
    report(what, done, total) {
      if (io.now() - last < plainEveryMs) return;
      last = io.now();
      io.err(`${what}: ${percent(done, total)}, ${mebibytes(done)} of ${mebibytes(total)}\n`);
    },
    finish: () => undefined,
  };
}

function percent(done: number, total: number): string {
  return `${String(total === 0 ? 100 : Math.floor((done / total) * 100)).padStart(3)} %`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 1 : 0)} MiB`;
}
