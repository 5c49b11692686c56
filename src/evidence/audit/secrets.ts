/** What looks like a secret in a bundle's texts, without what the bundle knows to be something else. */

import type { Json } from "../../core/json.ts";
import { originsPath } from "../../pack/layout.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import type { Suspect } from "./secret-patterns.ts";
import { scannedLines } from "./scanned-lines.ts";

export interface FoundSecret extends Pick<Suspect, "looksLike" | "by"> {
  readonly file: AuditFile;
  readonly line: number;
  /** For finding the field of the spec; never shown. */
  readonly text: string;
}

/** By file and line. */
export function secretsIn(input: AuditInput): readonly FoundSecret[] {
  const digests = digestsOf(input);
  return input.files.filter(isLookedAt).flatMap((file) =>
    scannedLines(file).flatMap(({ line, suspects }) =>
      suspects
        .filter((suspect) => suspect.by === "pattern" || !isKnown(suspect, { file, line, digests }))
        .map(({ looksLike, by, text }): FoundSecret => ({ file, line, looksLike, by, text })),
    ),
  );
}

/**
 * Every text but what tells of the others: the map of origins holds pointers, and the SBOMs are written from the lock, which
 * is looked at.
 */
function isLookedAt({ path }: AuditFile): boolean {
  return path !== originsPath && !path.startsWith("evidence/sbom.");
}

interface Where {
  readonly file: AuditFile;
  readonly line: number;
  readonly digests: ReadonlySet<string>;
}

/**
 * A digest that lock, release or the list of files has; a constant of a standard; or what was put together of several values:
 * each of those stands by itself in evidence/, and is looked at there.
 */
function isKnown({ text, start, end }: Suspect, { file, line, digests }: Where): boolean {
  if (digests.has(text) || publicValues.has(text)) return true;
  return file.spansAt(line).some((span) => span.presence !== true && span.start <= start && span.end >= end && span.origins.length > 1);
}

const publicValues: ReadonlySet<string> = new Set([
  // DER of every P-256 public key begins so: RFC 5480 section 2, with the two object identifiers.
  "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
]);

function digestsOf({ files, lock, release, spec }: AuditInput): ReadonlySet<string> {
  const found = new Set(files.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [sha256])));
  const visit = (node: Json | undefined): void => {
    if (typeof node === "string") for (const [hex] of node.matchAll(/[0-9a-f]{32,}/g)) found.add(hex);
    else if (typeof node === "object" && node !== null) for (const each of Object.values(node)) visit(each as Json);
  };
  visit({ ...lock, containers: lock.containers.map(({ software: _, ...each }) => each), vmImage: { ...lock.vmImage, software: null } } as unknown as Json);
  visit([release.vmImage.digest, release.vmImage.packageList?.digest ?? "", ...release.containers.map((each) => each.digest)]);
  // The spec's one digest: MobiledgeX names a licence file by its MD5.
  visit(spec.gpu?.licenseConfigMd5 ?? "");
  return found;
}
