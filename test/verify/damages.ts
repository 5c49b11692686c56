/** Every way a bundle can be damaged that the format page speaks of: as a tar, and as the folder it was unpacked into. */

import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";

export interface Entry {
  readonly path: string;
  /** Of the header. */
  readonly start: number;
  readonly size: number;
}

/** The entries of a tar of ours. */
export function entriesOf(tar: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    entries.push({ path: tar.toString("latin1", at, tar.indexOf(0, at)), start: at, size });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

type Damage<T> = readonly [what: string, damage: (bundle: T) => T | void];

const flipped = (tar: Buffer, at: number): Buffer => {
  const copy = Buffer.from(tar);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
};

function entry(tar: Buffer, path: string): Entry {
  const found = entriesOf(tar).find((each) => each.path === path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
}

const wholeOf = (each: Entry): number => 512 + Math.ceil(each.size / 512) * 512;

/** The header of a copy, changed, with its checksum made good. */
function header(tar: Buffer, path: string, change: (block: Buffer) => void): Buffer {
  const { start } = entry(tar, path);
  const copy = Buffer.from(tar);
  const block = copy.subarray(start, start + 512);
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")} \0`, 148, "latin1");
  return copy;
}

function without(tar: Buffer, path: string): Buffer {
  const gone = entry(tar, path);
  return Buffer.concat([tar.subarray(0, gone.start), tar.subarray(gone.start + wholeOf(gone))]);
}

const kinds = ["START-HERE.md", "install.sh", "lib/run.sh", "verify.sh", "site.env", "site/user-data", "site/heat-template.yaml", "manifest.json", "SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pub", "evidence/origins.json", "blobs/payload.tar", "blobs/vm-image.qcow2"];

export const archiveDamages: readonly Damage<Buffer>[] = [
  ...kinds.map((path): Damage<Buffer> => [`a flipped bit in ${path}`, (tar) => flipped(tar, entry(tar, path).start + 512 + Math.floor(entry(tar, path).size / 2))]),
  ["a flipped bit in a header's mode", (tar) => flipped(tar, entry(tar, "site.env").start + 105)],
  ["a flipped bit in a header's name", (tar) => flipped(tar, entry(tar, "site.env").start)],
  ["a flipped bit in a header's checksum", (tar) => flipped(tar, entry(tar, "site.env").start + 150)],
  ["a flipped bit in a header's empty fields", (tar) => flipped(tar, entry(tar, "site.env").start + 300)],
  ["a flipped bit in the padding", (tar) => flipped(tar, entry(tar, "site.env").start + 512 + entry(tar, "site.env").size + 3)],
  ["a flipped bit in the end", (tar) => flipped(tar, tar.byteLength - 700)],
  ["nothing at all", () => Buffer.alloc(0)],
  ["half a header", (tar) => tar.subarray(0, 200)],
  ["cut in a header", (tar) => tar.subarray(0, entry(tar, "site.env").start + 100)],
  ["cut in a file", (tar) => tar.subarray(0, entry(tar, "site.env").start + 600)],
  ["cut in a blob", (tar) => tar.subarray(0, tar.byteLength - 100_000)],
  ["cut before the end", (tar) => tar.subarray(0, -1_024)],
  ["cut in the end", (tar) => tar.subarray(0, -512)],
  ["a block of zeros behind it", (tar) => Buffer.concat([tar, Buffer.alloc(512)])],
  ["another archive behind it", (tar) => Buffer.concat([tar, tar])],
  ["a byte behind it", (tar) => Buffer.concat([tar, Buffer.from("x")])],
  ["a symbolic link", (tar) => header(tar, "site.env", (block) => block.write("2", 156))],
  ["a hard link", (tar) => header(tar, "site.env", (block) => block.write("1", 156))],
  ["a device", (tar) => header(tar, "site.env", (block) => block.write("3", 156))],
  ["a folder", (tar) => header(tar, "site.env", (block) => block.write("5", 156))],
  ["an extended header", (tar) => header(tar, "site.env", (block) => block.write("x", 156))],
  ["a path with ..", (tar) => header(tar, "site.env", (block) => block.write("../i.env", 0))],
  ["an absolute path", (tar) => header(tar, "site.env", (block) => block.write("/ite.env", 0))],
  ["a hidden file", (tar) => header(tar, "site.env", (block) => block.write(".ite.env", 0))],
  ["a name with a space", (tar) => header(tar, "site.env", (block) => block.write("si e.env", 0))],
  ["a name with a line's end", (tar) => header(tar, "site.env", (block) => block.write("si\ne.env", 0))],
  ["a name that is an option", (tar) => header(tar, "site.env", (block) => block.write("-ite.env", 0))],
  ["another mode", (tar) => header(tar, "install.sh", (block) => block.write("000644 ", 100))],
  ["a set-user-ID bit", (tar) => header(tar, "install.sh", (block) => block.write("004755 ", 100))],
  ["another time", (tar) => header(tar, "install.sh", (block) => block.write("00000000001 ", 136))],
  ["another owner", (tar) => header(tar, "install.sh", (block) => block.write("000001 ", 108))],
  ["a huge size", (tar) => header(tar, "site.env", (block) => block.write("77777777777 ", 124))],
  ["a size in letters", (tar) => header(tar, "site.env", (block) => block.write("0000000zzzz ", 124))],
  ["a size of base 256", (tar) => header(tar, "site.env", (block) => block.set([0x80, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], 124))],
  ["a missing file", (tar) => without(tar, "lib/run.sh")],
  ["a missing blob", (tar) => without(tar, "blobs/payload.tar")],
  ["no manifest", (tar) => without(tar, "manifest.json")],
  ["no sums", (tar) => without(tar, "SHA256SUMS")],
  ["no signature", (tar) => without(tar, "SHA256SUMS.sig")],
  ["no public key", (tar) => without(tar, "SHA256SUMS.pub")],
  ["not signed", (tar) => without(without(tar, "SHA256SUMS.sig"), "SHA256SUMS.pub")],
  ["an extra file", (tar) => inserted(tar, "site.envx", "extra")],
  ["an entry twice", (tar) => {
    const each = entry(tar, "site.env");
    const end = each.start + wholeOf(each);
    return Buffer.concat([tar.subarray(0, end), tar.subarray(each.start, end), tar.subarray(end)]);
  }],
  ["two entries changed places", (tar) => {
    const [a, b] = [entry(tar, "lib/run.sh"), entry(tar, "lib/say.sh")];
    return Buffer.concat([tar.subarray(0, a.start), tar.subarray(b.start, b.start + wholeOf(b)), tar.subarray(a.start, b.start), tar.subarray(b.start + wholeOf(b))]);
  }],
  ["two entries changed names", (tar) => {
    const [a, b] = [entry(tar, "lib/say.sh").start, entry(tar, "lib/run.sh").start];
    const names = header(header(tar, "lib/say.sh", (block) => block.write("lib/tmp.sh", 0)), "lib/run.sh", (block) => block.write("lib/say.sh", 0));
    return a === b ? names : names;
  }],
];

/** `tar` with one more file, in its place. */
function inserted(tar: Buffer, path: string, text: string): Buffer {
  const like = entry(tar, "site.env");
  const end = like.start + wholeOf(like);
  const body = Buffer.alloc(512);
  body.write(text);
  const block = Buffer.from(tar.subarray(like.start, like.start + 512));
  block.fill(0, 0, 100);
  block.write(path, 0);
  block.write(text.length.toString(8).padStart(11, "0"), 124);
  block.fill(0x20, 148, 156);
  block.write(`${block.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, "0")} \0`, 148, "latin1");
  return Buffer.concat([tar.subarray(0, end), block, body, tar.subarray(end)]);
}

const edit = (folder: string, path: string, change: (text: string) => string): void => {
  chmodSync(join(folder, path), 0o644);
  writeFileSync(join(folder, path), change(readFileSync(join(folder, path), "latin1")), "latin1");
};

/** The sums of the folder as it is now, in their form; what an attacker without the key can do. */
function resum(folder: string): void {
  const lines = readFileSync(join(folder, "SHA256SUMS"), "utf8").trimEnd().split("\n").map((line) => line.slice(66));
  writeFileSync(join(folder, "SHA256SUMS"), lines.map((path) => `${createHash("sha256").update(readFileSync(join(folder, path))).digest("hex")}  ${path}\n`).join(""));
}

export const folderDamages: readonly Damage<string>[] = [
  ...kinds.map((path): Damage<string> => [`a flipped bit in ${path}`, (folder) => writeFileSync(join(folder, path), flipped(readFileSync(join(folder, path)), 20))]),
  ["a missing file", (folder) => rmSync(join(folder, "lib/run.sh"))],
  ["an empty file in the place of another", (folder) => writeFileSync(join(folder, "site.env"), "")],
  ["an extra file", (folder) => writeFileSync(join(folder, "extra"), "x")],
  ["an extra file deep down", (folder) => writeFileSync(join(folder, "site/extra"), "x")],
  ["a hidden file", (folder) => writeFileSync(join(folder, ".hidden"), "x")],
  ["an extra folder", (folder) => mkdirSync(join(folder, "empty"))],
  ["a name with a space", (folder) => writeFileSync(join(folder, "a b"), "x")],
  ["a name with a line's end", (folder) => writeFileSync(join(folder, "a\nb"), "x")],
  ["two files changed places", (folder) => {
    renameSync(join(folder, "lib/run.sh"), join(folder, "lib/tmp"));
    renameSync(join(folder, "lib/say.sh"), join(folder, "lib/run.sh"));
    renameSync(join(folder, "lib/tmp"), join(folder, "lib/say.sh"));
  }],
  ["a symbolic link to the right bytes", (folder) => {
    renameSync(join(folder, "site.env"), join(folder, "..", "site.env.elsewhere"));
    symlinkSync("../site.env.elsewhere", join(folder, "site.env"));
  }],
  ["a link more", (folder) => symlinkSync("site.env", join(folder, "linked"))],
  ["a second name of a file", (folder) => linkSync(join(folder, "site.env"), join(folder, "second"))],
  ["a pipe", (folder) => void execFileSync("mkfifo", [join(folder, "pipe")])],
  ["a script that can't be run", (folder) => chmodSync(join(folder, "install.sh"), 0o444)],
  ["a file that all may write", (folder) => chmodSync(join(folder, "site.env"), 0o666)],
  ["a set-user-ID bit", (folder) => chmodSync(join(folder, "install.sh"), 0o4755)],
  ["no sums", (folder) => rmSync(join(folder, "SHA256SUMS"))],
  ["no signature", (folder) => rmSync(join(folder, "SHA256SUMS.sig"))],
  ["no public key", (folder) => rmSync(join(folder, "SHA256SUMS.pub"))],
  ["not signed", (folder) => ["SHA256SUMS.sig", "SHA256SUMS.pub"].forEach((path) => rmSync(join(folder, path)))],
  ["a line of the sums gone", (folder) => edit(folder, "SHA256SUMS", (text) => text.replace(/^.*site\.env\n/m, ""))],
  ["a line of the sums twice", (folder) => edit(folder, "SHA256SUMS", (text) => text.replace(/^.*site\.env\n/m, (line) => line + line))],
  ["a line of the sums out of order", (folder) => edit(folder, "SHA256SUMS", (text) => text.split("\n").slice(0, -1).reverse().join("\n") + "\n")],
  ["a line of the sums that leads out", (folder) => edit(folder, "SHA256SUMS", (text) => `${"0".repeat(64)}  ../outside\n${text}`)],
  ["an absolute line of the sums", (folder) => edit(folder, "SHA256SUMS", (text) => `${"0".repeat(64)}  /etc/passwd\n${text}`)],
  ["an escaped line of the sums", (folder) => edit(folder, "SHA256SUMS", (text) => `\\${text}`)],
  ["binary marks in the sums", (folder) => edit(folder, "SHA256SUMS", (text) => text.replaceAll("  ", " *"))],
  ["upper case in the sums", (folder) => edit(folder, "SHA256SUMS", (text) => text.replace(/^[0-9a-f]{64}/, (sum) => sum.toUpperCase()))],
  ["carriage returns in the sums", (folder) => edit(folder, "SHA256SUMS", (text) => text.replaceAll("\n", "\r\n"))],
  ["no line's end in the sums", (folder) => edit(folder, "SHA256SUMS", (text) => text.trimEnd())],
  ["empty sums", (folder) => writeFileSync(join(folder, "SHA256SUMS"), "")],
  ["a NUL in the sums", (folder) => edit(folder, "SHA256SUMS", (text) => `${text}\0\n`)],
  ["a file changed, and the sums with it", (folder) => {
    edit(folder, "site.env", (text) => `${text}EVIL='1'\n`);
    resum(folder);
  }],
  ["the manifest changed, and the sums with it", (folder) => {
    edit(folder, "manifest.json", (text) => text.replace(/"size": \d+/, '"size": 7'));
    resum(folder);
  }],
  ["the manifest in another form, and the sums with it", (folder) => {
    edit(folder, "manifest.json", (text) => JSON.stringify(JSON.parse(text)));
    resum(folder);
  }],
  ["a key of another kind", (folder) => writeFileSync(join(folder, "SHA256SUMS.pub"), "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n")],
  ["a signature that is too long", (folder) => writeFileSync(join(folder, "SHA256SUMS.sig"), Buffer.alloc(80, 1))],
];

/** Unpacked in ways that are all right: a tight umask, a folder that nobody may write. */
export const folderHarmless: readonly Damage<string>[] = [
  ["as it is", () => undefined],
  ["under a tight umask", (folder) => void execFileSync("chmod", ["-R", "go-rwx", folder])],
  ["read-only", (folder) => void execFileSync("chmod", ["-R", "a-w", folder])],
];
