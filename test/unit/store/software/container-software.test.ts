/** The software of containers: layers with the databases of dpkg, apk and rpm, what later layers do to them, and what can't be read. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buffer } from "node:stream/consumers";
import t from "tap";
import { pack, type Header } from "tar-stream";
import type { Digest } from "../../../../src/core/digest.ts";
import { readPurl } from "../../../../src/core/purl.ts";
import type { LockedSoftware } from "../../../../src/spec/lock.ts";
import { containerSoftware } from "../../../../src/store/software/container-software.ts";
import { apkPackages } from "../../../../src/store/software/apk.ts";
import { inMemory } from "../../../../src/store/software/database-file.ts";
import { debianLicence, dpkgPackages } from "../../../../src/store/software/dpkg.ts";
import { layerChanges } from "../../../../src/store/software/layer-files.ts";
import { rpmPackages } from "../../../../src/store/software/rpm.ts";
import { tableRows } from "../../../../src/store/software/sqlite-table.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-software-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

type Entry = readonly [path: string, content: string | Uint8Array, more?: Partial<Header>];

async function layer(...entries: readonly Entry[]): Promise<string> {
  const tar = pack();
  for (const [name, content, more] of entries) tar.entry({ name, ...more }, Buffer.from(content));
  tar.finalize();
  const path = join(folder, `layer-${(count += 1)}`);
  writeFileSync(path, await buffer(tar));
  return path;
}

async function softwareOf(...layers: readonly string[]): Promise<LockedSoftware | undefined> {
  return containerSoftware(layers.map((path) => ({ digest: path as Digest })), (path) => path);
}

const debian: Entry = ["etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nID=debian\n'];
const dpkg = (...packages: readonly (readonly [name: string, version: string, more?: string])[]): string =>
  packages.map(([name, version, more = ""]) => `Package: ${name}\nStatus: install ok installed\nMaintainer: Jane <jane@example.org>\nArchitecture: amd64\n${more}Version: ${version}\nDescription: x\n more: of it\n`).join("\n");

t.test("dpkg: each package with the layer that brought it in this version", async (t) => {
  const base = await layer(debian, ["var/lib/dpkg/status", dpkg(["libc6", "2.36-9+deb12u4", "Source: glibc\n"], ["dash", "0.5.12-2"], ["curl", "7.88"])]);
  const own = await layer(
    ["var/lib/dpkg/status", `${dpkg(["libc6", "2.36-9+deb12u4", "Source: glibc\n"], ["curl", "1:8.0~rc1"])}\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n`],
    ["usr/share/doc/curl/copyright", "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: curl\n\nFiles: debian/*\nLicense: GPL-2+ or ISC\n"],
  );
  t.strictSame(await softwareOf(base, own), {
    system: { id: "debian", version: "12" },
    databases: [{ kind: "dpkg", state: "read" }],
    packages: [
      { purl: "pkg:deb/debian/curl@1:8.0~rc1?arch=amd64&distro=debian-12", layer: 1, licence: "(GPL-2+ or ISC) AND curl", supplier: "Jane <jane@example.org>" },
      { purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc", layer: 0, supplier: "Jane <jane@example.org>" },
    ],
  });
  t.equal(debianLicence("This package is free.\nLicense: MIT\n"), undefined, "prose is not guessed at");
});

t.test("a distroless image has one file for each package; a whiteout takes one away, an opaque one all", async (t) => {
  const base = await layer(
    ["var/lib/dpkg/status.d/tzdata", dpkg(["tzdata", "2024a"])],
    ["var/lib/dpkg/status.d/tzdata.md5sums", "0  a\n"],
    ["var/lib/dpkg/status.d/base", dpkg(["base-files", "12"])],
  );
  const less = await layer(["var/lib/dpkg/status.d/.wh.tzdata", ""]);
  const other = await layer(["var/lib/dpkg/.wh..wh..opq", ""], ["var/lib/dpkg/status.d/new", dpkg(["new", "1"])]);
  const names = async (...layers: readonly string[]): Promise<unknown> => (await softwareOf(...layers))?.packages.map((each) => [readPurl(each.purl)?.name, each.layer]);
  t.strictSame(await names(base), [["base-files", 0], ["tzdata", 0]]);
  t.strictSame(await names(base, less), [["base-files", 0]]);
  t.strictSame(await names(base, less, other), [["new", 2]]);
  t.strictSame(await names(base, less, base), [["base-files", 0], ["tzdata", 2]], "what comes back came with the later layer");
});

t.test("apk: licence, origin and maintainer as the package states them", async (t) => {
  const installed = "C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\nT:the musl c library\nL:MIT\no:musl\nm:Timo <t@example.org>\nF:lib\nR:ld.so\n\nP:ssl_client\nV:1.36.1-r5\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\n";
  const found = await softwareOf(await layer(["lib/apk/db/installed", installed], ["usr/lib/os-release", "ID=alpine\nVERSION_ID=3.18.4\n"]));
  t.strictSame(found?.packages, [
    { purl: "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4", layer: 0, licence: "MIT", supplier: "Timo <t@example.org>" },
    { purl: "pkg:apk/alpine/ssl_client@1.36.1-r5?arch=x86_64&distro=alpine-3.18.4&upstream=busybox", layer: 0, licence: "GPL-2.0-only" },
  ]);
});

/** RPM V4 header without the lead-in; a large licence makes it go over several pages of the database. */
function rpmHeader(texts: Readonly<Record<number, string>>, epoch?: number): Uint8Array {
  const entries: number[][] = [];
  const store: Buffer[] = [];
  let at = 0;
  const put = (tag: number, type: number, bytes: Buffer): void => {
    entries.push([tag, type, at, 1]);
    store.push(bytes);
    at += bytes.length;
  };
  if (epoch !== undefined) put(1003, 4, Buffer.from([0, 0, 0, epoch]));
  for (const [tag, value] of Object.entries(texts)) put(Number(tag), 6, Buffer.from(`${value}\0`));
  const head = Buffer.alloc(8 + 16 * entries.length);
  head.writeUInt32BE(entries.length, 0);
  head.writeUInt32BE(at, 4);
  entries.flat().forEach((value, index) => head.writeUInt32BE(value, 8 + 4 * index));
  return Buffer.concat([head, ...store]);
}

function rpmDatabase(headers: readonly Uint8Array[]): Uint8Array {
  const path = join(folder, `rpm-${(count += 1)}`);
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE Name (a TEXT); CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)");
  const insert = database.prepare("INSERT INTO Packages (blob) VALUES (?)");
  for (const header of headers) insert.run(header);
  database.close();
  return new Uint8Array(readFileSync(path));
}

t.test("rpm: the headers of rpmdb.sqlite, small ones and such that fill several pages", async (t) => {
  const many = Array.from({ length: 200 }, (_, index) => rpmHeader({ 1000: `p${String(index).padStart(3, "0")}`, 1001: "1", 1002: "2", 1014: "x".repeat(index * 100) }));
  const bytes = rpmDatabase([
    rpmHeader({ 1000: "bash", 1001: "5.1.8", 1002: "6.el9", 1011: "Rocky Enterprise", 1014: "GPLv3+", 1022: "x86_64", 1044: "bash-5.1.8-6.el9.src.rpm" }),
    rpmHeader({ 1000: "openssl-libs", 1001: "3.0.7", 1002: "24.el9", 1014: "ASL 2.0", 1022: "x86_64", 1044: "openssl-3.0.7-24.el9.src.rpm" }, 1),
    rpmHeader({ 1000: "gpg-pubkey", 1001: "350d275d", 1002: "6279464b" }),
    ...many,
  ]);
  const found = await softwareOf(await layer(["var/lib/rpm/rpmdb.sqlite", bytes], ["etc/os-release", "ID=rocky\nVERSION_ID=9.3\n"]));
  t.equal(found?.packages.length, 202);
  t.strictSame(found?.packages.slice(0, 2), [
    { purl: "pkg:rpm/rocky/bash@5.1.8-6.el9?arch=x86_64&distro=rocky-9.3", layer: 0, licence: "GPLv3+", supplier: "Rocky Enterprise" },
    { purl: "pkg:rpm/rocky/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=rocky-9.3&epoch=1&upstream=openssl", layer: 0, licence: "ASL 2.0" },
  ]);
  t.equal([...(tableRows(inMemory(bytes), "Packages") ?? [])].length, 203);
  t.equal(tableRows(inMemory(bytes), "Absent"), undefined);
  for (let seed = 1; seed <= 200; seed += 1) {
    const damaged = Uint8Array.from(bytes);
    // Most of a page's structure lies in its first bytes: damage is done there.
    for (let index = 0; index < 8; index += 1) damaged[(((seed * 7_919 + index * 104_729) % (bytes.byteLength / 4_096)) | 0) * 4_096 + ((seed * 31 + index) % 100)] = (seed * index * 13) % 256;
    try {
      t.ok([...(tableRows(inMemory(damaged), "Packages") ?? [])].every((row) => row.length <= 4));
    } catch (error) {
      t.type(error, Error);
    }
  }
  for (const cut of [50, 5_000, bytes.byteLength - 5_000]) t.throws(() => [...(tableRows(inMemory(bytes.subarray(0, cut)), "Packages") ?? [])], `cut after ${cut} bytes`);
});

t.test("what is not known is said so, and never an empty list that looks like knowledge", async (t) => {
  t.strictSame(await softwareOf(await layer(["bin/serve", "x"])), { databases: [], packages: [] }, "no database");
  t.strictSame((await softwareOf(await layer(["var/lib/rpm/Packages", "berkeley"])))?.databases, [{ kind: "rpm", state: "unreadable" }], "RPM's older forms");
  t.strictSame((await softwareOf(await layer(["var/lib/rpm/rpmdb.sqlite", "nonsense"])))?.databases, [{ kind: "rpm", state: "unreadable" }]);
  const many = Array.from({ length: 5_000 }, (_, index) => [`package-${index}`, "1.0"] as const);
  t.strictSame(await softwareOf(await layer(["var/lib/dpkg/status", dpkg(...many)])), { databases: [{ kind: "dpkg", state: "too-long" }], packages: [] });
  t.strictSame((await softwareOf(await layer(["var/lib/dpkg/status", dpkg(["x".repeat(600), "1"])])))?.databases, [{ kind: "dpkg", state: "too-long" }]);
  const broken = join(folder, "broken");
  writeFileSync(broken, Buffer.alloc(2_048, "no tar "));
  t.equal(await softwareOf(broken), undefined, "a layer that is no tar");
  const hostile = "P:evil\nV:1\nA:x\nL:\u0007MIT\u202e\nm:@@CLOUDLET-SECRET:X@@\n\n";
  t.strictSame((await softwareOf(await layer(["lib/apk/db/installed", hostile])))?.packages, [{ purl: "pkg:apk/alpine/evil@1?arch=x", layer: 0, licence: "MIT" }]);
});

t.test("layers: long names, links, big files that are stepped over, in GNU's form and in pax", async (t) => {
  const long = `usr/share/doc/${"n".repeat(120)}/copyright`;
  const path = await layer([`./${long}`, "pax"], ["big", Buffer.alloc(300_000, 1)], ["etc/os-release", "", { type: "symlink", linkname: "../usr/lib/os-release" }], ["./usr/lib/os-release", "ID=x\n"]);
  const changes = await layerChanges(path, (each) => (each === "big" ? 0 : 1_000));
  t.strictSame(changes.map((each) => each.path), [long, "usr/lib/os-release"]);
  const gnu = Buffer.alloc(512 * 5);
  const header = (at: number, name: string, size: number, type: string): void => {
    gnu.write(name, at);
    gnu.write(`${size.toString(8).padStart(11, "0")}\0`, at + 124);
    gnu.write(type, at + 156);
  };
  header(0, "././@LongLink", long.length + 1, "L");
  gnu.write(long, 512);
  header(1_024, long.slice(0, 100), 3, "0");
  gnu.write("gnu", 1_536);
  const second = join(folder, "gnu");
  writeFileSync(second, gnu);
  t.match(await layerChanges(second, () => 2), [{ kind: "too-big", path: long }]);
  t.match(await layerChanges(second, () => 3), [{ kind: "file", path: long, bytes: new Uint8Array([0x67, 0x6e, 0x75]) }]);
});

t.test("databases that are made to hang or to fill memory end soon", async (t) => {
  const started = performance.now();
  const blanks = " ".repeat(4_000_000);
  const stanza = "Package: a\nStatus: install ok installed\nVersion: 1\n";
  const dpkgCases: readonly (readonly [string, number])[] = [
    [`${stanza}Source: ${" (".repeat(2_000_000)}\n`, 1],
    [`${stanza}Maintainer:${blanks}x\r${blanks}\n`, 1],
    [`${"x".repeat(8_000_000)}\n${stanza}`, 1],
    [`${stanza}${"y:\n".repeat(2_000_000)}`, 1],
    ["\n".repeat(8_000_000), 0],
    [`${stanza}Source: ${"glibc (2)"} \n`, 1],
  ];
  for (const [text, count] of dpkgCases) t.equal(dpkgPackages(inMemory(Buffer.from(text))).length, count);
  t.match(dpkgPackages(inMemory(Buffer.from(`${stanza}Source: glibc (2.36-9)\n`))), [{ source: "glibc" }]);
  t.throws(() => dpkgPackages(inMemory(Buffer.from(`${stanza}\n`.repeat(20_001)))), /more than 20000 packages/);
  t.throws(() => apkPackages(inMemory(Buffer.from("P:a\nV:1\n\n".repeat(20_001)))), /more than 20000 packages/);
  t.equal(apkPackages(inMemory(Buffer.from(`P:a\nV:1\n${"F:x\n".repeat(2_000_000)}`))).length, 1);
  // A header that names itself 200,000 times, by a text of 3 MB; without its end.
  const entries = 200_000;
  const header = Buffer.alloc(8 + 16 * entries + 3_000_000, "n");
  header.writeUInt32BE(entries, 0);
  for (let index = 0; index < entries; index += 1) [index % 2 === 0 ? 1000 : 1001, 6, 0, 1].forEach((value, each) => header.writeUInt32BE(value, 8 + 16 * index + 4 * each));
  t.equal(rpmPackages(inMemory(rpmDatabase([header])))[0]?.name.length, 4_096);
  // Records whose content says that it is the types of 100,000 empty columns.
  const bytes = Buffer.from(rpmDatabase(Array.from({ length: 20 }, () => Buffer.alloc(100_000, 0x0c))));
  let changed = 0;
  // Five bytes of header: NULL for the row's number, and a blob of 100,000 bytes.
  const head = Buffer.from([0x05, 0x00, 0x8c, 0x9a, 0x4c]);
  for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
    Buffer.from([0x86, 0x8d, 0x25, 0x0c, 0x0c]).copy(bytes, at);
    changed += 1;
  }
  t.ok(changed >= 20, "all of them, and what SQLite left lying about");
  t.strictSame([...(tableRows(inMemory(bytes), "Packages") ?? [])].map((row) => row.length), Array.from({ length: 20 }, () => 4));
  t.throws(() => rpmPackages(inMemory(bytes)));
  t.ok(performance.now() - started < 20_000, `${Math.round(performance.now() - started)} ms`);
});
