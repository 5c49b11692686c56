/** A bundle that was read as what an audit looks at: the documents are read again from its own record. */

import type { Issue, Outcome } from "../../core/issue.ts";
import { platforms } from "../../platforms/registry.ts";
import { readLock } from "../../spec/read-lock.ts";
import { readRelease } from "../../spec/read-release.ts";
import { readSpec } from "../../spec/read-spec.ts";
import type { BundleRecord } from "../record.ts";
import { recordPaths } from "../record.ts";
import type { AuditInput, BundledFile } from "./input.ts";
import { inputOfBundle } from "./input.ts";

/** Issues: `evidence/form` where this build can't read one of the documents. */
export function inputOfRecord(files: readonly BundledFile[], record: BundleRecord): Outcome<AuditInput> {
  const spec = readSpec(record.documents.spec.text, { platforms: platforms.map((platform) => platform.name) });
  const release = readRelease(record.documents.release.text);
  const lock = readLock(record.documents.lock.text);
  if (spec.ok && release.ok && lock.ok) {
    return { ok: true, value: inputOfBundle(files, record.origins, { spec: spec.value.spec, release: release.value.release, lock: lock.value.lock }), issues: [] };
  }
  const wrong = [
    [recordPaths.spec, spec],
    [recordPaths.release, release],
    [recordPaths.lock, lock],
  ] as const;
  const issues = wrong.flatMap(([path, { ok, issues: found }]): readonly Issue[] =>
    ok ? [] : [{ code: "evidence/form", severity: "error", pointer: "", message: `this version can't read ${path}: ${found[0]?.message ?? ""}` }],
  );
  return { ok: false, issues };
}
