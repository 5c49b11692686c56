/** The seed that libvirt-seed.sh writes, read by a reader of its own (ECMA-119), and guest.sh's filling in of secrets. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

const templates = join(import.meta.dirname, "../../../templates");
const work = mkdtempSync(join(tmpdir(), "seed-"));
t.teardown(() => rmSync(work, { recursive: true }));

function shell(script: string): void {
  const run = spawnSync("sh", ["-euc", script], { cwd: work, encoding: "utf8", env: { PATH: process.env["PATH"], LC_ALL: "C" } });
  if (run.status !== 0) throw new Error(run.stderr);
}

/** Files of the one folder by name, and the volume's name. Throws where the two orders of a number differ. */
function readSeed(path: string): { readonly label: string; readonly files: ReadonlyMap<string, Buffer> } {
  const disk = readFileSync(path);
  const both32 = (at: number): number => {
    const value = disk.readUInt32LE(at);
    if (value !== disk.readUInt32BE(at + 4)) throw new Error(`${at}: ${value} in one order, not in the other`);
    return value;
  };
  const volume = 16 * 2048;
  if (disk.toString("latin1", volume, volume + 7) !== "\x01CD001\x01") throw new Error("no volume descriptor");
  if (disk.toString("latin1", volume + 2048, volume + 2055) !== "\xffCD001\x01") throw new Error("no terminator");
  if (both32(volume + 80) * 2048 !== disk.length) throw new Error("another size");
  for (const at of [volume + 120, volume + 124, volume + 128]) {
    if (disk.readUInt16LE(at) !== disk.readUInt16BE(at + 2)) throw new Error(`${at}: orders differ`);
  }
  const root = both32(volume + 156 + 2) * 2048;
  if (disk.readUInt32LE(disk.readUInt32LE(volume + 140) * 2048 + 2) !== root / 2048) throw new Error("the path table leads elsewhere");
  if (disk.readUInt32BE(disk.readUInt32BE(volume + 148) * 2048 + 2) !== root / 2048) throw new Error("the other path table leads elsewhere");
  const files = new Map<string, Buffer>();
  for (let at = root; disk[at] !== 0; at += disk[at] as number) {
    const name = disk.toString("latin1", at + 33, at + 33 + (disk[at + 32] as number));
    if (((disk[at] as number) % 2) !== 0) throw new Error(`${name}: a record of odd length`);
    if (((disk[at + 25] as number) & 2) !== 0) continue;
    files.set(name, disk.subarray(both32(at + 2) * 2048, both32(at + 2) * 2048 + both32(at + 10)));
  }
  return { label: disk.toString("latin1", volume + 40, volume + 72).trimEnd(), files };
}

t.test("files of any length are on the seed, to the byte", (t) => {
  for (const lengths of [[30, 200, 29_000], [2048, 4096, 2047], [1, 2049, 70_000]] as const) {
    const names = ["meta-data", "network-config", "user-data"];
    const contents = lengths.map((length, index) => Buffer.alloc(length, `${index}äöü\n\x00`, "utf8"));
    names.forEach((name, index) => writeFileSync(join(work, name), contents[index] ?? ""));
    shell(`. ${templates}/libvirt/lib/libvirt-seed.sh; seed_write seed.iso meta-data network-config user-data`);
    const { label, files } = readSeed(join(work, "seed.iso"));
    t.equal(label, "cidata", "the name that cloud-init looks for");
    t.strictSame([...files.keys()], ["META-DATA.;1", "NETWORK-CONFIG.;1", "USER-DATA.;1"], "as Linux shows them in lower case");
    t.ok([...files.values()].every((bytes, index) => bytes.equals(contents[index] ?? Buffer.alloc(0))), lengths.join(", "));
  }
  t.end();
});

t.test("secrets take the place of their placeholders, in a file for nobody else", (t) => {
  writeFileSync(join(work, "secrets"), "ACCESS_KEY=QUJD+/=\nOTHER=&\\\\1\n");
  writeFileSync(join(work, "in"), "# @@CLOUDLET-...@@\na: '@@CLOUDLET-SECRET:ACCESS_KEY@@@@CLOUDLET-SECRET:OTHER@@'\nb: '@@CLOUDLET-SECRET:NOT_GIVEN@@'\n");
  shell(`work=.; . ${templates}/common/lib/guest.sh; guest_fill in out`);
  t.equal(readFileSync(join(work, "out"), "utf8"), "# @@CLOUDLET-...@@\na: 'QUJD+/=&\\\\1'\nb: ''\n");
  t.equal(statSync(join(work, "out")).mode & 0o777, 0o600);
  writeFileSync(join(work, "secrets"), "");
  shell(`work=.; . ${templates}/common/lib/guest.sh; guest_fill in out`);
  t.match(readFileSync(join(work, "out"), "utf8"), /^a: ''$/m, "also when none is given at all");
  t.end();
});
