/** `store`: lists, checks and cleans the blob store, and copies it to a bucket. */

import type { Command } from "commander";
import type { Digest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { readLock } from "../spec/read-lock.ts";
import { openStore } from "../store/blob-store.ts";
import { readObjectAddress, shownObjects } from "../store/object-address.ts";
import { blobsOf } from "../store/resolve.ts";
import { absolute, load } from "./documents.ts";
import { storeFolder } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { hasErrors, showAside } from "./show-report.ts";

interface Options {
  readonly store?: string;
  readonly json?: true;
  readonly keep?: readonly string[];
  readonly olderThan?: string;
  readonly objects?: string;
  readonly objectsEndpoint?: string;
  readonly objectsCredentials?: string;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description("The blob store holds every input of a bundle once, by its digest. Any number of commands may use it at the same time.")
    .argument("<action>", "list, check (hash every blob again), clean, or push (copy what is in it to a bucket)")
    .option("--store <folder>", "the blob store; ~/.cache/cloudlet-bundle or $CLOUDLET_BUNDLE_STORE when left out")
    .option("--keep <lock...>", "clean: keep what these locks name; push: that alone")
    .option("--older-than <hours>", "clean: only what nobody used for so long", "24")
    .option("--objects <place>", "push: s3://BUCKET/PREFIX, as `serve --objects` has it; credentials in AWS_*")
    .option("--objects-endpoint <url>", "push: whose bucket it is; Amazon's when left out")
    .option("--objects-credentials <file>", "push: AWS_ACCESS_KEY_ID and the others as lines of a file that only its owner may read")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExamples:\n  cloudlet-bundle store list\n  cloudlet-bundle store clean --keep release.lock.json --older-than 0\n  cloudlet-bundle store push --keep release.lock.json --objects s3://bundles --objects-endpoint https://s3.example.com\n\nExit status: 0 done, 1 check found bad blobs, 3 the disk or the bucket failed.")
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
    case "push":
      return push(options, io);
    default:
      io.err(`cloudlet-bundle store: there is list, check, clean and push, not ${action}\n`);
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
  const keep = await namedBy(options.keep ?? [], io);
  // A lock that can't be read must not cost what it names.
  if (keep === undefined) return 1;
  const store = await openStore(storeFolder(io, options.store));
  const { removed, leftovers } = await store.collect(keep, io.now() / 1_000 - hours * 3_600);
  const bytes = removed.reduce((sum, blob) => sum + blob.size, 0);
  if (options.json) io.out(`${JSON.stringify({ folder: store.folder, removed, leftovers }, null, 2)}\n`);
  else io.out(`removed ${removed.length} blobs of ${bytes} bytes and ${leftovers} leftovers\n`);
  return 0;
}

/** Copies blobs into the bucket from which a service that is scaled out serves them. What is there is not sent again. */
async function push(options: Options, io: Io): Promise<ExitStatus> {
  const read = readObjectAddress(options.objects ?? "", {
    endpoint: options.objectsEndpoint, environment: io.environment, file: options.objectsCredentials === undefined ? undefined : absolute(io, options.objectsCredentials),
  });
  if (!read.ok) {
    io.err(`cloudlet-bundle store: ${options.objects === undefined ? "push needs --objects s3://BUCKET/PREFIX" : read.wrong}\n`);
    return 2;
  }
  const wanted = options.keep === undefined ? undefined : await namedBy(options.keep, io);
  if (options.keep !== undefined && wanted === undefined) return 1;
  const store = await openStore(storeFolder(io, options.store), { now: io.now });
  const here = await store.list();
  const lacking = [...(wanted ?? [])].filter((digest) => !here.some((blob) => blob.digest === digest));
  if (lacking.length > 0) {
    throw new EnvironmentError(`the store lacks what the lock names: ${lacking.join(", ")}`, { hint: "fetch it: cloudlet-bundle lock --release FILE" });
  }
  const { pushBlobs } = await import("../store/push-blobs.ts");
  const showing = io.stderrIsTerminal ? (digest: Digest): void => io.err(`\r\u001b[K${digest}`) : undefined;
  const { pushed, there } = await pushBlobs(read.address, store, here.filter(({ digest }) => wanted?.has(digest) ?? true), { progress: showing, signal: io.signal });
  if (io.stderrIsTerminal) io.err("\r\u001b[K");
  const bytes = pushed.reduce((sum, blob) => sum + blob.size, 0);
  if (options.json) io.out(`${JSON.stringify({ folder: store.folder, objects: shownObjects(read.address), pushed, there }, null, 2)}\n`);
  else io.out(`pushed ${pushed.length} blobs of ${bytes} bytes to ${shownObjects(read.address)}; ${there} were there\n`);
  return 0;
}

/** Digests of what the locks name; undefined where one of them can't be read, which is said. */
async function namedBy(locks: readonly string[], io: Io): Promise<ReadonlySet<Digest> | undefined> {
  const named = new Set<Digest>();
  const reports: ReportedDocument[] = [];
  for (const path of locks) {
    const { value, report } = await load(io, path, readLock);
    reports.push(report);
    for (const { digest } of value === undefined ? [] : blobsOf(value.lock)) named.add(digest);
  }
  showAside(io, reports);
  return hasErrors(reports) ? undefined : named;
}
