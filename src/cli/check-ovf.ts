/** The part of `check` that looks at OVF packages. */

import { openOvf, ovfKind, type OvfKind } from "../store/ovf-files.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import { progressOn } from "./progress.ts";
import type { ReportedDocument } from "./report-issues.ts";

/** Undefined for what is no OVF package, or can't be read. */
export async function packageKind(io: Io, path: string): Promise<OvfKind | undefined> {
  return path === "-" ? undefined : ovfKind(absolute(io, path));
}

export async function checkedPackage(io: Io, path: string, kind: OvfKind, quiet: boolean): Promise<readonly ReportedDocument[]> {
  // A spec is checked more often, and should not wait for what only packages need.
  const { checkOvf, secretsOf } = await import("../ovf/check.ts");
  const progress = progressOn(io, quiet);
  const source = await openOvf(absolute(io, path), kind, { read: (done, total) => progress.report(`checking ${path}`, done, total), signal: io.signal });
  const checked = await checkOvf(source).finally(progress.finish);
  return checked
    .filter(({ name, issues }) => name !== "" || issues.length > 0 || kind === "archive")
    .map(({ name, text, issues }) => ({
      name: name === "" ? path : kind === "archive" ? `${path}:${name}` : beside(path, name),
      issues,
      ...(text === undefined ? {} : { text, secrets: secretsOf(text) }),
    }));
}

/** The path of a file beside another. */
function beside(path: string, name: string): string {
  return `${path.slice(0, path.lastIndexOf("/") + 1)}${name}`;
}
