/** An OVA's archive: which files it holds, and whether every reader of OVAs takes it. */

import type { Issue } from "../core/issue.ts";
import { octalSizeLimit } from "../pack/limits.ts";
import { blockSize, paddingOf } from "../pack/tar.ts";
import { finding, remark } from "./finding.ts";
import type { Member, OvaSource } from "./package-source.ts";
import { bytesAt } from "./package-source.ts";

export interface Archive {
  /** In their order. */
  readonly members: readonly Member[];
  readonly issues: readonly Issue[];
}

/** Files in an OVA: a descriptor, a manifest, a certificate and disks. A wrong header can't lead us round for ever. */
const mostMembers = 1_000;

/** Walks from header to header, and stops where nothing can be made out any more. */
export async function archiveMembers(source: OvaSource): Promise<Archive> {
  const members: Member[] = [];
  const issues: Issue[] = [];
  for (let offset = 0; ; ) {
    const block = await bytesAt(source, offset, offset + blockSize);
    if (block.length < blockSize) {
      issues.push(finding("ovf/archive-end", `the archive ends early, after ${source.size} bytes`, "Get it again: its transfer was cut."));
      return { members, issues };
    }
    if (block.every((byte) => byte === 0)) return { members, issues: [...issues, ...(await endIssues(source, offset))] };
    const header = headerOf(block);
    if (header === undefined || members.length === mostMembers) {
      issues.push(finding("ovf/archive-header", `at byte ${offset} there is no tar header`, "Get it again, or make it anew."));
      return { members, issues };
    }
    issues.push(...headerIssues(header, members));
    const start = offset + blockSize;
    offset = start + header.size + paddingOf(header.size);
    if (offset > source.size) {
      issues.push(finding("ovf/archive-end", `the archive ends early, in ${header.name}`, "Get it again: its transfer was cut."));
      return { members, issues };
    }
    const { name, size } = header;
    if (header.type === "0" || header.type === "\0") members.push({ name, size, read: (from, to) => source.read(start + from, start + to) });
  }
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  /** POSIX's ustar, not GNU's or the older form. */
  readonly isUstar: boolean;
}

/** Undefined where the checksum is not the header's. */
function headerOf(block: Uint8Array): Header | undefined {
  const text = Buffer.from(block).toString("latin1");
  const octal = (at: number, length: number): number => Number.parseInt(text.slice(at, at + length).replace(/[\0 ]+$/, "").trim() || "0", 8);
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  const size = (block[124] ?? 0) & 0x80 ? block.subarray(125, 136).reduce((value, byte) => value * 256 + byte, 0) : octal(124, 12);
  if (octal(148, 8) !== sum || !Number.isSafeInteger(size)) return undefined;
  const named = (at: number, length: number): string => text.slice(at, at + length).replace(/\0[^]*$/, "");
  const isUstar = text.slice(257, 265) === "ustar\u000000";
  const prefix = isUstar ? named(345, 155) : "";
  const name = Buffer.from(prefix === "" ? named(0, 100) : `${prefix}/${named(0, 100)}`, "latin1").toString("utf8");
  return { name, size, type: text.charAt(156), isUstar };
}

function headerIssues({ name, size, type, isUstar }: Header, members: readonly Member[]): readonly Issue[] {
  const plain = "Make it as plain ustar: tar --format=ustar.";
  if (type !== "0" && type !== "\0") return [finding("ovf/archive-type", `${JSON.stringify(name)} is ${kinds[type] ?? "of an unknown type"}, not a regular file`, plain)];
  if (!isUstar) return [finding("ovf/archive-type", `${name} has a header of another tar than ustar`, plain)];
  if (size > octalSizeLimit) return [finding("ovf/too-big", `${name} has ${size} bytes; in plain ustar a file has at most ${octalSizeLimit}`, "Deploy the descriptor with its files beside it.")];
  if (name.includes("/")) return [finding("ovf/archive-name", `${name} lies in a folder`, "Put all files at the top of the archive.")];
  if (members.some((member) => member.name === name)) return [finding("ovf/archive-name", `${name} is there twice`, "Readers differ in which of the two they take.")];
  return [];
}

const kinds: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "5": "a folder",
  g: "a global extended header (pax)",
  x: "an extended header (pax)",
  K: "a GNU long link",
  L: "a GNU long name",
  S: "a GNU sparse file",
};

async function endIssues(source: OvaSource, offset: number): Promise<readonly Issue[]> {
  const end = await bytesAt(source, offset, offset + 2 * blockSize);
  if (end.length === 2 * blockSize && end.every((byte) => byte === 0)) return [];
  return [finding("ovf/archive-end", "the archive does not end in two blocks of zeros", "Get it again: its transfer was cut.")];
}

/**
 * DSP0243 1.1.0 clause 5.3: the descriptor, then manifest and certificate, then the files of its References in their order;
 * or manifest and certificate at the very end.
 */
export function orderIssues(members: readonly Member[], descriptor: string, references: readonly string[]): readonly Issue[] {
  const stem = descriptor.replace(/\.ovf$/i, "");
  const names = members.map((member) => member.name);
  const seals = [`${stem}.mf`, `${stem}.cert`].filter((name) => names.includes(name));
  const files = references.filter((name) => names.includes(name));
  const wanted = [descriptor, ...seals, ...files];
  const atEnd = [descriptor, ...files, ...seals];
  const there = [...new Set(names)].filter((name) => wanted.includes(name));
  if (isSame(there, wanted) || isSame(there, atEnd)) return [];
  return [finding("ovf/archive-order", `the files stand in the order ${there.join(", ")}`, `Put them in this order: ${wanted.join(", ")}.`)];
}

/** Files that neither References nor the package's own names speak of. */
export function unnamedIssues(members: readonly Member[], known: readonly string[]): readonly Issue[] {
  return members
    .filter((member) => !known.includes(member.name))
    .map(({ name }) => remark("ovf/file-unnamed", `${name} is not in the descriptor's References`, "Readers pass over it; take it out."));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
