/** What a bundle tells of itself: the three documents it was made of, and the origin of every value. */

import type { Json, JsonObject } from "../core/json.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import type { Origin } from "../core/origin.ts";
import { keysOf } from "../core/pointer.ts";
import { lockPath, originsPath, releasePath, specPath } from "../pack/layout.ts";
import type { OriginsDocument } from "./origins.ts";

export type DocumentName = "spec" | "release" | "lock";

export interface BundleRecord {
  readonly documents: Readonly<Record<DocumentName, RecordedDocument>>;
  readonly origins: OriginsDocument;
}

export interface RecordedDocument {
  readonly path: string;
  readonly text: string;
  readonly value: Json;
}

export const recordPaths: Readonly<Record<DocumentName | "origins", string>> = { spec: specPath, release: releasePath, lock: lockPath, origins: originsPath };

/** Issues: `evidence/form` for each text that is not what it must be. */
export function readRecord(texts: Readonly<Record<DocumentName | "origins", string>>): Outcome<BundleRecord> {
  const issues: Issue[] = [];
  const read = (name: DocumentName | "origins"): JsonObject => {
    const value = objectIn(texts[name]);
    if (value !== undefined && (name !== "origins" || isOrigins(value))) return value;
    issues.push({ code: "evidence/form", severity: "error", pointer: "", message: `${recordPaths[name]} is not written as it must be` });
    return {};
  };
  const document = (name: DocumentName): RecordedDocument => ({ path: recordPaths[name], text: texts[name], value: read(name) });
  const documents = { spec: document("spec"), release: document("release"), lock: document("lock") };
  const origins = read("origins") as unknown as OriginsDocument;
  return issues.length > 0 ? { ok: false, issues } : { ok: true, value: { documents, origins }, issues: [] };
}

/** The value at a pointer; undefined where there is none. */
export function valueAt(document: Json, pointer: string): Json | undefined {
  let here: Json | undefined = document;
  for (const key of keysOf(pointer)) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as JsonObject)[key];
  }
  return here;
}

/** `spec:/a` as its two halves. */
export function partsOf(origin: Origin): { readonly kind: DocumentName | "default" | "constant"; readonly name: string } {
  const cut = origin.indexOf(":");
  return { kind: origin.slice(0, cut) as DocumentName, name: origin.slice(cut + 1) };
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function isOrigins(value: JsonObject): boolean {
  const { origins, files } = value;
  if (!Array.isArray(origins) || typeof files !== "object" || files === null || Array.isArray(files)) return false;
  const isOrigin = (each: Json): boolean => typeof each === "string" && /^(spec|release|lock|default|constant):/.test(each);
  const isEntry = (each: Json): boolean =>
    typeof each === "string" && /^\d+-\d+( if)?( \d+)+$/.test(each) && each.replace(/^\S+( if)? /, "").split(" ").every((index) => Number(index) < origins.length);
  const isFile = (lines: Json): boolean =>
    typeof lines === "object" && lines !== null && Object.entries(lines).every(([line, all]) => /^\d+$/.test(line) && Array.isArray(all) && all.every(isEntry));
  return origins.every(isOrigin) && Object.values(files).every(isFile);
}
