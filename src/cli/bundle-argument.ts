/** A bundle as the command line names it: a tar, the folder it was unpacked into, `-` for standard input, or a URL. */

import { EnvironmentError } from "../core/environment-error.ts";
import type { Issue } from "../core/issue.ts";
import type { BundleRecord } from "../evidence/record.ts";
import type { BundleSource } from "../seal/bundle-source.ts";
import { contentsOf, type Contents } from "../seal/contents.ts";
import { recordIn as recordOf } from "../seal/record-in.ts";
import { openBundle } from "../store/bundle-file.ts";
import { openStream } from "../store/bundle-stream.ts";
import { openUrl } from "../store/bundle-url.ts";
import { sendThrough } from "../store/sources/http-send.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import { showAside } from "./show-report.ts";

export const bundleArgument = "the tar, the folder it was unpacked into, - for standard input, or an http(s) URL that is read by ranges";

/** Whether what the command line names is a spec, where it may be either. */
export function isSpecName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !/^https?:/.test(name);
}

/** What is in the bundle, or of a tar in its small files; undefined where it can't be read as one, which has been said. */
export async function openContents(io: Io, name: string, reach: "all" | "small" = "all"): Promise<Contents | undefined> {
  const contents = await contentsOf(await sourceOf(io, name), reach);
  if (contents.ok) return contents.value;
  refuse(io, name, contents.issues);
  return undefined;
}

/** What the bundle tells of itself; undefined where that is not there or not well formed, which has been said. */
export async function recordIn(io: Io, name: string, contents: Contents): Promise<BundleRecord | undefined> {
  const record = await recordOf(contents);
  if (record.ok) return record.value;
  refuse(io, name, record.issues);
  return undefined;
}

/** Says what is wrong with the bundle itself. */
export function refuse(io: Io, name: string, issues: readonly Issue[]): void {
  showAside(io, [{ name: name === "-" ? "standard input" : name, issues }]);
}

async function sourceOf(io: Io, name: string): Promise<BundleSource> {
  if (name === "-") return openStream(io.stdin);
  if (!/^https?:\/\//.test(name)) return openBundle(absolute(io, name), { signal: io.signal });
  const url = URL.parse(name);
  if (url === null) throw new EnvironmentError(`not a URL: ${name}`);
  return openUrl({ url, send: sendThrough(io.environment), signal: io.signal });
}
