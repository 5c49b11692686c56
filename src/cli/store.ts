/** `store`: lists, checks and cleans the blob store. */

import type { Command } from "commander";
import type { Digest } from "../core/digest.ts";
import { readLock } from "../spec/read-lock.ts";
import { openStore } from "../store/blob-store.ts";
import { blobsOf } from "../store/resolve.ts";
import { load } from "./documents.ts";
import { storeFolder } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { hasErrors, showAside } from "./show-report.ts";

interface Options {
  readonly store?: string;
  readonly json?: true;
  readonly keep?: readonly string[];
  readonly olderThan?: string;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description("The blob store holds every input of a bundle once, by its digest. Any number of commands may use it at the same time.")
    .argument("<action>", "list, check (hash every blob again) or clean")
    .option("--store <folder>", "the blob store; ~/.cache/cloudlet-bundle or $CLOUDLET_BUNDLE_STORE when left out")
    .option("--keep <lock...>", "clean: keep what these locks name")
    .option("--older-than <hours>", "clean: only what nobody used for so long", "24")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExamples:\n  cloudlet-bundle store list\n  cloudlet-bundle store clean --keep release.lock.json --older-than 0\n\nExit status: 0 done, 1 check found bad blobs, 3 the disk failed.")
    .action(async (action: string, options: Options) => done(await act(action, options, io)));
}

async function act(action: string, options: Options, io: Io): Promise<ExitStatus> {
  switch (action) {
    case "list":
      return list(options, io);
    case "check":
      return check(options, io);
    case "clean":
      return clean(options, io);
    default:
      io.err(`cloudlet-bundle store: there is list, check and clean, not ${action}\n`);
      return 2;
  }
}

async function list(options: Options, io: Io): Promise<ExitStatus> {
  const store = await openStore(storeFolder(io, options.store));
  const blobs = await store.list();
  if (options.json) io.out(`${JSON.stringify({ folder: store.folder, blobs }, null, 2)}\n`);
  else for (const blob of blobs) io.out(`${blob.digest}  ${String(blob.size).padStart(13)}\n`);
  return 0;
}

async function check(options: Options, io: Io): Promise<ExitStatus> {
  const store = await openStore(storeFolder(io, options.store));
  const bad = await store.check((digest) => io.stderrIsTerminal && io.err(`\r\u001b[K${digest}`));
  if (io.stderrIsTerminal) io.err("\r\u001b[K");
  if (options.json) io.out(`${JSON.stringify({ folder: store.folder, bad }, null, 2)}\n`);
  else for (const digest of bad) io.out(`bad: ${digest}  ${store.path(digest)}\n`);
  if (bad.length > 0) io.err("Remove the bad files and fetch them again: cloudlet-bundle lock --release FILE\n");
  return bad.length > 0 ? 1 : 0;
}

async function clean(options: Options, io: Io): Promise<ExitStatus> {
  const hours = Number(options.olderThan);
  if (!Number.isFinite(hours) || hours < 0) {
    io.err(`cloudlet-bundle store: --older-than takes a number of hours, not ${options.olderThan}\n`);
    return 2;
  }
  const keep = new Set<Digest>();
  const reports: ReportedDocument[] = [];
  for (const path of options.keep ?? []) {
    const { value, report } = await load(io, path, readLock);
    reports.push(report);
    for (const { digest } of value === undefined ? [] : blobsOf(value.lock)) keep.add(digest);
  }
  showAside(io, reports);
  // A lock that can't be read must not cost what it names.
  if (hasErrors(reports)) return 1;
  const store = await openStore(storeFolder(io, options.store));
  const { removed, leftovers } = await store.collect(keep, io.now() / 1_000 - hours * 3_600);
  const bytes = removed.reduce((sum, blob) => sum + blob.size, 0);
  if (options.json) io.out(`${JSON.stringify({ folder: store.folder, removed, leftovers }, null, 2)}\n`);
  else io.out(`removed ${removed.length} blobs of ${bytes} bytes and ${leftovers} leftovers\n`);
  return 0;
}
