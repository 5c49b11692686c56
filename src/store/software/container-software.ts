/** What is installed in a container, read out of its layers: the databases of dpkg, apk and rpm, layer by layer. */

import type { Digest } from "../../core/digest.ts";
import { byCodeUnit } from "../../core/json.ts";
import type { LockedSoftware } from "../../spec/lock.ts";
import { inMemory } from "./database-file.ts";
import { databases } from "./databases.ts";
import { debianLicence } from "./dpkg.ts";
import { layerChanges, type LayerChange } from "./layer-files.ts";
import { fitsInLock, lockedPackage, oncePerPurl } from "./locked-package.ts";
import { osReleasePaths, systemOf } from "./os-release.ts";
import type { FoundPackage } from "./package.ts";

const copyright = /^usr\/share\/doc\/([^/]+)\/copyright$/;

/** Of a database, which is held in memory. Bytes. */
const databaseLimit = 48 * 1024 * 1024;

/** A copyright file has some 10 KiB. Bytes. */
function mostOf(path: string): number {
  const database = databases.find((each) => each.path.test(path));
  if (database !== undefined) return Math.min(databaseLimit, database.most);
  return osReleasePaths.some((each) => each === path) || copyright.test(path) ? 262_144 : 0;
}

/** Of all files that are kept while a container is read, whatever its layers are made of. */
const keptBytes = 96 * 1024 * 1024;

/** `pathOf` gives the place of a layer's blob. Undefined where a layer can't be read as a tar: then nothing is known. */
export async function containerSoftware(
  layers: readonly { readonly digest: Digest }[],
  pathOf: (digest: Digest) => string,
  signal?: AbortSignal,
): Promise<LockedSoftware | undefined> {
  const files = new KeptFiles();
  const layerOf = new Map<string, number>();
  let found: Found = { packages: [], states: new Map() };
  for (const [index, { digest }] of layers.entries()) {
    const changes = await layerChanges(pathOf(digest), mostOf, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
      return undefined;
    });
    if (changes === undefined) return undefined;
    for (const change of changes.filter((each) => each.kind === "removed" || each.kind === "emptied")) files.take(change);
    for (const change of changes.filter((each) => each.kind === "file" || each.kind === "too-big")) files.take(change);
    if (changes.length === 0) continue;
    found = readAll(files.all);
    const here = new Set(found.packages.map(keyOf));
    // A package that went away and comes back belongs to the layer that brings it back.
    for (const key of layerOf.keys()) if (!here.has(key)) layerOf.delete(key);
    for (const key of here) if (!layerOf.has(key)) layerOf.set(key, index);
  }
  return described(found, layerOf, files.all);
}

/** What lies at the wanted paths, as far as the layers have been read. */
class KeptFiles {
  readonly #files = new Map<string, Kept>();
  #bytes = 0;

  take(change: LayerChange): void {
    switch (change.kind) {
      case "file":
        return this.#set(change.path, change.bytes);
      case "too-big":
        return this.#set(change.path, "too-big");
      case "removed":
        this.#delete(change.path);
        return this.#deleteBelow(change.path);
      case "emptied":
        return this.#deleteBelow(change.path);
    }
  }

  get all(): ReadonlyMap<string, Kept> {
    return this.#files;
  }

  #set(path: string, content: Kept): void {
    this.#delete(path);
    const size = content === "too-big" ? 0 : content.byteLength;
    const fits = this.#bytes + size <= keptBytes;
    this.#files.set(path, fits ? content : "too-big");
    this.#bytes += fits ? size : 0;
  }

  #delete(path: string): void {
    const there = this.#files.get(path);
    if (there !== undefined && there !== "too-big") this.#bytes -= there.byteLength;
    this.#files.delete(path);
  }

  #deleteBelow(folder: string): void {
    for (const path of this.#files.keys()) if (folder === "" || path.startsWith(`${folder}/`)) this.#delete(path);
  }
}

type Kept = Uint8Array | "too-big";

interface Found {
  readonly packages: readonly FoundPackage[];
  readonly states: ReadonlyMap<"apk" | "dpkg" | "rpm", "read" | "unreadable">;
}

function readAll(files: ReadonlyMap<string, Kept>): Found {
  const packages: FoundPackage[] = [];
  const states = new Map<"apk" | "dpkg" | "rpm", "read" | "unreadable">();
  for (const [path, bytes] of [...files].sort(([a], [b]) => byCodeUnit(a, b))) {
    const database = databases.find((each) => each.path.test(path));
    if (database === undefined) continue;
    try {
      if (bytes === "too-big" || database.read === undefined) throw new Error("not read");
      packages.push(...database.read(inMemory(bytes)));
      if (states.get(database.kind) !== "unreadable") states.set(database.kind, "read");
    } catch {
      states.set(database.kind, "unreadable");
    }
  }
  return { packages, states };
}

function keyOf({ type, name, version, architecture }: FoundPackage): string {
  return `${type} ${name} ${version} ${architecture}`;
}

function described({ packages, states }: Found, layerOf: ReadonlyMap<string, number>, files: ReadonlyMap<string, Kept>): LockedSoftware {
  const osRelease = osReleasePaths.map((path) => files.get(path)).find((each) => each !== undefined);
  const system = osRelease instanceof Uint8Array ? systemOf(osRelease) : undefined;
  const listed = packages.map((each) => {
    const stated = files.get(`usr/share/doc/${each.name}/copyright`);
    const licence = each.licence ?? (stated instanceof Uint8Array ? debianLicence(textOf(stated)) : undefined);
    return { ...lockedPackage({ ...each, ...(licence === undefined ? {} : { licence }) }, system), layer: layerOf.get(keyOf(each)) ?? 0 };
  });
  const once = oncePerPurl(listed);
  const fits = fitsInLock(once);
  return {
    ...(system === undefined ? {} : { system }),
    databases: [...states].sort(([a], [b]) => byCodeUnit(a, b)).map(([kind, state]) => ({ kind, state: fits ? state : "too-long" })),
    packages: fits ? once : [],
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
