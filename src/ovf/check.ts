/** Checks an OVF package, of ours or of anyone's: what its readers trip over, at the place where it stands. */

import type { Issue } from "../core/issue.ts";
import { certificateProblem } from "../seal/ovf-certificate.ts";
import { archiveMembers, orderIssues, unnamedIssues } from "./archive.ts";
import type { Descriptor } from "./descriptor.ts";
import { fileIssues, readDescriptor } from "./descriptor.ts";
import { diskIssues } from "./disk.ts";
import type { Range } from "./finding.ts";
import { finding, remark } from "./finding.ts";
import { manifestIssues } from "./manifest.ts";
import type { Member, OvfFolder, OvfSource } from "./package-source.ts";
import { bytesAt } from "./package-source.ts";

/** A file of the package that something was found in, or nothing; the first is the package itself. */
export interface CheckedFile {
  /** "" for the archive. */
  readonly name: string;
  /** Absent where it is no text. */
  readonly text?: string;
  readonly issues: readonly Issue[];
}

/** A descriptor is a few kilobytes; more than this is none. Bytes. */
const textBytes = 4_194_304;

export async function checkOvf(source: OvfSource): Promise<readonly CheckedFile[]> {
  const archive = source.kind === "archive" ? await archiveMembers(source) : await folderMembers(source);
  const { members, issues } = archive;
  const name = source.kind === "folder" ? source.descriptor : members.find((member) => /\.ovf$/i.test(member.name))?.name;
  const named = new Map(members.map((member) => [member.name, member]));
  const descriptorFile = name === undefined ? undefined : named.get(name);
  if (descriptorFile === undefined || name === undefined) {
    const broken = issues.filter((issue) => issue.code === "ovf/archive-header" || issue.code === "ovf/archive-end");
    return [{ name: "", issues: [...broken, finding("ovf/file-missing", "there is no descriptor (.ovf)", "An OVA begins with one. A bundle is checked by: cloudlet-bundle verify.")] }];
  }
  const text = await textOf(descriptorFile);
  if (typeof text !== "string") return [{ name: "", issues }, { name, issues: [text] }];
  const { descriptor, issues: found } = readDescriptor(text);
  const known = source.kind === "folder" && descriptor !== undefined ? await withReferences(source, descriptor, named) : named;
  const references = descriptor?.files.map((file) => file.href) ?? [];
  const stem = name.replace(/\.ovf$/i, "");
  const layout = source.kind === "archive" && descriptor !== undefined ? [...orderIssues(members, name, references), ...unnamedIssues(members, [name, `${stem}.mf`, `${stem}.cert`, ...references])] : [];
  const inDescriptor = descriptor === undefined ? [] : [...fileIssues(descriptor, (each) => known.get(each)?.size), ...(await disksOf(descriptor, known))];
  const sealed = await sealFiles(stem, known, [name, ...references]);
  return [
    { name: "", issues: [...issues, ...layout, ...sealed.issues] },
    { name, text, issues: inTextOrder([...found, ...inDescriptor]) },
    ...sealed.files,
  ];
}

/** Values of properties that are passwords, whatever the text is: no report shows them. */
export function secretsOf(text: string): readonly Range[] {
  return [...text.matchAll(/<[^<>]*password=["']true["'][^<>]*>/g)].flatMap((tag) =>
    [...tag[0].matchAll(/value=(?:"([^"]*)"|'([^']*)')/g)].map((value) => {
      const start = tag.index + value.index + "value=".length + 1;
      return { start, end: start + (value[1] ?? value[2] ?? "").length };
    }),
  );
}

async function folderMembers(source: OvfFolder): Promise<{ readonly members: readonly Member[]; readonly issues: readonly Issue[] }> {
  const stem = source.descriptor.replace(/\.ovf$/i, "");
  const members: Member[] = [];
  for (const name of [source.descriptor, `${stem}.mf`, `${stem}.cert`]) {
    const file = await source.file(name);
    if (file !== undefined) members.push({ name, size: file.size, read: (start, end) => file.read(start, end) });
  }
  return { members, issues: [] };
}

async function withReferences(source: OvfFolder, { files }: Descriptor, named: ReadonlyMap<string, Member>): Promise<ReadonlyMap<string, Member>> {
  const all = new Map(named);
  for (const { href } of files) {
    // A name with a folder in it, or an address, is not one of a file beside the descriptor.
    const file = /[/\\:]/.test(href) || href === "" ? undefined : await source.file(href);
    if (file !== undefined) all.set(href, { name: href, size: file.size, read: (start, end) => file.read(start, end) });
  }
  return all;
}

async function disksOf({ disks }: Descriptor, members: ReadonlyMap<string, Member>): Promise<readonly Issue[]> {
  const issues: Issue[] = [];
  for (const disk of disks) {
    const file = disk.file === undefined ? undefined : members.get(disk.file.href);
    if (file !== undefined) issues.push(...(await diskIssues(disk, file)));
  }
  return issues;
}

/** Manifest and certificate; `issues` are about one that is not there. */
async function sealFiles(stem: string, members: ReadonlyMap<string, Member>, wanted: readonly string[]): Promise<{ readonly files: readonly CheckedFile[]; readonly issues: readonly Issue[] }> {
  const manifest = members.get(`${stem}.mf`);
  const certificate = members.get(`${stem}.cert`);
  if (manifest === undefined) {
    const without = remark("ovf/manifest-missing", `there is no ${stem}.mf`, "Without a manifest nobody sees that a file was damaged on its way.");
    return { files: [], issues: certificate === undefined ? [without] : [without, finding("ovf/certificate", `${stem}.cert is there without the manifest that it signs`, "Add the manifest, or take it out.")] };
  }
  const text = await textOf(manifest);
  const files: CheckedFile[] = [
    typeof text === "string" ? { name: manifest.name, text, issues: await manifestIssues(text, members, wanted) } : { name: manifest.name, issues: [text] },
  ];
  if (certificate === undefined) return { files, issues: [] };
  const signed = await textOf(certificate);
  const problem = typeof signed === "string" ? certificateProblem(signed, manifest.name, await bytesAt(manifest, 0, manifest.size)) : signed.message;
  const issues = problem === undefined ? [] : [finding("ovf/certificate", `the certificate ${problem}`, "Sign the package anew, or take the certificate out.")];
  return { files: [...files, { name: certificate.name, issues }], issues: [] };
}

async function textOf(member: Member): Promise<string | Issue> {
  if (member.size > textBytes) return finding("ovf/xml", `${member.name} has ${member.size} bytes, which no text of a package has`, "Make it anew.");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await bytesAt(member, 0, member.size));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return finding("ovf/xml", `${member.name} is not UTF-8`, "Save it as UTF-8.");
  }
}

function inTextOrder(issues: readonly Issue[]): readonly Issue[] {
  return [...issues].sort((a, b) => (a.span?.start ?? Infinity) - (b.span?.start ?? Infinity) || 0);
}
