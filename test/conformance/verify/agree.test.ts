/**
 * Three verifiers judge every good and every damaged bundle: `verify`, the bundle's own verify.sh in one of four shells, and
 * a reader written from the format page alone. They agree, and so do the reasons of the first two.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { processIo } from "../../../src/cli/io.ts";
import { main } from "../../../src/cli/main.ts";
import { textFile } from "../../../src/core/file.ts";
import { bundleEntries } from "../../../src/pack/limits.ts";
import { encodeHeader } from "../../../src/pack/tar.ts";
import { pack } from "../../../src/pack/tree.ts";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { pemSigner } from "../../../src/seal/sign.ts";
import type { Trust } from "../../../src/seal/verify.ts";
import { archiveDamages, folderDamages, folderHarmless } from "../../verify/damages.ts";
import { inTwos, judge, operatorsCopy, referenceBundle, run, shells } from "../../verify/judges.ts";
import { reseal, resealedFaults, resealedHarmless } from "../../verify/resealed.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet verify's-"));
t.teardown(() => {
  execFileSync("chmod", ["-R", "u+w", work]);
  rmSync(work, { recursive: true, force: true });
});
t.setTimeout(600_000);

const verifySh = operatorsCopy(work);

const key = generateKey((bytes) => new Uint8Array(bytes).fill(5));
const { fingerprint, publicKeyPem } = publicHalf(key);
const keyFile = join(work, "key.pem");
writeFileSync(keyFile, publicKeyPem);
const signer = pemSigner(key);
if (!signer.ok) throw new Error("the key is no key");
const good = await referenceBundle(work, signer.value);
/** The same with an OVF package, whose disks come last. */
const withDisks = await referenceBundle(work, signer.value, (tree) => pack([...tree.files, ...["vm-image.vmdk", "payload.vmdk", "platformvm.ovf", "platformvm.mf"].map((name) => textFile(`ovf/${name}`, name, { role: "site", source: "a test" }))], tree.about));

/** The tar with the first disk where its path alone would put it: before the other files of ovf/. */
function disksEarly(tar: Buffer): Buffer {
  const at = (path: string): number => tar.indexOf(Buffer.from(`${path}\0`));
  const disk = tar.subarray(at("ovf/payload.vmdk"), at("ovf/payload.vmdk") + 1_024);
  const from = at("ovf/platformvm.mf");
  return Buffer.concat([tar.subarray(0, from), disk, tar.subarray(from, at("ovf/payload.vmdk")), tar.subarray(at("ovf/payload.vmdk") + 1_024)]);
}


let turn = 0;

async function judgeArchive(t: Test, what: string, tar: Buffer, trust: Trust, expected: boolean): Promise<void> {
  const path = join(work, `${(turn += 1)}.tar`);
  writeFileSync(path, tar);
  await judge(t, what, path, verifySh, { trust, expected });
  rmSync(path);
}

async function judgeFolder(t: Test, what: string, damage: (folder: string) => unknown, trust: Trust, expected: boolean): Promise<void> {
  const place = join(work, `f${(turn += 1)}`);
  const folder = join(place, "bundle");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(place, "b.tar"), good);
  execFileSync("tar", ["-xf", join(place, "b.tar"), "-C", folder]);
  await damage(folder);
  await judge(t, what, folder, verifySh, { trust, expected });
  execFileSync("chmod", ["-R", "u+rwx", place]);
  rmSync(place, { recursive: true });
}

t.test("good bundles", async (t) => {
  await judgeArchive(t, "as it is", good, fingerprint, true);
  await judgeArchive(t, "without looking at the signature", good, "none", true);
  await judgeArchive(t, "with an OVF package", withDisks, fingerprint, true);
  await judgeArchive(t, "with an OVF package whose disks are not the last", disksEarly(withDisks), fingerprint, false);
  for (const [what, damage] of folderHarmless) await judgeFolder(t, `a folder ${what}`, damage, fingerprint, true);
});

/** Its bundle with so many entries, four of them the seal's; one file is longer than those that are looked at many at a time. */
function greatBundle(entries: number): Promise<Buffer> {
  return referenceBundle(work, signer.ok ? signer.value : failed(), (tree) => {
    const count = entries - 4 - tree.files.length;
    const more = Array.from({ length: count }, (_, index) => textFile(`site/more/${String(index).padStart(5, "0")}`, index === 150 ? "long ".repeat(20_000) : `file ${index}\n`.repeat(index % 60), { role: "site", source: "a test" }));
    return pack([...tree.files, ...more], tree.about);
  });
}

function failed(): never {
  throw new Error("there is no signer");
}

/** The tar with bytes at one place: `behind` bytes after the beginning of the file's content. */
function patched(tar: Buffer, path: string, behind: number, bytes: string): Buffer {
  const copy = Buffer.from(tar);
  copy.write(bytes, tar.indexOf(Buffer.from(`${path}\0`)) + 512 + behind);
  return copy;
}

/** The tar with an entry of three bytes, or without one, where the header of `path` stands. */
function spliced(tar: Buffer, path: string, entry: string | undefined): Buffer {
  const at = tar.indexOf(Buffer.from(`${path}\0`));
  const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
  const mtime = Number.parseInt(tar.toString("latin1", at + 136, at + 147), 8);
  const added = entry === undefined ? [] : [encodeHeader({ path: entry, mode: 0o644, size: 3, mtime }), Buffer.from("abc"), Buffer.alloc(509)];
  return Buffer.concat([tar.subarray(0, at), ...added, tar.subarray(entry === undefined ? at + 512 + Math.ceil(size / 512) * 512 : at)]);
}

t.test("hundreds of files, which verify.sh hashes many at a time", async (t) => {
  const many = await greatBundle(400);
  const cases: readonly (readonly [string, Buffer, boolean])[] = [
    ["as it is", many, true],
    ["a byte of a small file", patched(many, "site/more/00111", 5, "X"), false],
    ["a byte of a long file", patched(many, "site/more/00150", 99_990, "X"), false],
    ["a byte behind a small file", patched(many, "site/more/00111", 511, "X"), false],
    ["a byte behind a long file", patched(many, "site/more/00150", 100_000, "X"), false],
    ["a file that is gone", spliced(many, "site/more/00111", undefined), false],
    ["a long file that is gone", spliced(many, "site/more/00150", undefined), false],
    ["a file that nobody lists", spliced(many, "site/more/00112", "site/more/00111x"), false],
    ["a file in a folder that is a file", spliced(many, "site/more/00112", "site/more/00111/x"), false],
    ["a file twice", spliced(many, "site/more/00112", "site/more/00111"), false],
    ["the end cut off in a small file", many.subarray(0, many.indexOf(Buffer.from("site/more/00111\0")) + 600), false],
    ["the end cut off in a long file", many.subarray(0, many.indexOf(Buffer.from("site/more/00150\0")) + 80_000), false],
    ["the end cut off behind a header", many.subarray(0, many.indexOf(Buffer.from("site/more/00111\0")) + 512), false],
    ["the end cut off in a header", many.subarray(0, many.indexOf(Buffer.from("site/more/00111\0")) + 100), false],
  ];
  await inTwos(cases, ([what, tar, expected]) => judgeArchive(t, what, tar, fingerprint, expected));
});

t.test("as many entries as there may be, and one more", async (t) => {
  const most = await greatBundle(bundleEntries);
  await judgeArchive(t, "10,000 entries", most, fingerprint, true);
  const path = join(work, "most.tar");
  writeFileSync(path, spliced(most, "site/more/00200", "site/more/00199x"));
  await judge(t, "10,001 entries", path, verifySh, { trust: fingerprint, expected: false, codes: ["verify/too-many"] });
});

t.test("trust that is not there", async (t) => {
  await judgeArchive(t, "nobody said whom to trust", good, undefined, false);
  await judgeArchive(t, "another key is trusted", good, `SHA256:${"0".repeat(64)}`, false);
});

t.test("every damage to the tar is refused", async (t) => {
  await inTwos(archiveDamages, ([what, damage]) => judgeArchive(t, what, damage(good) ?? good, fingerprint, false));
});

t.test("every damage to the folder is refused", async (t) => {
  await inTwos(folderDamages, ([what, damage]) => judgeFolder(t, what, damage, fingerprint, false));
});

t.test("what is signed and wrong is refused, what is only unusual is not", async (t) => {
  const cases = [...resealedFaults.map((each) => [each, false] as const), ...resealedHarmless.map((each) => [each, true] as const)];
  await inTwos(cases, ([each, expected]) => judgeFolder(t, each.what, (folder) => reseal(folder, each, signer.value), fingerprint, expected));
});

t.test("a key file is as good as its fingerprint, and what is no key is no judgement", async (t) => {
  const path = join(work, "good.tar");
  writeFileSync(path, good);
  for (const shell of shells) {
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", keyFile])).status, 0, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", "SHA256:zz"])).status, 2, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", path])).status, 2, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", `${path}x`])).status, 3, shell.join(" "));
  }
});

t.test("a trust in any case of letters is the same to both", async (t) => {
  const path = join(work, "good.tar");
  const hex = fingerprint.slice(7);
  for (const [trust, status] of [[`sha256:${hex}`, 0], [`SHA256:${hex.toUpperCase()}`, 0], [hex, 3], [`SHA256:${hex}0`, 2], [`SHA256:${hex.replace(/../g, "$&:")}`, 2], ["", 2]] as const) {
    t.equal((await run(["dash", verifySh, "--bundle", path, "--trust", trust])).status, status, `verify.sh: ${trust}`);
    t.equal(await main(["verify", path, "--trust", trust], { ...processIo(), workingFolder: work, out: () => undefined, err: () => undefined }), status, `verify: ${trust}`);
  }
});

/** A folder with links to these tools, to be a PATH. */
function toolbox(name: string, tools: readonly string[]): string {
  const folder = join(work, name);
  mkdirSync(folder);
  for (const tool of tools) symlinkSync(execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim(), join(folder, tool));
  return folder;
}

const tools = ["awk", "cat", "cmp", "date", "dd", "dirname", "find", "grep", "head", "mktemp", "od", "openssl", "rm", "sed", "sha256sum", "stat", "tail", "tr", "wc"];

t.test("these tools are enough, and without one of them it fails closed", async (t) => {
  const path = toolbox("few", tools);
  const judge = (): ReturnType<typeof run> => run(["/usr/bin/env", `PATH=${path}`, "/bin/dash", verifySh, "--bundle", join(work, "good.tar"), "--trust", fingerprint]);
  t.equal((await judge()).status, 0);
  for (const tool of tools) {
    renameSync(join(path, tool), join(work, "away"));
    const child = await judge();
    t.equal(child.status, 3, tool);
    t.match(child.text, `missing: ${tool}`);
    renameSync(join(work, "away"), join(path, tool));
  }
});

t.test("BusyBox alone is enough, with openssl", async (t) => {
  const path = join(work, "busybox");
  mkdirSync(path);
  for (const tool of tools.filter((each) => each !== "openssl" && each !== "mktemp")) symlinkSync("/bin/busybox", join(path, tool));
  symlinkSync("/bin/busybox", join(path, "mktemp"));
  symlinkSync("/usr/bin/openssl", join(path, "openssl"));
  for (const bundle of [join(work, "good.tar"), unpacked()]) {
    const child = await run(["/usr/bin/env", `PATH=${path}`, "/bin/busybox", "sh", verifySh, "--bundle", bundle, "--trust", fingerprint]);
    t.equal(child.status, 0, child.text);
  }
});

function unpacked(): string {
  const folder = mkdtempSync(join(work, "unpacked-"));
  execFileSync("tar", ["-xf", join(work, "good.tar"), "-C", folder]);
  return folder;
}

t.test("without --bundle it judges the folder that it lies in, from anywhere and without a home", async (t) => {
  const folder = join(work, 'a "b" $c');
  renameSync(unpacked(), folder);
  for (const shell of shells) {
    const whole = ["/usr/bin/env", "-i", `PATH=${process.env["PATH"] ?? ""}`, "LC_ALL=tr_TR.UTF-8", "sh", "-c", 'umask 0777 && exec "$@"', "sh", ...shell];
    const child = await run([...whole, join(folder, "verify.sh"), "--trust", fingerprint]);
    t.equal(child.status, 0, `${shell.join(" ")}: ${child.text}`);
    t.match(child.text, /^GOOD: /m);
    const quiet = await run([...whole, join(folder, "verify.sh"), "--trust", fingerprint, "--quiet"]);
    // Where that locale is not installed, bash itself says so.
    const said = quiet.text.replace(/^.*setlocale: .*\n/gm, "");
    t.strictSame([quiet.status, said], [0, ""], `${shell.join(" ")}: --quiet`);
  }
});

t.test("a disk that is full proves nothing", async (t) => {
  const folder = unpacked();
  for (const kept of ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pub", "manifest.json"]) {
    // What is written there ends as on a full disk.
    const path = join(work, `full-${kept}`);
    mkdirSync(path);
    writeFileSync(join(path, "mktemp"), `#!/bin/sh\nfolder=$(/usr/bin/mktemp -d) && ln -s /dev/full "$folder/${kept}" && printf '%s\\n' "$folder"\n`, { mode: 0o755 });
    for (const shell of shells) {
      const child = await run(["/usr/bin/env", `PATH=${path}:${process.env["PATH"] ?? ""}`, ...shell, verifySh, "--bundle", folder, "--trust", fingerprint]);
      t.equal(child.status, 3, `${kept}: ${shell.join(" ")}`);
      t.match(child.text, `no room for ${kept}`);
    }
  }
  for (const shell of shells) {
    const child = await run(["sh", "-c", '"$@" >/dev/full', "sh", ...shell, verifySh, "--bundle", folder, "--trust", fingerprint]);
    t.equal(child.status, 3, `nothing can be said: ${shell.join(" ")}`);
    t.match(child.text, "nothing is proven");
  }
});
