/** A bundle's texts made again from its own record, with this build's templates: where they are the same, each line's template is known. */

import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import { textOf } from "../core/file.ts";
import { platforms } from "../platforms/registry.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import type { BundleRecord } from "./record.ts";
import { composeTexts } from "./texts.ts";

/** Every text by its path; empty where this build makes nothing of the record: another version made the bundle. */
export function remake(record: BundleRecord, assets: Assets): ReadonlyMap<string, File> {
  const spec = readSpec(record.documents.spec.text, { platforms: platforms.map((platform) => platform.name) });
  const release = readRelease(record.documents.release.text);
  const lock = readLock(record.documents.lock.text);
  if (!spec.ok || !release.ok || !lock.ok) return new Map();
  const made = composeTexts({ spec: spec.value, release: release.value, lock: lock.value }, assets);
  return new Map(made.ok ? made.value.files.map((file) => [file.path, file]) : []);
}

/** Whether the text made again is the same. */
export function isMadeText(made: ReadonlyMap<string, File>, path: string, text: string | undefined): boolean {
  const body = made.get(path)?.body;
  return body?.kind === "bytes" && textOf(body.bytes) === text;
}

/** The lines of the template that the text at `path` was made from; undefined unless the text made again is the same. */
export function templateLinesOf(made: ReadonlyMap<string, File>, path: string, text: string): readonly number[] | undefined {
  const file = made.get(path);
  if (file === undefined || !isMadeText(made, path, text)) return undefined;
  if (file.templateLines !== undefined) return file.templateLines;
  // A static file is its template.
  return file.spans.length === 0 && file.source.startsWith("templates/") ? text.split("\n").map((_, index) => index + 1) : undefined;
}
