/** What an audit looks at and finds, of a bundle or of what a spec would become. */

import { createHash } from "node:crypto";
import { audit } from "../evidence/audit/audit.ts";
import type { AuditInput, BundledFile } from "../evidence/audit/input.ts";
import { inputOfFiles } from "../evidence/audit/input.ts";
import { inputOfRecord } from "../evidence/audit/record-input.ts";
import type { AuditResult } from "../evidence/audit/rule.ts";
import { afterAudit, isBlobPath, sealPaths } from "../pack/layout.ts";
import { digestIn, textIn, type Contents } from "../seal/contents.ts";
import { isSpecName, openContents, recordIn, refuse } from "./bundle-argument.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { showAside } from "./show-report.ts";

export interface Judged {
  readonly input: AuditInput;
  readonly results: readonly AuditResult[];
  /** Undefined for a spec, of which there is no bundle yet. */
  readonly contents: Contents | undefined;
}

/** Undefined where it can't be judged, which has been said. */
export function judge(io: Io, what: string, options: ReleaseOptions & { readonly quiet?: true }): Promise<Judged | undefined> {
  return isSpecName(what) ? ofSpec(io, what, options) : ofBundle(io, what);
}

async function ofSpec(io: Io, specPath: string, options: ReleaseOptions & { readonly quiet?: true }): Promise<Judged | undefined> {
  const loaded = await loadSpec(io, specPath);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(loaded) });
  const drawn = inputs.resolved === undefined ? undefined : drawBundle(io, loaded, inputs.resolved);
  showAside(io, [...inputs.reports, ...(drawn?.reports ?? [])]);
  if (drawn?.drawn === undefined) return undefined;
  const { tree, documents } = drawn.drawn;
  const { spec, release, lock } = documents;
  const input = inputOfFiles(tree.files, { spec: spec.spec, release: release.release, lock: lock.lock });
  return { input, results: audit(input), contents: undefined };
}

async function ofBundle(io: Io, name: string): Promise<Judged | undefined> {
  const contents = await openContents(io, name);
  const record = contents === undefined ? undefined : await recordIn(io, name, contents);
  const files = contents === undefined || record === undefined ? undefined : await filesOf(io, name, contents);
  if (contents === undefined || record === undefined || files === undefined) return undefined;
  const input = inputOfRecord(files, record);
  if (!input.ok) {
    refuse(io, name, input.issues);
    return undefined;
  }
  return { input: input.value, results: audit(input.value), contents };
}

/** What is there and what the manifest lists: blobs need not have come along. */
async function filesOf(io: Io, name: string, contents: Contents): Promise<readonly BundledFile[] | undefined> {
  const files: BundledFile[] = [];
  for (const path of new Set([...contents.listed.keys(), ...contents.found.keys()])) {
    if (sealPaths.includes(path)) continue;
    const line = contents.listed.get(path);
    // What is made after an audit need not be held for it: it must only be what the manifest lists.
    const isLater = afterAudit.includes(path);
    const read = isBlobPath(path) ? undefined : await (isLater ? digestIn : textIn)(contents, path);
    if (read?.ok === false) {
      refuse(io, name, read.issues);
      return undefined;
    }
    if (isLater) continue;
    const text = read?.value;
    const found = contents.found.get(path);
    files.push({
      path,
      mode: line?.mode ?? (((found?.mode ?? 0) & 0o100) === 0 ? "0644" : "0755"),
      role: line?.role ?? (path.startsWith("evidence/") ? "evidence" : "site"),
      source: line?.origin ?? "",
      sha256: line?.sha256 ?? (contents.manifest === undefined && text !== undefined ? createHash("sha256").update(text).digest("hex") : undefined),
      size: line?.size ?? found?.size ?? 0,
      text,
    });
  }
  return files;
}
