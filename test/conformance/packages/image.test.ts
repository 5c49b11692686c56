/** VM images that mke2fs, sfdisk and qemu-img made: what is read out of them is what dpkg and rpm say of the same databases. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { sha256 } from "../../../src/core/digest.ts";
import { readPurl } from "../../../src/core/purl.ts";
import type { Lock } from "../../../src/spec/lock.ts";
import { imageSoftware, type ImageSoftware } from "../../../src/store/software/image-software.ts";
import { withImage } from "../../../src/store/vmdk-bytes.ts";

const root = join(import.meta.dirname, "../../..");
const cli = join(root, "bin/cloudlet-bundle.js");
const folder = mkdtempSync(join(tmpdir(), "cloudlet-image-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
t.setTimeout(900_000);

const sh = (script: string): string =>
  execFileSync("sh", ["-euc", script], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, MKE2FS_SKIP_PROGRESS: "1" } });

/** This machine's own database, as it would lie in a Debian guest. */
mkdirSync(join(folder, "debian/var/lib/dpkg"), { recursive: true });
mkdirSync(join(folder, "debian/usr/lib"), { recursive: true });
mkdirSync(join(folder, "debian/etc"));
cpSync("/var/lib/dpkg/status", join(folder, "debian/var/lib/dpkg/status"));
writeFileSync(join(folder, "debian/usr/lib/os-release"), 'ID=debian\nVERSION_ID="12"\n');
symlinkSync("../usr/lib/os-release", join(folder, "debian/etc/os-release"));
// A folder of many blocks, which e2fsck gives an index; and more than a block of folders before the one that is wanted.
mkdirSync(join(folder, "debian/var/lib/many"));
for (let index = 0; index < 1_500; index += 1) writeFileSync(join(folder, `debian/var/lib/many/a-rather-long-name-of-a-file-${index}`), "");
for (let index = 0; index < 300; index += 1) mkdirSync(join(folder, `debian/var/lib/a-folder-that-comes-before-${index}`));
const installed = sh("dpkg-query --admindir=debian/var/lib/dpkg -W -f='${db:Status-Status} ${Package} ${Version} ${Architecture}\\n' | sed -n 's/^installed //p' | sort");

interface Seen {
  readonly found: ImageSoftware;
  /** Of the file, as the program asked for them. */
  readonly bytes: number;
}

function look(name: string): Seen {
  let bytes = 0;
  const found = withImage(join(folder, name), (file) =>
    imageSoftware({
      size: file.size,
      read(offset, length) {
        const read = file.read(offset, length);
        bytes += read.byteLength;
        return read;
      },
    }),
  );
  return { found, bytes };
}

/** Name, version and architecture, one a line, as the package manager itself lists them. */
function listed(found: ImageSoftware): string {
  if (found.kind === "unknown") return found.why;
  const lines = found.software.packages.map(({ purl }) => `${readPurl(purl)?.name} ${readPurl(purl)?.version} ${/[?&]arch=([^&]*)/.exec(purl)?.[1]}\n`);
  return sh(`sort <<'END'\n${lines.join("")}END\n`);
}

const kinds: readonly (readonly [name: string, words: string])[] = [
  ["ext4 as it is made today", "-t ext4"],
  ["ext4, blocks of 1 KiB", "-t ext4 -b 1024"],
  ["ext4, blocks of 64 KiB", "-t ext4 -b 65536"],
  ["ext4, inline data", "-t ext4 -O inline_data -I 256"],
  ["ext4, inline data in large inodes", "-t ext4 -O inline_data -I 1024"],
  ["ext4 without extents", "-t ext4 -O ^extents,^64bit"],
  ["ext4, meta block groups", "-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode"],
  ["ext4, meta block groups of 32 bytes each", "-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode,^64bit,^metadata_csum"],
  ["ext4, clusters", "-t ext4 -O bigalloc -C 65536"],
  ["ext4, small groups", "-t ext4 -b 1024 -g 512"],
  ["ext4, every group with a superblock", "-t ext4 -O ^sparse_super,^resize_inode"],
  ["ext4, two superblocks", "-t ext4 -O sparse_super2,^resize_inode"],
  ["ext4, case folding, encryption, large folders", "-t ext4 -O casefold,encrypt,large_dir,ea_inode,metadata_csum_seed,project,verity"],
  ["ext3", "-t ext3 -b 1024"],
  ["ext2", "-t ext2 -b 1024"],
  ["ext2, no file types", "-t ext2 -O ^filetype"],
  ["ext2 of revision 0", "-t ext2 -r 0 -O none"],
];

for (const [name, words] of kinds) {
  t.test(name, async (t) => {
    sh(`rm -f image && mke2fs -q -F ${words} -d debian image 256M`);
    t.equal(spawnSync("e2fsck", ["-fn", join(folder, "image")]).status, 0, "whole");
    const { found, bytes } = look("image");
    t.equal(listed(found), installed);
    t.match(found, { software: { from: "image", system: { id: "debian", version: "12" } } });
    t.ok(bytes < 8 * 1_048_576, `${bytes} bytes were read`);
    // The folders with an index now.
    sh("e2fsck -fyD image >/dev/null 2>&1 || [ $? -eq 1 ]");
    t.equal(listed(look("image").found), installed, "after e2fsck -D");
  });
}

t.test("a file in many pieces: a tree of extents, and maps of maps", async (t) => {
  for (const words of ["-O ^has_journal", "-O ^has_journal,^extents,^64bit"]) {
    writeFileSync(join(folder, "kilobyte"), Buffer.alloc(1_024, 1));
    // Full, and then every second block free again.
    const numbers = Array.from({ length: 7_500 }, (_, index) => index);
    const script = [
      "mkdir x", "cd x", ...numbers.map((index) => `write kilobyte f${index}`), ...numbers.filter((index) => index % 2 === 0).map((index) => `rm f${index}`),
      "cd /", "mkdir /var", "mkdir /var/lib", "mkdir /var/lib/dpkg", "cd /var/lib/dpkg", "write debian/var/lib/dpkg/status status",
    ];
    writeFileSync(join(folder, "script"), `${script.join("\n")}\n`);
    sh(`rm -f image && mke2fs -q -F -t ext4 -b 1024 -I 128 ${words} -N 8000 image 8M && debugfs -w -f script image >/dev/null 2>&1 && e2fsck -fn image >/dev/null`);
    const pieces = sh("debugfs -R 'stat /var/lib/dpkg/status' image 2>/dev/null").split(", (").length;
    t.ok(pieces > 200, `${pieces} pieces`);
    t.equal(listed(look("image").found), installed);
  }
});

t.test("partitions: GPT, its copy, MBR, logical ones", async (t) => {
  const tables: readonly (readonly [name: string, sfdisk: string, number: number])[] = [
    ["GPT", "label: gpt\nstart=2048,size=8192,type=uefi\nstart=10240,size=2048,type=21686148-6449-6E6F-744E-656564454649\nstart=20480,size=600000,type=linux\n", 3],
    ["MBR", "label: dos\nstart=2048,size=8192,type=c\nstart=20480,size=600000,type=83,bootable\n", 2],
    ["MBR, logical", "label: dos\nstart=2048,size=8192,type=83\nstart=12288,size=620000,type=5\nstart=14336,size=4096\nstart=20480,size=600000\n", 6],
  ];
  for (const [name, table, number] of tables) {
    writeFileSync(join(folder, "table"), table);
    sh(`rm -f disk && truncate -s 400M disk && sfdisk -q disk <table && mkfs.vfat --offset 2048 disk 4096 >/dev/null && mke2fs -q -F -t ext4 -E offset=$((20480*512)) -d debian disk 300000k`);
    t.match(sh("sfdisk -d disk"), new RegExp(`disk${number} : start= +20480`));
    t.equal(listed(look("disk").found), installed, name);
    if (name !== "GPT") continue;
    sh("printf x | dd of=disk bs=1 seek=530 conv=notrunc status=none");
    t.equal(listed(look("disk").found), installed, "the copy at the end");
    sh("printf x | dd of=disk bs=1 seek=$((400*1048576-512+18)) conv=notrunc status=none");
    t.strictSame(look("disk").found, { kind: "unknown", why: "its GUID partition table is damaged" });
  }
});

t.test("every format of image", async (t) => {
  sh("printf 'label: gpt\\nstart=2048,type=linux\\n' >table && rm -f disk && truncate -s $((300*1048576+17*512)) disk && sfdisk -q disk <table && mke2fs -q -F -t ext4 -E offset=1048576 -d debian disk 290M");
  const formats = [
    "raw", "qcow2", "qcow2 -c", "qcow2 -c -o compression_type=zstd", "qcow2 -o cluster_size=512", "qcow2 -c -o cluster_size=4096", "qcow2 -c -o cluster_size=2M", "qcow2 -o extended_l2=on",
    "qcow2 -o compat=0.10", "qcow2 -c -o compat=0.10", "vmdk -o subformat=monolithicSparse", "vmdk -o subformat=streamOptimized",
  ];
  for (const format of formats) {
    sh(`rm -f image && qemu-img convert -f raw -O ${format} disk image`);
    const { found, bytes } = look("image");
    t.equal(listed(found), installed, format);
    t.ok(bytes < 8 * 1_048_576, `${bytes} bytes were read`);
  }
});

t.test("10 GiB: a few MiB are read", async (t) => {
  sh("rm -f disk && mke2fs -q -F -t ext4 -E lazy_itable_init=1 -d debian disk 10G && rm -f image && qemu-img convert -c -f raw -O qcow2 disk image && rm disk");
  const { found, bytes } = look("image");
  t.equal(listed(found), installed);
  t.ok(bytes < 4 * 1_048_576, `${bytes} bytes were read`);
});

t.test("rpm, below a link; apk", async (t) => {
  sh(`mkdir -p red/usr/lib/sysimage/rpm red/var/lib red/etc && ln -s ../../usr/lib/sysimage/rpm red/var/lib/rpm && printf 'ID="rocky"\\nVERSION_ID="9.3"\\n' >red/etc/os-release`);
  for (const name of ["alpha", "beta"]) {
    writeFileSync(join(folder, `${name}.spec`), [`Name: ${name}`, "Version: 1.0", "Release: 1.el9", "Summary: x", "License: MIT", "BuildArch: noarch", "%description", "x", "%files", ""].join("\n"));
    sh(`rpmbuild --quiet --define "_topdir $PWD/build" -bb ${name}.spec >/dev/null 2>&1; rpm --root "$PWD/red" --dbpath /var/lib/rpm -i --nodeps build/RPMS/noarch/${name}-*.rpm`);
  }
  t.ok(statSync(join(folder, "red/usr/lib/sysimage/rpm/rpmdb.sqlite")).size > 0);
  sh("rm -f image && mke2fs -q -F -t ext4 -d red image 64M");
  t.strictSame(look("image").found, {
    kind: "read",
    software: { from: "image", system: { id: "rocky", version: "9.3" }, packages: ["alpha", "beta"].map((name) => ({ purl: `pkg:rpm/rocky/${name}@1.0-1.el9?arch=noarch&distro=rocky-9.3`, licence: "MIT" })) },
  });
  sh("mkdir -p alpine/lib/apk/db alpine/etc && printf 'P:musl\\nV:1.2.4-r2\\nA:x86_64\\nL:MIT\\n\\n' >alpine/lib/apk/db/installed && printf 'ID=alpine\\nVERSION_ID=3.18.4\\n' >alpine/etc/os-release && rm -f image && mke2fs -q -F -t ext4 -d alpine image 64M");
  t.match(look("image").found, { software: { packages: [{ purl: "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4", licence: "MIT" }] } });
});

t.test("what is not read is unknown, and why", async (t) => {
  const makers: readonly (readonly [why: RegExp, make: string])[] = [
    [/^xfs, of which no files are read/, "truncate -s 400M image && mkfs.xfs -q image"],
    [/^btrfs, of which/, "truncate -s 200M image && mkfs.btrfs -q image"],
    [/^squashfs, of which/, "mksquashfs debian image -quiet -no-progress >/dev/null && truncate -s %4096 image"],
    [/^vfat, of which/, "truncate -s 64M image && mkfs.vfat image >/dev/null"],
    [/^LUKS, of which/, "truncate -s 32M image && printf x | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 image -"],
    [/^swap, of which/, "truncate -s 32M image && mkswap image >/dev/null 2>&1"],
    [/^its ext file system was not unmounted$/, "mke2fs -q -F -t ext4 -d debian image 256M && debugfs -w -R 'feature needs_recovery' image >/dev/null 2>&1"],
    [/^ext, without a package database/, "mke2fs -q -F -t ext4 image 64M"],
    [/^its ext file system has features that are not known/, "mke2fs -q -F -t ext4 -O journal_dev image 64M"],
    [/^no file system that is known$/, "truncate -s 64M image"],
    [/^partition 1: xfs, of which.*; partition 2: ext, without/, "truncate -s 600M image && printf 'label: gpt\\nsize=400M\\nsize=100M\\n' | sfdisk -q image && truncate -s 400M part && mkfs.xfs -q -f part && dd if=part of=image bs=1M seek=1 conv=notrunc,sparse status=none && mke2fs -q -F -t ext2 -E offset=$((401*1048576)) image 100M"],
  ];
  for (const [why, make] of makers) {
    sh(`rm -f image part; ${make}`);
    t.match(look("image").found, { kind: "unknown", why });
  }
});

t.test("locked, again, built and made again: the same", async (t) => {
  await makeReferenceInputs(join(folder, "inputs"));
  sh("rm -f disk image && mke2fs -q -F -t ext4 -U 11111111-2222-3333-4444-555555555555 -d debian disk 256M && qemu-img convert -c -f raw -O qcow2 disk image");
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replaceAll("../../out/inputs", join(folder, "inputs"))
    .replace(/format: qcow2\n( +source: )\S+\n( +digest: )\S+\n/, `format: qcow2\n$1${join(folder, "image")}\n$2${sha256(readFileSync(join(folder, "image")))}\n`);
  writeFileSync(join(folder, "release.yaml"), text);
  const run = (...words: readonly string[]): string => execFileSync(process.execPath, [cli, ...words], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  t.match(run("lock", "release.yaml", "--store", "store"), /^ {10}\d+ packages of debian 12, read out of it$/m);
  const first = readFileSync(join(folder, "release.lock.json"), "utf8");
  const { software } = (JSON.parse(first) as Lock).vmImage;
  t.equal(software?.packages.length, installed.trimEnd().split("\n").length);
  run("lock", "release.yaml", "--store", "store");
  t.equal(readFileSync(join(folder, "release.lock.json"), "utf8"), first, "out of the store");
  rmSync(join(folder, "store"), { recursive: true });
  run("lock", "release.yaml", "--store", "store");
  t.equal(readFileSync(join(folder, "release.lock.json"), "utf8"), first, "in a new one");
  run("build", join(root, "bundles/openstack-single/cloudlet.yaml"), "--release", "release.yaml", "--store", "store", "--locked", "--unsigned", "--out", "bundle.tar");
  const sbom = JSON.parse(sh("tar -xOf bundle.tar evidence/sbom.cdx.json")) as {
    readonly components: readonly { readonly "bom-ref": string; readonly purl?: string }[];
    readonly compositions: readonly { readonly aggregate: string; readonly dependencies?: readonly string[] }[];
  };
  const named = new Set(sbom.components.map(({ purl }) => purl));
  t.ok(software?.packages.every(({ purl }) => named.has(purl)), "all are in the SBOM");
  const image = sbom.components.find((each) => each["bom-ref"].startsWith("vm-image:"))?.["bom-ref"] ?? "";
  t.ok(sbom.compositions.some(({ aggregate, dependencies }) => aggregate === "incomplete" && dependencies?.includes(image)));
  rmSync(join(folder, "store"), { recursive: true });
  t.match(run("rebuild", "bundle.tar"), /SAME/, "without any blob at hand");
});
