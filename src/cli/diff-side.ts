/** One side of `diff`: a bundle as it was read, or what a spec would become. */

import type { File } from "../core/file.ts";
import type { DiffFile } from "../evidence/diff.ts";
import { isDerived } from "../evidence/diff-files.ts";
import { readRecord, recordPaths } from "../evidence/record.ts";
import { remake } from "../evidence/trace.ts";
import { isBlobPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { comparedSide, modeText, type ComparedSide } from "../seal/compared-side.ts";
import { openContents, recordIn, refuse } from "./bundle-argument.ts";
import { bytesOf } from "../store/draw.ts";
import { assetsOf } from "../store/package-folder.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { hasErrors, showAside } from "./show-report.ts";

/** Undefined where it can't be read as what it is, which has been said. */
export async function bundleSide(io: Io, name: string): Promise<ComparedSide | undefined> {
  const contents = await openContents(io, name);
  const record = contents === undefined ? undefined : await recordIn(io, name, contents);
  if (contents === undefined || record === undefined) return undefined;
  const side = await comparedSide(contents, record, remake(record, assetsOf(io.packageFolder)));
  if (side.ok) return side.value;
  refuse(io, name, side.issues);
  return undefined;
}

/** The blobs need not be there: a lock that is made says what they are. */
export async function specSide(io: Io, path: string, options: ReleaseOptions & { readonly quiet?: true }): Promise<ComparedSide | undefined> {
  const loaded = await loadSpec(io, path);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(loaded), blobs: "as-locked" });
  const { drawn, reports } = inputs.resolved === undefined ? { drawn: undefined, reports: [] } : drawBundle(io, loaded, inputs.resolved);
  // What a bundle was warned of when it was built is not asked here.
  showAside(io, [...inputs.reports, ...reports].filter((report) => hasErrors([report])));
  if (drawn === undefined) return undefined;
  const { files, about } = drawn.tree;
  const text = (wanted: string): string => new TextDecoder().decode(bytesOf(drawn.tree, wanted));
  const record = readRecord({ spec: text(recordPaths.spec), release: text(recordPaths.release), lock: text(recordPaths.lock), origins: text(recordPaths.origins) });
  if (!record.ok) throw new Error(`the record just made is not well formed: ${JSON.stringify(record.issues)}`);
  return {
    record: record.value,
    files: new Map(files.map((file): [string, DiffFile] => [file.path, asDiffFile(file)])),
    isMade: () => true,
    specFile: { name: path, text: loaded.report.text ?? "" },
    fingerprint: undefined,
    generator: `${about.generator.name} ${about.generator.version}`,
    isWhole: true,
    isBuilt: false,
    read: async (path) => text(path),
  };
}

function asDiffFile({ mode, role, source, path, body }: File): DiffFile {
  const text = body.kind === "bytes" && !isBlobPath(path) && !isDerived(path, { role }) ? new TextDecoder().decode(body.bytes) : undefined;
  return { mode: modeText(mode), role, source, sha256: bodySha256(body), text };
}
