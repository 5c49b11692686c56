/** What lies in a bundle that the service has made, for those who read in it: its texts out of the small files, never a blob. */

import type { File } from "../../core/file.ts";
import { oncePer } from "../../core/once-per.ts";
import type { Outcome } from "../../core/issue.ts";
import type { BundleRecord } from "../../evidence/record.ts";
import { remake } from "../../evidence/trace.ts";
import { isBlobPath, manifestPath } from "../../pack/layout.ts";
import { parseManifest } from "../../pack/manifest.ts";
import { produce } from "../../pack/stream.ts";
import type { BundleSource, Found, Place } from "../../seal/bundle-source.ts";
import type { Contents } from "../../seal/contents.ts";
import { recordIn } from "../../seal/record-in.ts";
import { assetsOf } from "../../store/package-folder.ts";
import type { Context } from "../context.ts";
import { layoutOf, readerOf, type StoredFile, type StoredLayout } from "./stored-layout.ts";

export interface ReadBundle {
  readonly contents: Contents;
  readonly record: BundleRecord;
  /** What this version of the program makes of the record. */
  readonly made: ReadonlyMap<string, File>;
}

/** Each has a few megabytes of text; so many are open in front of people at a time. */
const bundlesKept = 6;

/** Reads bundles of this service; the last few are kept, as people ask for one file after another. */
export const bundleReader = oncePer(readerFor);

function readerFor(context: Context): (layout: StoredLayout) => Promise<ReadBundle> {
  const known = new Map<string, Promise<ReadBundle>>();
  return (layout) => {
    const key = layout.tag;
    const reading = known.get(key) ?? read(context, layout);
    known.delete(key);
    known.set(key, reading);
    // What could not be read today may be tomorrow.
    reading.catch(() => known.delete(key));
    const [oldest] = known.keys();
    if (known.size > bundlesKept && oldest !== undefined) known.delete(oldest);
    return reading;
  };
}

async function read(context: Context, layout: StoredLayout): Promise<ReadBundle> {
  const contents = await contentsOf(context, layout);
  const record = sound(await recordIn(contents));
  return { contents, record, made: remake(record, assetsOf(context.packageFolder)) };
}

async function contentsOf(context: Context, layout: StoredLayout): Promise<Contents> {
  const source = sourceOf(context, layout);
  const files = layout.files.map(foundOf);
  const found = new Map(files.map((file) => [file.path, file]));
  const manifestFile = found.get(manifestPath);
  if (manifestFile === undefined) throw new Error("a bundle of the service's has no manifest");
  const manifest = sound(parseManifest(await source.read(manifestFile.place)));
  return { source, files, found, manifest, listed: new Map(manifest.files.map((file) => [file.path, file])) };
}

function foundOf({ path, mode, size, start }: StoredFile): Found {
  return { path, mode: Number.parseInt(mode, 8), size, mtime: undefined, place: { file: "", start, end: start + size } };
}

function sourceOf(context: Context, layout: StoredLayout): BundleSource {
  const [laid, reader] = [layoutOf(layout), readerOf(layout, context)];
  const digests = new Map(layout.files.map(({ start, sha256 }) => [start, sha256]));
  return {
    kind: "archive",
    size: layout.size,
    read: async ({ start, end }: Place) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of produce(laid, reader, start, end, context.stopping)) parts.push(Uint8Array.from(chunk));
      return Buffer.concat(parts);
    },
    // As they were when the bundle was made.
    hash: async (places) => places.map(({ start }) => digests.get(start) ?? ""),
  };
}

/** A bundle that the service has made itself is as it must be, or there is a defect. */
export function sound<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`a bundle of the service's can't be read: ${JSON.stringify(outcome.issues)}`);
}

/** Whether `explain` has anything to say of the lines. */
export function isText(path: string): boolean {
  return !isBlobPath(path);
}
