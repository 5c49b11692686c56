/** An installation on the host that does not need the line: started, followed, stopped, and asked how it has ended. */

import type { LastingLine } from "./lasting-line.ts";
import { LineCut } from "./line.ts";
import { answer, answersIn, failureOf, runVerb, runVerbWell, scriptOutput, startVerb, tailOf, type RemoteFolder } from "./remote-shell.ts";

export interface RunStart {
  /** Of this start: the same again starts nothing. */
  readonly id: string;
  /** A file on the host that is read before, such as an openrc; "" for none. */
  readonly source: string;
  /** Of install.sh. */
  readonly words: readonly string[];
  /** What goes into the file `secrets`, mode 0600, which the run removes at its end. */
  readonly secrets: Uint8Array | undefined;
}

export type RunOutcome = { readonly kind: "ended"; readonly status: number; readonly hasReceipt: boolean } | { readonly kind: "died"; readonly hasReceipt: boolean } | { readonly kind: "going" };

export async function startRun(lasting: LastingLine, remote: RemoteFolder, { id, source, words, secrets }: RunStart): Promise<void> {
  await lasting.use(async (line) => {
    if (secrets !== undefined) await runVerbWell(line, remote, "secrets", [String(secrets.length)], secrets);
    const end = await runVerbWell(line, remote, "start", [id, source, ...words], new TextEncoder().encode(remote.script));
    // It had started, and may have ended, before the line was cut: these secrets came too late for it.
    if (answer(end, "started") === "again" && secrets !== undefined) await runVerbWell(line, remote, "tidy");
  });
}

/** Gives the log from byte `from` on to `show` as it grows, until the run has ended; a line that is cut is made again, and no byte comes twice. */
export async function followRun(lasting: LastingLine, remote: RemoteFolder, show: (bytes: Uint8Array) => void, from = 0): Promise<void> {
  let shown = from;
  await lasting.use(async (line, fruitful) => {
    const process = await startVerb(line, remote, "follow", [String(shown)]);
    const said = tailOf(process.stderr);
    process.end();
    fruitful();
    for await (const bytes of scriptOutput(process)) {
      shown += bytes.length;
      show(bytes);
      fruitful();
    }
    const status = await process.ended;
    if (status !== 0) throw failureOf({ status, stdout: "", stderr: await said }, remote);
  });
}

export async function outcomeOfRun(lasting: LastingLine, remote: RemoteFolder): Promise<RunOutcome> {
  return lasting.use(async (line) => {
    const end = await runVerbWell(line, remote, "outcome");
    const hasReceipt = answer(end, "receipt") === "yes";
    const run = answer(end, "run");
    if (run === "going") return { kind: "going" };
    const status = answersIn(end.stdout).get("status");
    return run === "ended" && status !== undefined && /^\d+$/.test(status) ? { kind: "ended", status: Number(status), hasReceipt } : { kind: "died", hasReceipt };
  });
}

export async function receiptOfRun(lasting: LastingLine, remote: RemoteFolder): Promise<string> {
  return lasting.use(async (line) => (await runVerbWell(line, remote, "receipt")).stdout);
}

/** "ended": nothing goes on there, or nothing did. */
export async function cancelRun(lasting: LastingLine, remote: RemoteFolder): Promise<"cancelled" | "killed" | "not running"> {
  return lasting.use(async (line) => {
    const end = await runVerb(line, remote, "cancel");
    if (end.status === 7) return "not running";
    if (end.status === undefined) throw new LineCut("the command on the host was killed");
    if (end.status !== 0) throw failureOf(end, remote);
    return answer(end, "cancelled") === "killed" ? "killed" : "cancelled";
  });
}

/** Gives the names that stay, which push did not put there. */
export async function removeAll(lasting: LastingLine, remote: RemoteFolder): Promise<readonly string[]> {
  return lasting.use(async (line) => {
    const end = await runVerb(line, remote, "remove");
    // Nothing there is what was wanted; also when the answer was lost with the line.
    if (end.status === 7) return [];
    if (end.status !== 0) throw failureOf(end, remote);
    const left = end.stdout.split("\n").flatMap((each) => (each.startsWith("left ") ? [each.slice(5)] : []));
    if (left.length === 0) answer(end, "removed");
    return left;
  });
}
