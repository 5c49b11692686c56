/** A line to the host: runs commands there, until it is closed or cut. What every transport gives. */

import type { Readable, Writable } from "node:stream";

export interface Line {
  /** Starts a command, which the login shell there reads. Rejects with a LineCut where the line is gone. */
  readonly exec: (command: string) => Promise<RemoteProcess>;
  readonly close: () => void;
}

export interface RemoteProcess {
  /** Ends when more may be written, or when the process reads no more. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** No more comes on its standard input. */
  readonly end: () => void;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** False once it has ended, or the line is gone. */
  readonly isRunning: () => boolean;
  /** Its exit status; undefined where a signal has ended it. Rejects with a LineCut where the line was gone before. */
  readonly ended: Promise<number | undefined>;
}

/** The line is gone, or could not be made just now: worth another try. Anything else that a transport throws is not. */
export class LineCut extends Error {
  override readonly name = "LineCut";
  /** Nothing has listened there, or there is no such place: at the first try nobody waits for that to change. */
  readonly neverThere: boolean;

  constructor(message: string, options: { readonly neverThere?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.neverThere = options.neverThere ?? false;
  }
}

/** What both transports make of their streams. */
export function remoteProcess(streams: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable; readonly ended: Promise<number | undefined> }): RemoteProcess {
  const { stdin, stdout, stderr, ended } = streams;
  let isRunning = true;
  let wake = (): void => undefined;
  const over = (): void => {
    isRunning = false;
    wake();
  };
  ended.then(over, over);
  // A process that reads no more tells it by its exit status.
  stdin.on("error", () => undefined).on("drain", () => wake()).on("close", () => wake());
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  return {
    write: async (bytes) => {
      if (!isRunning || stdin.destroyed || !stdin.writable || stdin.write(bytes)) return;
      await new Promise<void>((resolve) => (wake = resolve));
    },
    end: () => void stdin.end(),
    stdout: bytesOf(stdout),
    stderr: bytesOf(stderr),
    isRunning: () => isRunning,
    ended,
  };
}

/** A stream that breaks just ends here: that the line is gone is told by `ended` alone. */
function bytesOf(stream: Readable): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* stream as AsyncIterable<Uint8Array>;
      } catch {
        return;
      }
    },
  };
}
