/** What is on the host before anything is changed there. */

import { EnvironmentError } from "../core/environment-error.ts";
import type { Line } from "./line.ts";
import { plainText } from "./plain-text.ts";
import { answer, answersIn, failureOf, runVerb, type RemoteFolder } from "./remote-shell.ts";

export interface Survey {
  /** Absolute. */
  readonly folder: string;
  readonly state: "absent" | "ours" | "foreign";
  /** Bytes; undefined where the host can't tell. */
  readonly free: number | undefined;
  /** Bytes of the tar that are there already, unproven. */
  readonly arrived: number;
  /** Digest of the tar whose files are there, unpacked and once verified. */
  readonly unpacked: string | undefined;
  /** What the last run was started under; "" where there is none. */
  readonly runId: string;
  readonly run: "none" | "going" | "died" | `ended ${string}`;
}

export async function survey(line: Line, remote: RemoteFolder): Promise<Survey> {
  const end = await runVerb(line, remote, "survey");
  if (end.status === undefined) throw failureOf(end, remote);
  answer(end, "end");
  const lacks = answer(end, "lacks").trim();
  if (lacks !== "") throw new EnvironmentError(`the host lacks: ${plainText(lacks)}`, { hint: "install coreutils (or BusyBox), tar, sed, awk and openssl there" });
  const answers = answersIn(end.stdout);
  const bytes = (name: string): number => Number(answers.get(name) || 0);
  const free = answers.get("free") ?? "";
  const unpacked = answers.get("unpacked") ?? "";
  return {
    folder: answer(end, "folder"),
    state: stateIn(answer(end, "state")),
    free: /^\d+$/.test(free) ? Number(free) * 1024 : undefined,
    arrived: Math.max(bytes("part"), bytes("tar")),
    unpacked: /^[0-9a-f]{64}$/.test(unpacked) ? unpacked : undefined,
    runId: answers.get("run-id") ?? "",
    run: runIn(answers.get("run") ?? "none"),
  };
}

function stateIn(text: string): Survey["state"] {
  return text === "ours" || text === "absent" ? text : "foreign";
}

function runIn(text: string): Survey["run"] {
  const [, status] = /^ended (\d+)$/.exec(text) ?? [];
  if (status !== undefined) return `ended ${status}`;
  return text === "going" || text === "died" ? text : "none";
}

/** Room for the tar and for what is unpacked from it, which for a moment are both there. Throws where it is not. */
export function refuseFullHost({ free, arrived, folder }: Survey, size: number): void {
  const needed = Math.max(0, size - arrived) + size + headroomBytes;
  if (free === undefined || free >= needed) return;
  throw new EnvironmentError(`${plainText(folder)} on the host has ${free} bytes free; the bundle and its unpacked files need ${needed}`, {
    hint: "make room there, or choose a folder on another disk with --folder",
  });
}

/** For names, modes and the last block of each file. */
const headroomBytes = 1_048_576;
