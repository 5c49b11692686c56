/** Bundles that are signed by the trusted key and wrong all the same: what a broken or careless maker could put out. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Signer } from "../../src/seal/sign.ts";

type Text = (text: string) => string;

/** What is done to the folder, to manifest.json, and then to the sums; all of it is signed. */
export interface Resealed {
  readonly what: string;
  readonly folder?: (folder: string) => void;
  readonly manifest?: Text;
  readonly sums?: Text;
}

/** Applies it and signs; texts are read and written as bytes, one character each. */
export async function reseal(folder: string, how: Omit<Resealed, "what">, signer: Signer): Promise<void> {
  how.folder?.(folder);
  edit(join(folder, "manifest.json"), how.manifest);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile() && !path.startsWith("SHA256SUMS"))
    .sort();
  const sums = paths.map((path) => `${createHash("sha256").update(readFileSync(join(folder, path))).digest("hex")}  ${path}\n`).join("");
  writeFileSync(join(folder, "SHA256SUMS"), sums);
  edit(join(folder, "SHA256SUMS"), how.sums);
  writeFileSync(join(folder, "SHA256SUMS.sig"), await signer.sign(readFileSync(join(folder, "SHA256SUMS"))));
}

function edit(path: string, change: Text | undefined): void {
  if (change === undefined) return;
  const before = readFileSync(path, "latin1");
  const after = change(before);
  if (after === before) throw new Error(`${path} did not change`);
  writeFileSync(path, after, "latin1");
}

const replaced = (from: string | RegExp, to: string): Text => (text) => text.replace(from, to);

/** The lines of the first file of the manifest. */
const firstFile = /    \{\n(?: {6}.*\n){6}    \},\n/;
const created = (time: string): Text => replaced(/"created": ".*"/, `"created": "${time}"`);

export const resealedFaults: readonly Resealed[] = [
  { what: "a manifest of another version", manifest: replaced("cloudlet-bundle/v1", "cloudlet-bundle/v2") },
  { what: "a manifest of another kind", manifest: replaced('"Manifest"', '"Payload"') },
  { what: "a key too many at the top", manifest: replaced('  "kind"', '  "genesis": "x",\n  "kind"') },
  { what: "a key too many in a file", manifest: replaced('      "origin"', '      "note": "x",\n      "origin"') },
  { what: "a key too few", manifest: replaced(/ {4}"region".*\n/, "") },
  { what: "a key twice", manifest: replaced(/( {4}"version".*\n)/, "$1$1") },
  { what: "an empty name", manifest: replaced(/"name": "[^"]*"/, '"name": ""') },
  { what: "a name that is a number", manifest: replaced(/"name": "[^"]*"/, '"name": 7') },
  { what: "a name that is null", manifest: replaced(/"name": "[^"]*"/, '"name": null') },
  { what: "an unknown role", manifest: replaced('"role": "script"', '"role": "program"') },
  { what: "an unknown mode", manifest: replaced('"mode": "0755"', '"mode": "0777"') },
  { what: "a mode that is a number", manifest: replaced('"mode": "0644"', '"mode": 644') },
  { what: "a sequence below zero", manifest: replaced(/"sequence": \d+/, '"sequence": -1') },
  { what: "a sequence with a fraction", manifest: replaced(/"sequence": \d+/, '"sequence": 1.5') },
  { what: "a sequence with an exponent", manifest: replaced(/"sequence": \d+/, '"sequence": 1e3') },
  { what: "a sequence in text", manifest: replaced(/"sequence": \d+/, '"sequence": "1"') },
  { what: "a sequence of sixteen digits", manifest: replaced(/"sequence": \d+/, '"sequence": 1000000000000000') },
  { what: "a sequence with a zero in front", manifest: replaced(/"sequence": \d+/, '"sequence": 01') },
  { what: "a digest in upper case", manifest: replaced(/"digest": "sha256:[0-9a-f]+"/, `"digest": "sha256:${"A".repeat(64)}"`) },
  { what: "a digest of another kind", manifest: replaced(/"digest": "sha256:/, '"digest": "sha512:') },
  { what: "a digest that is too short", manifest: replaced(/"digest": "sha256:./, '"digest": "sha256:') },
  { what: "no files", manifest: replaced(/"files": \[[^\]]*\]/, '"files": []') },
  { what: "a file listed twice", manifest: (text) => text.replace(firstFile, (file) => file + file) },
  { what: "files out of order", manifest: (text) => text.replace(new RegExp(`(${firstFile.source})(${firstFile.source})`), "$2$1") },
  { what: "a file that the manifest leaves out", manifest: replaced(firstFile, "") },
  { what: "a file that is in the manifest alone", folder: (folder) => rmSync(join(folder, "START-HERE.md")) },
  { what: "a manifest that lists itself", manifest: replaced(/"path": "lib\/run.sh"/, '"path": "manifest.json"') },
  { what: "a manifest that lists the signature", manifest: replaced(/"path": "START-HERE.md"/, '"path": "SHA256SUMS.sig"') },
  { what: "a path that leads out", manifest: replaced('"path": "START-HERE.md"', '"path": "../START-HERE.md"') },
  { what: "another size", manifest: replaced(/"size": \d+/, '"size": 7') },
  { what: "another digest", manifest: replaced(/"sha256": "[0-9a-f]+"/, `"sha256": "${"0".repeat(64)}"`) },
  { what: "a script that is none", manifest: replaced('"mode": "0755"', '"mode": "0644"') },
  { what: "evidence that the manifest does not name", manifest: replaced('    "evidence/origins.json",\n', "") },
  { what: "no evidence", manifest: replaced(/"evidence": \[[^\]]*\]/, '"evidence": []') },
  { what: "evidence out of order", manifest: replaced(/( {4}"evidence\/lock.json",\n)( {4}"evidence\/origins.json",\n)/, "$2$1") },
  { what: "evidence named twice", manifest: replaced(/( {4}"evidence\/lock.json",\n)/, "$1$1") },
  { what: "evidence that is a number", manifest: replaced('    "evidence/lock.json",', "    7,") },
  { what: "evidence with a comma behind the last", manifest: replaced('"evidence/spec.json"\n', '"evidence/spec.json",\n') },
  { what: "named as evidence, and no evidence", manifest: replaced('    "evidence/lock.json",', '    "START-HERE.md",\n    "evidence/lock.json",') },
  { what: "evidence under another role", manifest: replaced(/(sbom\.cdx\.json",\n +"role": )"evidence"/, '$1"data"') },
  {
    what: "a bundle without its CycloneDX document, sealed anew",
    folder: (folder) => rmSync(join(folder, "evidence/sbom.cdx.json")),
    manifest: (text) => text.replace('    "evidence/sbom.cdx.json",\n', "").replace(/ {4}\{\n(?: {6}.*\n){2} {6}"path": "evidence\/sbom\.cdx\.json",\n(?: {6}.*\n){3} {4}\},\n/, ""),
  },
  { what: "30 February", manifest: created("2026-02-30T00:00:00Z") },
  { what: "29 February of a common year", manifest: created("2027-02-29T00:00:00Z") },
  { what: "31 June", manifest: created("2026-06-31T00:00:00Z") },
  { what: "the month 0", manifest: created("2026-00-10T00:00:00Z") },
  { what: "the hour 24", manifest: created("2026-11-24T24:00:00Z") },
  { what: "a leap second", manifest: created("2016-12-31T23:59:60Z") },
  { what: "a time with a fraction", manifest: created("2026-11-24T00:00:00.000Z") },
  { what: "a time of another zone", manifest: created("2026-11-24T00:00:00+00:00") },
  { what: "a day without a time", manifest: created("2026-11-24") },
  { what: "a time before 1970", manifest: created("1969-12-31T23:59:59Z") },
  { what: "a time after 2038", manifest: created("2038-01-19T03:14:08Z") },
  { what: "an escape in upper case", manifest: replaced(/"name": "/, String.raw`"name": "\u00F6`) },
  { what: "an escape that is not needed", manifest: replaced(/"name": "/, String.raw`"name": "\u0041`) },
  { what: "an escaped slash", manifest: replaced(/"name": "/, String.raw`"name": "\/`) },
  { what: "a long escape of a tab", manifest: replaced(/"name": "/, String.raw`"name": "\u0009`) },
  { what: "a quote without escape", manifest: replaced(/"name": "/, '"name": ""') },
  { what: "a letter that is not ASCII", manifest: replaced(/"name": "/, '"name": "\u00c3\u00b6') },
  { what: "a byte that is not UTF-8", manifest: replaced(/"name": "/, '"name": "\u00ff') },
  { what: "a DEL that is not escaped", manifest: replaced(/"name": "/, '"name": "\u007f') },
  { what: "a NUL in the manifest", manifest: replaced(/"name": "/, '"name": "\0') },
  { what: "a NUL behind the manifest", manifest: (text) => `${text}\0` },
  { what: "tabs in the manifest", manifest: replaced(/^ {4}"name"/m, '\t"name"') },
  { what: "a space at a line's end", manifest: replaced('"files": [', '"files": [ ') },
  { what: "carriage returns in the manifest", manifest: (text) => text.replaceAll("\n", "\r\n") },
  { what: "a byte order mark", manifest: (text) => `\u00ef\u00bb\u00bf${text}` },
  { what: "no line's end in the manifest", manifest: (text) => text.trimEnd() },
  { what: "an empty line behind the manifest", manifest: (text) => `${text}\n` },
  { what: "half a manifest", manifest: (text) => text.slice(0, text.indexOf('  "generator"')) },
  { what: "two manifests", manifest: (text) => text + text },
  { what: "an empty manifest", manifest: () => "" },
  { what: "sums without the manifest", sums: replaced(/^.*  manifest\.json\n/m, "") },
  { what: "sums of the signature", sums: (text) => inOrder(`${"0".repeat(64)}  SHA256SUMS.sig\n${text}`) },
  { what: "sums of a file that is not there", sums: (text) => inOrder(`${"0".repeat(64)}  a\n${text}`) },
  { what: "sums with an empty line", sums: replaced("\n", "\n\n") },
  { what: "sums with a comment", sums: (text) => `# sums\n${text}` },
  { what: "sums with one space", sums: replaced("  ", " ") },
  { what: "sums with a digit less", sums: (text) => text.slice(1) },
  { what: "sums of letters alone", sums: (text) => `${"g".repeat(64)}${text.slice(64)}` },
  { what: "sums with a tab in a name", sums: (text) => inOrder(`${"0".repeat(64)}  a\tb\n${text}`) },
  { what: "sums with a letter that is not ASCII", sums: (text) => inOrder(`${"0".repeat(64)}  a\u00ff\n${text}`) },
  {
    what: "two names that differ in case",
    folder: (folder) => writeFileSync(join(folder, "Site.env"), "x"),
  },
  {
    what: "two folders that differ in case",
    folder: (folder) => {
      mkdirSync(join(folder, "Site"));
      renameSync(join(folder, "site/user-data"), join(folder, "Site/user-data"));
    },
  },
  {
    what: "a file that is named like a folder but for case",
    folder: (folder) => writeFileSync(join(folder, "LIB"), "x"),
  },
];

function inOrder(text: string): string {
  const lines = text.split("\n").slice(0, -1).map((line) => ({ line, path: line.slice(66) }));
  return lines.sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ line }) => `${line}\n`).join("");
}

/** Unusual, and right. */
export const resealedHarmless: readonly Resealed[] = [
  { what: "every escape that there is", manifest: replaced(/"name": "/, String.raw`"name": "\"\\\b\f\n\r\t\u0000\u001f\u007f\u0080\u00f6\u2028\ufeff\ud83d\ude00\udead`) },
  { what: "every printable character", manifest: (text) => text.replace(/"name": "/, () => `"name": " !#$%&'()*+,-./0:;<=>?@A[]^_\`a{|}~`) },
  { what: "a sequence of fifteen digits", manifest: replaced(/"sequence": \d+/, '"sequence": 999999999999999') },
  { what: "a sequence of zero", manifest: replaced(/"sequence": \d+/, '"sequence": 0') },
  { what: "29 February of a leap year", manifest: created("2028-02-29T23:59:59Z") },
  { what: "the first second", manifest: created("1970-01-01T00:00:00Z") },
  { what: "the last second", manifest: created("2038-01-19T03:14:07Z") },
];
