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
  /** Undefined where there is none: small files that `render` wrote, or that somebody took out. */
  readonly manifest: Manifest | undefined;
  /** The manifest's line on each file. */
  readonly listed: ReadonlyMap<string, ManifestFile>;
}

/** A text that is read as a whole: as long as a spec may be, four times over, for origins.json tells of every line. Bytes. */
export const textBytes = 16 * 1_048_576;

/**
 * `small`: of a tar only what comes before the first blob, so that a pipe need not go on. Issues: those of the form
 * (`verify/…`), and of a manifest that is there and can't be read.
 */
export async function contentsOf(source: BundleSource, reach: "all" | "small" = "all"): Promise<Outcome<Contents>> {
  const form = await formOf(source, reach);
  if (form.issues.length > 0) return { ok: false, issues: form.issues };
  const files = [...form.files.values()].sort((a, b) => byPlace(a.path, b.path));
  const found = form.files.get(manifestPath);
  const none: Contents = { source, files, manifest: undefined, listed: new Map() };
  if (found === undefined) return { ok: true, value: none, issues: [] };
  const manifest = parseManifest(await source.read(found.place));
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

export function contentsPaths({ files }: Contents): ReadonlySet<string> {
  return new Set(files.map((file) => file.path));
}

/** The text of a small file, which must be the one that the manifest lists where there is one. */
export async function textIn({ source, files, listed }: Contents, path: string): Promise<Outcome<string>> {
  const no = (issue: VerifyIssue): Outcome<string> => ({ ok: false, issues: [issue] });
  const found = files.find((file) => file.path === path);
  if (found === undefined) return no(refusal("verify/missing-file", `${path} is missing`));
  if (found.size > textBytes) return no(refusal("verify/too-big", `${path} has more than ${textBytes} bytes`));
  const bytes = await source.read(found.place);
  const line = listed.get(path);
  if (line !== undefined && line.sha256 !== hexOf(sha256(bytes))) return no(refusal("verify/digest", `${path} is not the file that ${manifestPath} lists`));
  return { ok: true, value: new TextDecoder().decode(bytes), issues: [] };
}
