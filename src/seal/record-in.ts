/** From a bundle's files to what it tells of itself. */

import type { Issue, Outcome } from "../core/issue.ts";
import { readRecord, recordPaths, type BundleRecord } from "../evidence/record.ts";
import { textIn, type Contents } from "./contents.ts";

/** Issues: of each text that is missing, is not what the manifest lists, or is not well formed. */
export async function recordIn(contents: Contents): Promise<Outcome<BundleRecord>> {
  const texts = { spec: "", release: "", lock: "", origins: "" };
  const issues: Issue[] = [];
  for (const each of ["spec", "release", "lock", "origins"] as const) {
    const text = await textIn(contents, recordPaths[each]);
    if (text.ok) texts[each] = text.value;
    else issues.push(...text.issues);
  }
  return issues.length > 0 ? { ok: false, issues } : readRecord(texts);
}
