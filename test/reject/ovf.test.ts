/** Every code of `check` on an OVF package is reached by one edit of a good one, alone, and at its place. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { CheckedFile } from "../../src/ovf/check.ts";
import { checkOvf, secretsOf } from "../../src/ovf/check.ts";
import { OVF_ISSUE_CODES } from "../../src/ovf/issue-codes.ts";
import { issuesAsText } from "../../src/cli/report-issues.ts";
import { MAKING_CODES, OVF_CASES, archive, goldenPackage, headerOnlyDisk, ovaSource } from "./ovf-cases.ts";

const root = join(import.meta.dirname, "../..");
const codesOf = (files: readonly CheckedFile[]): readonly string[] => files.flatMap((file) => file.issues.map((issue) => issue.code));
const good = goldenPackage("vcd-everything", headerOnlyDisk(8), headerOnlyDisk(2));

t.test("packages of every golden case are good", async (t) => {
  for (const name of ["vsphere", "vsphere-everything", "vcd", "vcd-everything"]) {
    const files = await checkOvf(ovaSource(archive(goldenPackage(name, headerOnlyDisk(8), headerOnlyDisk(2)))));
    t.strictSame(codesOf(files), [], name);
    t.strictSame(files.map((file) => file.name), ["", "platformvm.ovf", "platformvm.mf"], name);
  }
});

t.test("manifest and certificate may also stand at the end", async (t) => {
  const [ovf, mf, ...disks] = good;
  t.strictSame(codesOf(await checkOvf(ovaSource(archive([ovf, ...disks, mf] as typeof good)))), []);
});

t.test("a collection of machines is good as well", async (t) => {
  const collected = good.map(([name, bytes]): (typeof good)[number] => {
    if (name !== "platformvm.ovf") return [name, bytes];
    const text = bytes.toString().replace("  <VirtualSystem ", '  <VirtualSystemCollection ovf:id="all"><Info>x</Info><VirtualSystem ').replace("</VirtualSystem>", "</VirtualSystem></VirtualSystemCollection>");
    return [name, Buffer.from(text)];
  });
  t.strictSame(codesOf(await checkOvf(ovaSource(archive(collected.filter(([name]) => name !== "platformvm.mf"))))), ["ovf/manifest-missing"]);
});

t.test("each case ends in its code, and in no other", async (t) => {
  for (const { code, what, make } of OVF_CASES) {
    const files = await checkOvf(ovaSource(make(good)));
    t.strictSame([...new Set(codesOf(files))], [code], `${code}: ${what}`);
    for (const file of files) {
      for (const issue of file.issues) {
        t.notMatch(issue.message, /undefined|\[object|NaN/, `${what}: ${issue.message}`);
        t.ok(issue.hint, `${what}: it says what to do`);
        t.ok(file.text === undefined || issue.span !== undefined, `${what}: it has a place in the text`);
      }
    }
  }
});

t.test("what stands at its place", async (t) => {
  const shown = async (what: string): Promise<string> => {
    const found = OVF_CASES.find((each) => each.what === what);
    if (found === undefined) throw new Error(what);
    const files = await checkOvf(ovaSource(found.make(good)));
    return files.map(({ name, text, issues }) => issuesAsText({ name, issues, ...(text === undefined ? {} : { text, secrets: secretsOf(text) }) })).join("");
  };
  t.match(await shown("not well-formed"), /^platformvm\.ovf:7:3: error: not well-formed: Missing end tag[^]*<\/Reference>/);
  t.match(await shown("a fileRef to nothing"), /^platformvm\.ovf:11:5: error: the disk payload: fileRef pay names no File[^]*\^{20}/);
  t.match(await shown("a space before the parenthesis"), /^platformvm\.mf:3:1: error: .* there is a space before the parenthesis/);
  t.match(await shown("an upper-case digest"), /in lower case/);
});

t.test("a password that a descriptor holds is not shown", async (t) => {
  const text = '<Property ovf:key="a.b" ovf:type="string" ovf:password="true" ovf:value="correct horse"/>';
  const issue = { code: "ovf/property-key", severity: "error", pointer: "", message: "x", span: { start: 0, end: text.length } } as const;
  const report = issuesAsText({ name: "x.ovf", text, secrets: secretsOf(text), issues: [issue] });
  t.notMatch(report, /correct horse/);
  t.match(report, /a\.b/);
});

t.test("codes in the code, the list and the cases are the same", (t) => {
  const listed = Object.keys(OVF_ISSUE_CODES).sort();
  t.strictSame([...new Set([...OVF_CASES.map((each) => each.code), ...MAKING_CODES])].sort(), listed);
  const sources = ["src/ovf", "src/pack", "src/seal", "src/cli"].flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name !== "issue-codes.ts").map((name) => readFileSync(join(root, folder, name), "utf8")));
  const used = sources.flatMap((text) => [...text.matchAll(/["`](ovf\/[a-z-]+)["`]/g)].map((match) => match[1])).filter((code) => code !== "ovf/platformvm");
  t.strictSame([...new Set([...used, "ovf/reference", "ovf/repeated"])].sort(), listed);
  t.end();
});
