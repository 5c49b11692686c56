/** What lies in a bundle, for those who read in it: its files, its manifest, and single texts. Nothing is verified here. */

import { hexOf, sha256 } from "../core/digest.ts";
import type { Outcome } from "../core/issue.ts";
import { byPlace, manifestPath } from "../pack/layout.ts";
import type { Manifest, ManifestFile } from "../pack/manifest.ts";
import { parseManifest } from "../pack/manifest.ts";
import type { BundleSource, Found } from "./bundle-source.ts";
import { formOf } from "./form.ts";
import { refusal } from "./verdict.ts";
import type { VerifyIssue } from "./verdict.ts";

export interface Contents {
  readonly source: BundleSource;
  /** In the order of the bundle. */
  readonly files: readonly Found[];
  /** The same by path. */
  readonly found: ReadonlyMap<string, Found>;
  /** Undefined where there is none: small files that `render` wrote, or that somebody took out. */
  readonly manifest: Manifest | undefined;
  /** The manifest's line on each file. */
  readonly listed: ReadonlyMap<string, ManifestFile>;
}

/** A text that is read as a whole. An SBOM tells 1.6 kB of each file, and of each package of the containers. Bytes. */
export const textBytes = 32 * 1_048_576;

/**
 * `small`: of a tar only what comes before the first blob, so that a pipe need not go on. Issues: those of the form
 * (`verify/…`), and of a manifest that is there and can't be read.
 */
export async function contentsOf(source: BundleSource, reach: "all" | "small" = "all"): Promise<Outcome<Contents>> {
  const form = await formOf(source, reach);
  if (form.issues.length > 0) return { ok: false, issues: form.issues };
  const files = [...form.files.values()].sort((a, b) => byPlace(a.path, b.path));
  const manifestFound = form.files.get(manifestPath);
  const none: Contents = { source, files, found: form.files, manifest: undefined, listed: new Map() };
  if (manifestFound === undefined) return { ok: true, value: none, issues: [] };
  const manifest = parseManifest(await source.read(manifestFound.place));
  if (!manifest.ok) return manifest;
  const listed = new Map(manifest.value.files.map((file) => [file.path, file]));
  return { ok: true, value: { ...none, manifest: manifest.value, listed }, issues: [] };
}

/** How much of a file is held at once. Bytes. */
const pieceBytes = 1_048_576;

/** The bytes of a file, piece by piece. A file that has become shorter meanwhile ends early. */
export async function* piecesIn({ source }: Contents, { place }: Found): AsyncGenerator<Uint8Array> {
  for (let at = place.start; at < place.end; ) {
    const piece = await source.read({ ...place, start: at, end: Math.min(place.end, at + pieceBytes) });
    if (piece.byteLength === 0) return;
    yield piece;
    at += piece.byteLength;
  }
}

/** The text of a small file, which must be the one that the manifest lists where there is one. */
export async function textIn(contents: Contents, path: string): Promise<Outcome<string>> {
  const found = foundIn(contents, path);
  if (!found.ok) return found;
  const { size, place } = found.value;
  if (size > textBytes) return refused(refusal("verify/too-big", `${path} has more than ${textBytes} bytes`));
  const bytes = await contents.source.read(place);
  const line = contents.listed.get(path);
  return line === undefined || line.sha256 === hexOf(sha256(bytes)) ? { ok: true, value: new TextDecoder().decode(bytes), issues: [] } : unlike(path);
}

/** The digest of a file that nobody reads, however long it is; it must be the one that the manifest lists where there is one. */
export async function digestIn(contents: Contents, path: string): Promise<Outcome<string>> {
  const found = foundIn(contents, path);
  if (!found.ok) return found;
  const [digest = ""] = await contents.source.hash([found.value.place]);
  const line = contents.listed.get(path);
  return line === undefined || line.sha256 === digest ? { ok: true, value: digest, issues: [] } : unlike(path);
}

function foundIn({ found: files }: Contents, path: string): Outcome<Found> {
  const found = files.get(path);
  return found === undefined ? refused(refusal("verify/missing-file", `${path} is missing`)) : { ok: true, value: found, issues: [] };
}

function unlike(path: string): Outcome<never> {
  return refused(refusal("verify/digest", `${path} is not the file that ${manifestPath} lists`));
}

function refused(issue: VerifyIssue): Outcome<never> {
  return { ok: false, issues: [issue] };
}
