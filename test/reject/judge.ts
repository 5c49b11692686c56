/** Makes the document of a case and reads it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Issue } from "../../src/core/issue.ts";
import { decodeText } from "../../src/spec/decode-text.ts";
import { importCloudlet } from "../../src/spec/import-mobiledgex.ts";
import { readLock } from "../../src/spec/read-lock.ts";
import { readRelease } from "../../src/spec/read-release.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { RejectCase } from "./cases.ts";

export const PLATFORMS = ["openstack", "vmpool"] as const;

export interface Judged {
  /** Empty where the document is no text. */
  readonly text: string;
  readonly issues: readonly Issue[];
}

export function baseOf(document: RejectCase["document"]): string {
  return readFileSync(join(import.meta.dirname, `base-${document}.yaml`), "utf8");
}

export function judge({ document, find, replace }: RejectCase): Judged {
  const decoded = typeof replace === "string" ? undefined : decodeText(replace);
  if (decoded !== undefined && !decoded.ok) return { text: "", issues: decoded.issues };
  const text = decoded?.value ?? edited(document, find, String(replace));
  return { text, issues: issuesOf(document, text) };
}

export function issuesOf(document: RejectCase["document"], text: string): readonly Issue[] {
  switch (document) {
    case "spec":
      return readSpec(text, { platforms: PLATFORMS }).issues;
    case "release":
      return readRelease(text).issues;
    case "lock":
      return readLock(text).issues;
    case "import":
      return importCloudlet(text).issues;
  }
}

function edited(document: RejectCase["document"], find: string | undefined, replace: string): string {
  if (find === undefined) return replace;
  const parts = baseOf(document).split(find);
  if (parts.length !== 2) {
    throw new Error(`${JSON.stringify(find)} stands ${parts.length - 1} times in the base ${document}`);
  }
  return parts.join(replace);
}
