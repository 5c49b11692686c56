/** All files of a bundle in their order, and what the bundle is about. */

import type { Digest } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { sizeOf } from "../core/file.ts";
import { byPlace, pathProblem } from "./layout.ts";
import { bundleEntries, entrySizeDigits, mtimeLimit } from "./limits.ts";

export interface Tree {
  /** In the order of the tar. */
  readonly files: readonly File[];
  readonly about: BundleAbout;
  /** Of every entry: seconds since the Epoch. */
  readonly mtime: number;
}

/** What the manifest tells about the bundle as a whole. */
export interface BundleAbout {
  readonly cloudlet: { readonly name: string; readonly organization: string; readonly region: string };
  readonly platform: string;
  /** `created`: RFC 3339, UTC, whole seconds. */
  readonly release: { readonly name: string; readonly sequence: number; readonly created: string };
  /** Digests of canonical JSON. */
  readonly spec: { readonly digest: Digest };
  readonly lock: { readonly digest: Digest };
  readonly generator: { readonly name: string; readonly version: string };
}

export const bundleSuffix = ".cloudlet.tar";

/** `<cloudlet>-<organization>-<release>.cloudlet.tar` */
export function bundleFileName({ cloudlet, release }: Pick<BundleAbout, "cloudlet" | "release">): string {
  return `${plainName(cloudlet.name, cloudlet.organization, release.name)}${bundleSuffix}`;
}

/** Of files: names may hold spaces and `& , !`, which would need quoting everywhere. */
export function plainName(cloudlet: string, organization: string, release: string): string {
  const plain = (name: string): string => name.replace(/[^0-9A-Za-z._-]+/g, "_");
  return `${plain(cloudlet)}-${plain(organization)}-${release}`;
}

/** Sorts and checks files. They are ours, so whatever is wrong with them is a bug: throws. */
export function pack(files: readonly File[], about: BundleAbout): Tree {
  const sorted = [...files].sort((a, b) => byPlace(a.path, b.path));
  for (const file of sorted) {
    const problem = pathProblem(file.path);
    if (problem !== undefined) throw new Error(`no path for a bundle, ${problem}: ${JSON.stringify(file.path)}`);
    const size = sizeOf(file.body);
    if (!Number.isSafeInteger(size) || size < 0 || String(size).length > entrySizeDigits) {
      throw new Error(`${file.path} can't have ${size} bytes`);
    }
  }
  const clash = firstClash(sorted.map((file) => file.path));
  if (clash !== undefined) throw new Error(`these can't lie in one folder everywhere: ${clash.join(", ")}`);
  if (sorted.length > bundleEntries) throw new Error(`${sorted.length} files; a bundle has at most ${bundleEntries}`);
  return { files: sorted, about, mtime: mtimeOf(about.release.created) };
}

/** The release's time in seconds since the Epoch. Throws unless it is RFC 3339, UTC, whole seconds, from 1970 to 2038. */
export function mtimeOf(created: string): number {
  const mtime = epochOf(created);
  if (mtime === undefined) throw new Error(`not a time for a bundle: ${created}`);
  return mtime;
}

/** Seconds since the Epoch, or undefined where the text is no such time. */
export function epochOf(created: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(created)) return undefined;
  const milliseconds = Date.parse(created);
  // Some engines take 30 February for 2 March.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString().replace(".000Z", "Z") !== created) return undefined;
  const seconds = milliseconds / 1_000;
  return seconds >= 0 && seconds <= mtimeLimit ? seconds : undefined;
}

/** Two paths that are one where upper and lower case are one, or a file where the other needs a folder. */
export function firstClash(paths: readonly string[]): readonly [string, string] | undefined {
  const files = new Map<string, string>();
  for (const path of paths) {
    const other = files.get(path.toLowerCase());
    if (other !== undefined) return [other, path];
    files.set(path.toLowerCase(), path);
  }
  const folders = new Map<string, string>();
  for (const path of paths) {
    for (let cut = path.indexOf("/"); cut >= 0; cut = path.indexOf("/", cut + 1)) {
      const folder = path.slice(0, cut);
      const file = files.get(folder.toLowerCase());
      if (file !== undefined) return [file, path];
      const spelled = folders.get(folder.toLowerCase());
      if (spelled !== undefined && spelled !== folder) return [spelled, path];
      folders.set(folder.toLowerCase(), folder);
    }
  }
  return undefined;
}
