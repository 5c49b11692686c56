/** The manifest and the certificate of an OVF package (DSP0243 1.1.0 clause 5.1). */

import type { Issue } from "../core/issue.ts";
import { finding } from "./finding.ts";
import type { DigestName, Member } from "./package-source.ts";
import { digestOf } from "./package-source.ts";

const digits: Readonly<Record<DigestName, number>> = { SHA1: 40, SHA256: 64, SHA512: 128 };

/**
 * `members`: the files of the package by name; `wanted`: those that must be listed. Reads each listed file to its end.
 */
export async function manifestIssues(text: string, members: ReadonlyMap<string, Member>, wanted: readonly string[]): Promise<readonly Issue[]> {
  const issues: Issue[] = [];
  const listed = new Set<string>();
  let start = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const span = { start, end: start + line.replace(/\n$/, "").length };
    start += line.length;
    const [, label, name = "", digest] = /^(SHA1|SHA256|SHA512)\(([^()\n]+)\)= ([0-9a-f]+)\n$/.exec(line) ?? [];
    if (label === undefined || digits[label as DigestName] !== digest?.length) {
      // What it is about can be seen all the same: then it is not also missing.
      listed.add(/\(([^()]*)\)/.exec(line)?.[1] ?? "");
      issues.push(finding("ovf/manifest-form", `not a line of a manifest: ${why(line)}`, "A line is SHA256(file)= and the digest in lower case; one space, behind the equals sign; no carriage return.", span));
      continue;
    }
    const member = members.get(name);
    if (listed.has(name)) issues.push(finding("ovf/manifest-file", `${name} is listed twice`, "List each file once.", span));
    else if (member === undefined) issues.push(finding("ovf/manifest-file", `${name} is listed and not there`, "Put it beside the descriptor.", span));
    else if ((await digestOf(member, label as DigestName)) !== digest) issues.push(finding("ovf/manifest-digest", `${name} has another digest`, "Get the file again, or make the package anew.", span));
    listed.add(name);
  }
  for (const name of wanted.filter((each) => !listed.has(each) && members.has(each))) {
    issues.push(finding("ovf/manifest-file", `${name} is not listed`, "Every file but manifest and certificate has its line.", { start: 0, end: 0 }));
  }
  return issues;
}

function why(line: string): string {
  if (!line.endsWith("\n")) return "its end is missing";
  if (/\r/.test(line)) return "it ends with a carriage return";
  if (/^\s*$/.test(line)) return "it is empty";
  const [, label] = /^([A-Za-z0-9-]+)/.exec(line) ?? [];
  if (label !== undefined && !Object.hasOwn(digits, label)) return `its label is ${label}`;
  if (/^\w+ +\(/.test(line)) return "there is a space before the parenthesis";
  if (/\)=(?! [^ ])/.test(line) || /\) +=/.test(line)) return "not exactly one space stands behind the equals sign, and none before it";
  return "the digest is not of that length, or not in lower case";
}
