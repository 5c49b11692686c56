/** A release whose VM image is gigabytes, and is in the service's store already. */

import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { noise } from "../../../scripts/bench-inputs.ts";
import { fillStore, releaseText } from "../../unit/service/running.ts";

export interface GreatRelease {
  readonly release: string;
  readonly lock: string;
}

/**
 * `size` is the image's, bytes. A hole takes no disk and no time, and its digest is made up, so nothing can verify it; noise has
 * other bytes everywhere, so that one place can't be taken for another.
 */
export async function greatRelease(folder: string, size: number, of: "hole" | "noise"): Promise<GreatRelease> {
  const blobs = join(folder, "blobs/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const made = join(blobs, "made");
  const file = openSync(made, "w");
  const [hash, longer] = [createHash("sha256"), createHash("sha512")];
  if (of === "hole") ftruncateSync(file, size);
  else {
    for (const chunk of noise(size, 7)) {
      hash.update(chunk);
      longer.update(chunk);
      for (let at = 0; at < chunk.byteLength; ) at += writeSync(file, chunk, at);
    }
  }
  closeSync(file);
  const hex = hash.digest("hex");
  mkdirSync(join(blobs, hex.slice(0, 2)), { recursive: true });
  renameSync(made, join(blobs, hex.slice(0, 2), hex));
  writeFileSync(join(blobs, hex.slice(0, 2), `${hex}.sha512`), longer.digest("hex"));
  const release = releaseText.replace('name: "2026.11"', 'name: "2026.12"').replace("format: qcow2", "format: raw").replace(/digest: sha256:3cfe\w+/, `digest: sha256:${hex}`).replace("sizeLimit: 1048576", `sizeLimit: ${size}`).replace("sequence: 1", "sequence: 2");
  // It has the image, so it needs no source.
  return { release, lock: await fillStore(folder, { text: release }) };
}
