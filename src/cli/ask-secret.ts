/** Asks for a secret on the terminal, whatever standard input is; what is typed is not shown. */

import { openSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { Io } from "./io.ts";

/** Undefined where there is no terminal. The same question is asked once: a line that is made again needs no second answer. */
export function secretAsker(io: Io): (question: string) => Promise<string | undefined> {
  const answers = new Map<string, Promise<string | undefined>>();
  return (question) => {
    // A code that is good once is asked for each time.
    if (!/^Pass(word|phrase) of /.test(question)) return ask(io, question);
    const answer = answers.get(question) ?? ask(io, question);
    answers.set(question, answer);
    return answer;
  };
}

async function ask(io: Io, question: string): Promise<string | undefined> {
  const terminal = openTerminal();
  if (terminal === undefined) return undefined;
  io.err(question);
  terminal.setRawMode(true);
  try {
    return await lineFrom(terminal, io.signal);
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    io.err("\n");
  }
}

function openTerminal(): ReadStream | undefined {
  try {
    return new ReadStream(openSync("/dev/tty", "r"));
  } catch {
    return undefined;
  }
}

/** In raw mode the keys have no meaning of their own. */
async function lineFrom(terminal: ReadStream, signal: AbortSignal): Promise<string> {
  let line = "";
  terminal.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    terminal.on("error", reject);
    terminal.on("data", (text: string) => {
      for (const key of text) {
        if (key === "\r" || key === "\n" || (key === "\u0004" && line === "")) return resolve(line);
        // Ctrl-C: as everywhere else.
        if (key === "\u0003") return void process.kill(process.pid, "SIGINT");
        if (key === "\u007f" || key === "\b") line = [...line].slice(0, -1).join("");
        else if (key === "\u0015") line = "";
        else line += key;
      }
    });
  });
}
