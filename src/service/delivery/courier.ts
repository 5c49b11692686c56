/** The courier's process, as the service has it: bounded, told what to carry, given the bytes that it asks for, heard, and ended. */

import { spawn } from "node:child_process";
import { markName } from "../direct/confined.ts";
import { readBytes, type CarryEnd, type FromCourier, type Order, type ToCourier } from "./courier-messages.ts";

export interface CourierWork {
  readonly order: Order;
  /** Stands in its environment, so that it can be found. */
  readonly mark: string;
  /** Bytes of the tar. */
  readonly read: (from: number, to: number) => Promise<Uint8Array>;
  readonly hear: (message: Exclude<FromCourier, { readonly type: "ready" | "read" | "end" }>) => void | Promise<void>;
  /** What it has written to standard error, for the log, when it ended by itself. */
  readonly died: (how: string) => void;
  /** It has said nothing for so long, and is taken for dead. */
  readonly silenceMs: number;
}

export interface Courier {
  /** Let it end well. */
  readonly cancel: () => void;
  /** At once; what goes on at the host goes on. */
  readonly kill: () => void;
  /** Undefined where it ended without a word. */
  readonly ended: Promise<CarryEnd | undefined>;
}

/**
 * No core dump, which would hold a password; no file is written; 256 open files; a day of processor time; 1 GiB of data, of which
 * Node itself takes the half in reserve: a host that sends without an end can only end its own delivery.
 */
const prelude = 'umask 077; ulimit -c 0; ulimit -f 0; ulimit -n 256; ulimit -t 86400; ulimit -d 1048576; exec "$@"';
/** MiB; the pieces that are on their way are beside it. */
const heapMiB = 128;
const errorMaxBytes = 4_096;

export function sendCourier({ order, mark, read, hear, died, silenceMs }: CourierWork): Courier {
  // Reading is for its own program's files; it may start nothing, write nothing, and load no native code.
  const words = [process.execPath, `--max-old-space-size=${heapMiB}`, "--permission", "--allow-fs-read=*", "--disable-warning=ExperimentalWarning", workerPath()];
  const child = spawn("/bin/sh", ["-c", prelude, "sh", ...words], { detached: true, stdio: ["ignore", "ignore", "pipe", "ipc"], serialization: "advanced", env: { LC_ALL: "C", [markName]: mark } });
  let said = Buffer.alloc(0);
  let end: CarryEnd | undefined;
  let silence: NodeJS.Timeout | undefined;
  const kill = (): void => void child.kill("SIGKILL");
  const tell = (message: ToCourier): void => {
    if (child.connected) child.send(message, () => undefined);
  };
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(kill, silenceMs);
  };
  const answerRead = async ({ number, from, to }: Extract<FromCourier, { type: "read" }>): Promise<void> => {
    const isSound = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= order.size && to - from <= readBytes;
    tell({ type: "bytes", number, bytes: isSound ? await read(from, to).catch(() => undefined) : undefined });
  };
  child.stderr?.on("data", (piece: Buffer) => (said = Buffer.concat([said, piece]).subarray(-errorMaxBytes)));
  child.on("message", (message: FromCourier) => {
    heard();
    switch (message.type) {
      case "ready":
        return tell({ type: "carry", order });
      case "read":
        return void answerRead(message);
      case "begins":
        return void Promise.resolve(hear(message)).then(() => tell({ type: "noted" }), kill);
      case "end":
        return void (end = message.end);
      default:
        return void hear(message);
    }
  });
  heard();
  const ended = new Promise<CarryEnd | undefined>((resolve) => {
    const over = (how: string): void => {
      clearTimeout(silence);
      if (end === undefined) died(`${how}: ${said.toString("utf8").trim()}`);
      resolve(end);
    };
    child.once("error", (error) => over(error.message));
    child.once("close", (status, signal) => over(`it ended with ${signal ?? status}`));
  });
  return { cancel: () => tell({ type: "cancel" }), kill, ended };
}

/** Beside this file in the checkout; beside the program in the package. */
function workerPath(): string {
  const here = import.meta.url;
  const url = here.endsWith(".ts") ? new URL("./courier-worker.ts", here) : new URL(here.includes("/parts/") ? "../courier-worker.js" : "./courier-worker.js", here);
  return decodeURIComponent(url.pathname);
}
