/** The packages of VM images made by hand: found where they are; where the image lies, the answer is a word, soon, and no other error. */

import { deflateSync, crc32 } from "node:zlib";
import fc from "fast-check";
import t, { type Test } from "tap";
import type { ImageFile } from "../../../../src/store/disks/disk-map.ts";
import { imageSoftware, type ImageSoftware } from "../../../../src/store/software/image-software.ts";
import { qcow2File, sparseVmdk, type Cluster } from "../disks/image-files.ts";
import { blockBytes, extFile, folder, type Content } from "../filesystem/ext-file.ts";

const status = (count: number): string => Array.from({ length: count }, (_, index) => `Package: p${index}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.${index}\nMaintainer: Jane <jane@example.org>\n`).join("\n");
const osRelease: Content = 'PRETTY_NAME="x"\nID=debian\nVERSION_ID="12"\n';
const debian = { "var/lib/dpkg/status": status(900), "etc/os-release": { link: "../usr/lib/os-release" }, "usr/lib/os-release": osRelease };

function fileOf(bytes: Buffer, told: { bytes: number } = { bytes: 0 }): ImageFile {
  return {
    size: bytes.byteLength,
    read(offset, length) {
      const part = Buffer.from(bytes.subarray(Math.min(offset, bytes.byteLength), Math.min(offset + length, bytes.byteLength)));
      told.bytes += part.byteLength;
      return part;
    },
  };
}

const look = (bytes: Buffer): ImageSoftware => imageSoftware(fileOf(bytes));
const names = (found: ImageSoftware): unknown => (found.kind === "read" ? found.software.packages.length : found.why);

t.test("by extents and by maps, in one piece and in many; the distribution through a link", async (t) => {
  for (const by of ["extents", "map"] as const) {
    for (const gaps of [false, true]) {
      const found = look(extFile(debian, { by, gaps, blocks: 2_048 }).bytes);
      t.equal(names(found), 900, `${by}, ${String(gaps)}`);
      t.match(found, { software: { from: "image", system: { id: "debian", version: "12" }, packages: [{ purl: "pkg:deb/debian/p0@1.0?arch=amd64&distro=debian-12", supplier: "Jane <jane@example.org>" }] } });
    }
  }
});

t.test("apk, distroless dpkg, a database reached by two paths, one of a link that leads out", async (t) => {
  const apk = "P:musl\nV:1\nA:x86_64\n\n";
  t.match(look(extFile({ "lib/apk/db/installed": apk }, { by: "map" }).bytes), { software: { packages: [{ purl: "pkg:apk/alpine/musl@1?arch=x86_64" }] } });
  t.equal(names(look(extFile({ "usr/lib/apk/db/installed": apk, lib: { link: "usr/lib" } }, { by: "map" }).bytes)), 1);
  const distroless = { "var/lib/dpkg/status.d/a": status(1), "var/lib/dpkg/status.d/b": status(2), "var/lib/dpkg/status.d/b.md5sums": status(3) };
  t.equal(names(look(extFile(distroless, { by: "extents" }).bytes)), 2);
  const long = `/${"./".repeat(100)}srv/dpkg`;
  t.equal(names(look(extFile({ "var/lib/dpkg": { link: long }, "srv/dpkg/status": status(3) }, { by: "extents" }).bytes)), 3, "a long link, in a block");
  t.equal(names(look(extFile({ "var/lib/dpkg": { link: "../../../../../srv" }, "srv/status": status(4) }, { by: "map" }).bytes)), 4, "above / is /");
});

t.test("an image that names none is unknown, and why", async (t) => {
  const cases: readonly (readonly [Readonly<Record<string, Content>>, RegExp])[] = [
    [{ "bin/sh": "x" }, /^ext, without a package database that names any$/],
    [{ "var/lib/dpkg/status": "" }, /^ext, without/],
    [{ "var/lib/rpm/Packages": "berkeley" }, /^\/var\/lib\/rpm\/Packages is of a form that is not read$/],
    [{ "var/lib/rpm/rpmdb.sqlite": "nonsense" }, /^\/var\/lib\/rpm\/rpmdb\.sqlite is not readable$/],
    [{ "var/lib/dpkg/status/folder": "x" }, /^ext, without/],
    [{ "var": "a file" }, /^ext, without/],
    [{ "var/lib/dpkg/status": { link: "status" } }, /^ext, without/],
    [{ "var/lib/a": { link: "b" }, "var/lib/b": { link: "a" }, "var/lib/dpkg": { link: "a" } }, /^ext, without/],
    [{ "var/lib/dpkg": { link: Array.from({ length: 30 }, () => "x/..").join("/") }, "var/lib/x/y": "" }, /^ext, without/],
    [{ var: { link: "var/".repeat(12) } }, /^ext, without/],
    [{ "var/lib/dpkg/status": { link: "/nowhere" } }, /^ext, without/],
  ];
  for (const [files, why] of cases) t.match(look(extFile(files, { by: "map" }).bytes), { kind: "unknown", why });
  const marked = (at: number, mark: string): Buffer => {
    const bytes = Buffer.alloc(131_072);
    bytes.write(mark, at, "latin1");
    return bytes;
  };
  t.match(look(marked(0x218, "LVM2 001")), { why: /^LVM, of which no files are read/ });
  t.match(look(marked(0x1000, "\xfc\x4e\x2b\xa9")), { why: /^a RAID, of which/ });
  const both = extFile(debian, { by: "map" }).bytes;
  both.write("_BHRfS_M", 0x10040, "latin1");
  t.match(look(both), { kind: "read" }, "what a former file system left in an ext");
  t.match(look(marked(0, "nothing")), { why: "no file system that is known" });
});

t.test("of too many packages the suppliers are left out, then all", async (t) => {
  const found = look(extFile({ "var/lib/dpkg/status": status(1_800) }, { by: "extents", blocks: 2_048 }).bytes);
  t.equal(names(found), 1_800);
  t.ok(found.kind === "read" && found.software.packages.every((each) => each.supplier === undefined));
  t.match(look(extFile({ "var/lib/dpkg/status": status(6_000) }, { by: "extents", blocks: 2_048 }).bytes), { why: /^its databases name 6000 packages, more than a lock has room for$/ });
  t.match(look(extFile({ "var/lib/dpkg/status": "Package: a\nVersion: 1\n\n".repeat(20_001) }, { by: "extents", blocks: 2_048 }).bytes), { why: /status is not readable$/ });
  const system = "ID=" + "x".repeat(65);
  const nameless = look(extFile({ ...debian, "usr/lib/os-release": system }, { by: "extents" }).bytes);
  t.ok(nameless.kind === "read" && nameless.software.system === undefined, "a name that no lock could hold");
});

type Edit = (bytes: Buffer, made: ReturnType<typeof extFile>) => void;

t.test("tables that lead in circles, out of the image, or nowhere", async (t) => {
  const database = "var/lib/dpkg/status";
  const block = (made: ReturnType<typeof extFile>, path: string): number => made.inodeOf(path) + 0x28;
  const index = (bytes: Buffer, at: number, entries: readonly (readonly [logical: number, child: number])[], depth: number): void => {
    for (const [order, value] of [0xf30a, entries.length, 84, depth].entries()) bytes.writeUInt16LE(value, at + order * 2);
    entries.forEach(([logical, child], each) => {
      bytes.writeUInt32LE(logical, at + 12 + 12 * each);
      bytes.writeUInt32LE(child, at + 16 + 12 * each);
      bytes.writeUInt16LE(0, at + 20 + 12 * each);
    });
  };
  const extents: readonly (readonly [string, Edit, RegExp])[] = [
    ["a node that is its own child", (bytes, made) => { index(bytes, block(made, database), [[0, made.free]], 2); index(bytes, made.free * blockBytes, [[0, made.free]], 1); }, /tree of extents that makes no sense/],
    ["a node that is its own child at every level", (bytes, made) => { index(bytes, block(made, database), [[0, made.free]], 5); index(bytes, made.free * blockBytes, [[0, made.free]], 4); }, /tree of extents that makes no sense/],
    ["a node below which is nothing", (bytes, made) => { index(bytes, block(made, database), [[0, made.free], [5, made.free]], 1); index(bytes, made.free * blockBytes, [], 0); }, /tree of extents that makes no sense/],
    ["a tree of 6 levels", (bytes, made) => index(bytes, block(made, database), [[0, made.free]], 6), /tree of extents that makes no sense/],
    ["more entries than room", (bytes, made) => bytes.writeUInt16LE(60_000, block(made, database) + 2), /tree of extents that makes no sense/],
    ["an extent twice", (bytes, made) => { const at = block(made, database); bytes.writeUInt16LE(2, at + 2); bytes.writeUInt16LE(2, at + 16); bytes.copy(bytes, at + 24, at + 12, at + 24); }, /extents that lie over one another/],
    ["an extent of nothing", (bytes, made) => bytes.writeUInt16LE(0, block(made, database) + 16), /an extent of nothing/],
    ["blocks beyond the end", (bytes, made) => bytes.writeUInt32LE(0xffff_fff0, block(made, database) + 20), /has no block/],
    ["an extent that is not written", (bytes, made) => bytes.writeUInt16LE(32_768 + 100, block(made, database) + 16), /^ext, without/],
    ["a file of 4 GiB", (bytes, made) => bytes.writeUInt32LE(0xffff_ffff, made.inodeOf(database) + 4), /has 4294967295 bytes, more than are read/],
    ["a file of 2^63 bytes", (bytes, made) => bytes.writeUInt32LE(0x8000_0000, made.inodeOf(database) + 0x6c), /has \d+ bytes, more than are read/],
    ["a folder of 1 GiB", (bytes, made) => bytes.writeUInt32LE(2 ** 30, made.inodeOf("var/lib") + 4), /a folder of 1073741824 bytes/],
    ["a folder of half a block", (bytes, made) => bytes.writeUInt32LE(512, made.inodeOf("var/lib") + 4), /a folder that is cut off/],
    ["an entry of no length", (bytes, made) => bytes.writeUInt16LE(0, (made.blocksOf("var")[0] ?? 0) * blockBytes + 4), /entries make no sense/],
    ["an entry past its block", (bytes, made) => bytes.writeUInt16LE(2_000, (made.blocksOf("var")[0] ?? 0) * blockBytes + 4), /entries make no sense/],
    ["a name past its entry", (bytes, made) => bytes.writeUInt8(255, (made.blocksOf("var")[0] ?? 0) * blockBytes + 6), /entries make no sense/],
    ["a folder below itself", (bytes, made) => folder([["lib", 2], ["dpkg", 2], ["var", 2]]).copy(bytes, (made.blocksOf("")[0] ?? 0) * blockBytes), /^ext, without/],
    ["an inode that is none", (bytes, made) => folder([["lib", 4_000_000]]).copy(bytes, (made.blocksOf("var")[0] ?? 0) * blockBytes), /has no inode 4000000/],
    ["a link of 1 GiB", (bytes, made) => { bytes.writeUInt16LE(0xa1ff, made.inodeOf(database)); bytes.writeUInt32LE(2 ** 30, made.inodeOf(database) + 4); }, /^ext, without/],
    ["an encrypted file", (bytes, made) => bytes.writeUInt32LE(0x8_0800, made.inodeOf(database) + 0x20), /is encrypted/],
    ["content in an inode that has no room for it", (bytes, made) => bytes.writeUInt32LE(0x1000_0000, made.inodeOf(database) + 0x20), /an inode that holds less than it says/],
    ["inodes beyond the end", (bytes) => bytes.writeUInt32LE(0x7fff_ffff, 2 * blockBytes + 8), /has no block/],
    ["blocks of 4 TiB", (bytes) => bytes.writeUInt32LE(32, 1_024 + 0x18), /blocks of 2\^42 bytes/],
    ["a file system larger than the disk", (bytes) => bytes.writeUInt32LE(0xffff_ffff, 1_024 + 4), /larger than what holds it/],
    ["groups of nothing", (bytes) => bytes.writeUInt32LE(0, 1_024 + 0x28), /groups of nothing/],
    ["inodes of 100 bytes", (bytes) => bytes.writeUInt16LE(100, 1_024 + 0x58), /inodes of 100 bytes/],
    ["descriptors of nothing", (bytes) => bytes.writeUInt32LE(0xc2, 1_024 + 0x60), /group descriptors of 0 bytes/],
    ["a feature of the future", (bytes) => bytes.writeUInt32LE(0x8000_0042, 1_024 + 0x60), /features that are not known \(0x80000000\)/],
    ["a journal that was not played back", (bytes) => bytes.writeUInt32LE(0x46, 1_024 + 0x60), /was not unmounted/],
  ];
  for (const [name, edit, why] of extents) {
    const made = extFile(debian, { by: "extents" });
    edit(made.bytes, made);
    t.match(look(made.bytes), { kind: "unknown", why }, name);
  }
  const made = extFile(debian, { by: "map" });
  const table = made.bytes.readUInt32LE(made.inodeOf(database) + 0x28 + 48);
  for (let each = 0; each < 256; each += 1) made.bytes.writeUInt32LE(table, table * blockBytes + each * 4);
  for (const [size, why] of [[20_000_000, /^ext, without|is not readable/], [0x7fff_ffff, /more than are read/]] as const) {
    for (let each = 12; each < 15; each += 1) made.bytes.writeUInt32LE(table, made.inodeOf(database) + 0x28 + each * 4);
    made.bytes.writeUInt32LE(0, made.inodeOf(database) + 0x28);
    made.bytes.writeUInt32LE(size, made.inodeOf(database) + 4);
    const found = look(made.bytes);
    if (found.kind === "unknown") t.match(found.why, why, "a map that is its own");
    else t.ok(found.software.packages.length < 900);
  }
});

/** A disk with a partition at 64 KiB, or, with larger sectors, further behind. */
function parted(content: Buffer, by: "gpt" | "mbr", sectorBytes = 512): Buffer {
  const start = 128;
  const sectors = content.byteLength / sectorBytes;
  const disk = Buffer.alloc((start + sectors + 64) * sectorBytes);
  content.copy(disk, start * sectorBytes);
  disk.writeUInt16LE(0xaa55, 510);
  disk.writeUInt8(by === "gpt" ? 0xee : 0x83, 446 + 4);
  disk.writeUInt32LE(by === "gpt" ? 1 : start, 446 + 8);
  disk.writeUInt32LE(by === "gpt" ? disk.byteLength / sectorBytes - 1 : sectors, 446 + 12);
  if (by === "mbr") return disk;
  const entries = Buffer.alloc(128 * 128);
  Buffer.from("af3dc60f838472478e793d69d8477de4", "hex").copy(entries);
  entries.fill(7, 16, 32);
  entries.writeBigUInt64LE(BigInt(start), 32);
  entries.writeBigUInt64LE(BigInt(start + sectors - 1), 40);
  const place = (own: number, table: number): void => {
    entries.copy(disk, table * sectorBytes);
    const head = disk.subarray(own * sectorBytes, own * sectorBytes + 92);
    head.write("EFI PART", 0, "latin1");
    head.writeUInt32LE(0x1_0000, 8);
    head.writeUInt32LE(92, 12);
    head.writeBigUInt64LE(BigInt(own), 24);
    head.writeBigUInt64LE(BigInt(table), 72);
    head.writeUInt32LE(128, 80);
    head.writeUInt32LE(128, 84);
    head.writeUInt32LE(crc32(entries), 88);
    head.writeUInt32LE(crc32(head), 16);
  };
  place(1, 2);
  place(disk.byteLength / sectorBytes - 1, disk.byteLength / sectorBytes - 33);
  return disk;
}

function padded(disk: Buffer, unit: number): Buffer {
  return Buffer.concat([disk, Buffer.alloc((unit - (disk.byteLength % unit)) % unit)]);
}

/** Grains one after another behind their markers, the tables at the end, the header leading to them. */
function streamVmdk(disk: Buffer): Buffer {
  const grain = 65_536;
  const head = Buffer.from(sparseVmdk(disk.byteLength, new Map()).subarray(0, 65_536));
  head.write('createType="streamOptimized"\n    ', head.indexOf("createType"), "latin1");
  head.writeUInt32LE(3, 4);
  head.writeUInt32LE(0x3_0001, 8);
  const table = Buffer.alloc(2_048);
  const parts: Buffer[] = [head];
  let at = head.byteLength;
  const put = (bytes: Buffer): number => {
    parts.push(padded(bytes, 512));
    const place = at / 512;
    at += padded(bytes, 512).byteLength;
    return place;
  };
  for (let index = 0; index * grain < disk.byteLength; index += 1) {
    const stream = deflateSync(disk.subarray(index * grain, (index + 1) * grain));
    const marker = Buffer.alloc(12);
    marker.writeBigUInt64LE(BigInt((index * grain) / 512), 0);
    marker.writeUInt32LE(stream.byteLength, 8);
    table.writeUInt32LE(put(Buffer.concat([marker, stream])), index * 4);
  }
  const directory = Buffer.alloc(512);
  directory.writeUInt32LE(put(table), 0);
  head.writeBigUInt64LE(BigInt(put(directory)), 56);
  return Buffer.concat(parts);
}

function qcow2Of(disk: Buffer, kind: "data" | "deflate" | "zstd", clusterBits = 16): Buffer {
  const whole = padded(disk, 2 ** clusterBits);
  const clusters = new Map<number, Cluster>();
  for (let index = 0; index * 2 ** clusterBits < whole.byteLength; index += 1) clusters.set(index, { kind, bytes: whole.subarray(index * 2 ** clusterBits, (index + 1) * 2 ** clusterBits) });
  return qcow2File({ virtualSize: disk.byteLength, clusters, clusterBits, compression: kind === "zstd" ? "zstd" : "deflate" });
}

function sparseOf(disk: Buffer): Buffer {
  const grains = new Map(Array.from({ length: Math.ceil(disk.byteLength / 65_536) }, (_, index) => [index, disk.subarray(index * 65_536, (index + 1) * 65_536)]));
  return sparseVmdk(disk.byteLength, grains);
}

const small = { "var/lib/dpkg/status": status(60), "var/lib/dpkg/status.d/x": "Package: q\nVersion: 1\n", "etc/os-release": { link: "../usr/lib/os-release" }, "usr/lib/os-release": osRelease };
const content = extFile(small, { by: "extents", gaps: true, blocks: 256 }).bytes;
const images: Readonly<Record<string, Buffer>> = {
  "bare, extents": content,
  "bare, maps": extFile(small, { by: "map", blocks: 256 }).bytes,
  "raw, GPT": parted(content, "gpt"),
  "raw, MBR": parted(content, "mbr"),
  qcow2: qcow2Of(parted(content, "gpt"), "data"),
  "qcow2, 4 KiB, deflate": qcow2Of(parted(content, "mbr"), "deflate", 12),
  "qcow2, zstd": qcow2Of(parted(content, "gpt"), "zstd"),
  monolithicSparse: sparseOf(parted(content, "mbr")),
  streamOptimized: streamVmdk(parted(content, "gpt")),
};

t.test("every format and partition table", async (t) => {
  for (const [name, image] of Object.entries(images)) t.equal(names(look(image)), 61, name);
  t.equal(names(look(parted(content, "gpt", 4_096))), 61, "sectors of 4 KiB");
  const disk = parted(content, "gpt");
  disk.writeUInt8(1, 512 + 20);
  t.equal(names(look(disk)), 61, "the table at the end");
  disk.writeUInt8(1, disk.byteLength - 512 + 20);
  t.match(look(disk), { why: "its GUID partition table is damaged" });
  disk.fill(0, 512, 1_024);
  disk.fill(0, disk.byteLength - 512);
  t.match(look(disk), { why: "its GUID partition table is damaged" }, "the MBR says that there is one");
});

/** More, and others, for who asks for them. */
const runs = Number(process.env["EDITS"] ?? 120);
const seed = Number(process.env["SEED"] ?? 20_261_130);

/** Whether it ended in a list or in a word that was meant for it. */
function isBounded(t: Test, found: ImageSoftware, told: { readonly bytes: number }): boolean {
  const isMeant = found.kind === "read" || (!found.why.includes("its tables make no sense") && found.why !== "");
  return (isMeant && told.bytes < 600 * 1_048_576) || (t.comment(JSON.stringify(found).slice(0, 300)), false);
}

t.test("bytes that are other than they were, anywhere, and images that are cut off: a list or a word, never more", async (t) => {
  for (const [name, image] of Object.entries(images)) {
    const started = performance.now();
    const size = image.byteLength;
    // Where tables are as a rule, or anywhere.
    const place = fc.oneof(fc.nat({ max: size - 1 }), fc.nat({ max: Math.min(size, 40_000) - 1 }), fc.nat({ max: 511 }).map((at) => Math.min(size - 1, 65_536 + 1_024 + at)));
    const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, value, fc.integer({ min: 1, max: 8 })), { minLength: 1, maxLength: 6 }), (edits) => {
        const bytes = Buffer.from(image);
        for (const [at, byte, length] of edits) bytes.fill(byte, at, Math.min(size, at + length));
        const told = { bytes: 0 };
        return isBounded(t, imageSoftware(fileOf(bytes, told)), told);
      }),
      { numRuns: runs, seed },
    );
    for (let cut = 0; cut < size; cut += Math.max(512, Math.floor(size / 60 / 512) * 512)) {
      const told = { bytes: 0 };
      t.ok(isBounded(t, imageSoftware(fileOf(image.subarray(0, cut), told)), told), `${name}, ${cut} bytes of it`);
    }
    t.ok(performance.now() - started < 30_000, `${name}: ${Math.round(performance.now() - started)} ms`);
  }
});

t.test("each byte of the tables of ext, one after another", async (t) => {
  const made = extFile(small, { by: "extents", gaps: true, blocks: 256 });
  const stretches = [[1_024, 1_400], [2_048, 2_112], ...["", "var", "var/lib/dpkg", "var/lib/dpkg/status", "etc/os-release"].map((path) => [made.inodeOf(path), made.inodeOf(path) + 128])] as const;
  let count = 0;
  for (const [from = 0, end = 0] of stretches) {
    for (let at = from; at < end; at += 1) {
      for (const value of [0x01, 0xff]) {
        const bytes = Buffer.from(made.bytes);
        bytes.writeUInt8(value, at);
        const told = { bytes: 0 };
        if (!isBounded(t, imageSoftware(fileOf(bytes, told)), told)) t.fail(`byte ${at} as ${value}`);
        count += 1;
      }
    }
  }
  t.ok(count > 2_000);
});

t.test("what is made to take long ends soon", async (t) => {
  const folderBytes = 1_048_576;
  const link = { link: `${"x/../".repeat(800)}x` };
  const made = extFile({ var: link, lib: link, usr: link, "x/y": "" }, { by: "extents", blocks: 4_096 });
  const entries = made.bytes.subarray((made.blocksOf("")[0] ?? 0) * blockBytes, (made.blocksOf("")[0] ?? 0) * blockBytes + blockBytes);
  const large = Buffer.concat([...Array.from({ length: folderBytes / blockBytes - 1 }, () => folder(Array.from({ length: 84 }, () => ["zzz", 2] as const))), entries]);
  large.copy(made.bytes, made.free * blockBytes);
  const root = made.inodeOf("");
  made.bytes.writeUInt32LE(folderBytes, root + 4);
  made.bytes.writeUInt16LE(folderBytes / blockBytes, root + 0x28 + 16);
  made.bytes.writeUInt32LE(made.free, root + 0x28 + 20);
  for (const image of [made.bytes, parted(made.bytes, "gpt"), qcow2Of(parted(made.bytes, "mbr"), "deflate", 21), streamVmdk(made.bytes)]) {
    const started = performance.now();
    t.match(look(image), { kind: "unknown", why: /^ext, without|more than \d+ bytes of it/ });
    t.ok(performance.now() - started < 15_000, `${Math.round(performance.now() - started)} ms`);
  }
});

t.test("of what is not needed nothing is read", async (t) => {
  const told = { bytes: 0 };
  const disk = Buffer.concat([parted(extFile(small, { by: "extents", blocks: 256 }).bytes, "mbr"), Buffer.alloc(64 * 1_048_576, 1)]);
  t.equal(names(imageSoftware(fileOf(qcow2Of(disk, "deflate"), told))), 61);
  t.ok(told.bytes < 300_000, `${told.bytes} bytes`);
});

t.test("a failure of the machine is no word about the image", async (t) => {
  const failing: ImageFile = { size: content.byteLength, read: (offset, length) => (offset > 4_096 ? (() => { throw Object.assign(new Error("EIO"), { syscall: "read", code: "EIO" }); })() : Buffer.from(content.subarray(offset, offset + length))) };
  t.throws(() => imageSoftware(failing), { code: "EIO" });
});
