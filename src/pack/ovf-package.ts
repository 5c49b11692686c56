/**
 * An OVF package (DMTF DSP0243 1.1.0): the manifest beside its descriptor, and the archive that holds both with the disks.
 */

import { createHash } from "node:crypto";
import type { ArchiveEntry, File, Span } from "../core/file.ts";
import { sizeOf, textFile } from "../core/file.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import type { Origin, Val } from "../core/origin.ts";
import type { DiskPlan } from "../plan/plan.ts";
import { ovfCertificatePath, ovfManifestPath, ovfPath, payloadDiskPath, vmImageDiskPath } from "./layout.ts";
import { octalSizeLimit } from "./limits.ts";

export type ManifestDigest = "sha256" | "sha1";

/**
 * Clause 5.1: a line for every file of the package, `ALGORITHM(file)= digest`. vCenter wants the label to be spelled SHA256
 * or SHA1 and no space before the parenthesis. In the order of the archive: the descriptor, then its References.
 */
export function ovfManifest(descriptor: File, algorithm: Val<ManifestDigest>, disks: readonly DiskPlan[]): File {
  if (descriptor.body.kind !== "bytes") throw new Error(`${descriptor.path} is no text`);
  const [first, ...more] = [...new Set([...algorithm.origins, ...descriptor.spans.flatMap((span) => span.origins)])].sort() as [Origin, ...Origin[]];
  const digest = createHash(algorithm.value).update(descriptor.body.bytes).digest("hex");
  const rows: readonly { readonly name: string; readonly digest: string; readonly origins: Span["origins"] }[] = [
    { name: baseName(descriptor.path), digest, origins: [first, ...more] },
    ...disks.map((disk) => {
      const value = disk[algorithm.value];
      return { name: baseName(disk.file.value), digest: value.value, origins: merged(algorithm, disk.file, value) };
    }),
  ];
  const lines = rows.map((row) => `${algorithm.value.toUpperCase()}(${row.name})= ${row.digest}`);
  const spans = rows.map(({ origins }, index): Span => ({ line: index + 1, start: 1, end: (lines[index] ?? "").length + 1, origins }));
  return textFile(ovfManifestPath, lines.map((line) => `${line}\n`).join(""), { role: "site", source: "pack/ovf-package", spans });
}

/**
 * The files of a bundle that an OVA is made of, under their names in it. Clause 5.3: the descriptor comes first; manifest
 * and certificate follow it at once or close the archive. Behind it a reader that streams, as vSphere's and ovftool's do,
 * has the digests before the first disk. The disks come in the order of References.
 */
export const ovaPaths: readonly string[] = [ovfPath, ovfManifestPath, ovfCertificatePath, vmImageDiskPath, payloadDiskPath];

/**
 * `files` of a bundle as the entries of an OVA. Issues: `ovf/too-big`. A file of 8 GiB needs an extension of tar that is not
 * ustar's, and clause 5.3 allows ustar alone.
 */
export function ovaEntries<T extends Pick<File, "path" | "body">>(files: readonly T[]): Outcome<readonly ArchiveEntry[]> {
  const entries = ovaPaths.flatMap((path) => {
    const found = files.find((file) => file.path === path);
    return found === undefined ? [] : [{ path: baseName(path), body: found.body as ArchiveEntry["body"] }];
  });
  const issues = entries.filter(({ body }) => sizeOf(body) > octalSizeLimit).map(({ path, body }) => tooBig(path, sizeOf(body)));
  return outcome(issues, () => entries);
}

/** `size` in bytes. */
export function tooBig(name: string, size: number): Issue {
  return {
    code: "ovf/too-big",
    severity: "error",
    pointer: "",
    message: `${name} has ${size} bytes; an OVA is a plain ustar archive, whose files have at most ${octalSizeLimit}`,
    hint: "Deploy the bundle's folder ovf/ instead: every client takes platformvm.ovf with its disks beside it.",
  };
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function merged(...values: readonly Val[]): Span["origins"] {
  return [...new Set(values.flatMap((value) => value.origins))].sort() as [Origin, ...Origin[]];
}
