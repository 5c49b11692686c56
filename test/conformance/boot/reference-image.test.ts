/** QEMU takes the reference image: its tools find it whole, and its machine boots it. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { bootMessage } from "../../../scripts/reference-programs.ts";

const folder = mkdtempSync(join(tmpdir(), "reference-image-"));
t.setTimeout(180_000);
t.teardown(() => rmSync(folder, { recursive: true }));
await makeReferenceInputs(folder);
const image = join(folder, "vm-image.qcow2");

t.test("qemu-img check finds nothing wrong or leaked", (t) => {
  const run = spawnSync("qemu-img", ["check", "--output=json", image], { encoding: "utf8" });
  t.equal(run.status, 0, run.stderr);
  t.match(JSON.parse(run.stdout), { format: "qcow2", "check-errors": 0 });
  t.notMatch(JSON.parse(run.stdout), { leaks: Number });
  t.end();
});

t.test("qemu-img info reads what the header was meant to say", (t) => {
  const info = JSON.parse(spawnSync("qemu-img", ["info", "--output=json", image], { encoding: "utf8" }).stdout) as object;
  t.match(info, {
    format: "qcow2",
    "virtual-size": 1024 ** 3,
    "cluster-size": 65_536,
    "format-specific": { data: { compat: "1.1", "refcount-bits": 16, corrupt: false } },
  });
  t.notOk("backing-filename" in info);
  t.end();
});

t.test("as raw it is the boot sector and then nothing", (t) => {
  const raw = join(folder, "raw");
  t.equal(spawnSync("qemu-img", ["dd", "-O", "raw", "bs=512", "count=1", `if=${image}`, `of=${raw}`]).status, 0);
  t.equal(readFileSync(raw).readUInt16BE(510), 0x55aa);
  const map = JSON.parse(spawnSync("qemu-img", ["map", "--output=json", image], { encoding: "utf8" }).stdout) as readonly object[];
  t.match(map, [{ start: 0, length: 65_536, data: true }, { start: 65_536, length: 1024 ** 3 - 65_536, data: false, zero: true }]);
  t.end();
});

t.test("the machine says it on its serial port and on its screen, once each, and halts", async (t) => {
  // Without graphics, SeaBIOS copies the screen to the serial port.
  const booted = await boot(image, (lines) => lines.filter((line) => line === bootMessage).length === 2);
  t.ok(booted.seen, booted.console);
  t.ok(booted.stayed, "it does not start over, nor end");
});

t.test("an image without the boot sector does not say it", async (t) => {
  const bytes = readFileSync(image);
  bytes.fill(0, bytes.byteLength - 65_536);
  const empty = join(folder, "empty.qcow2");
  writeFileSync(empty, bytes);
  const booted = await boot(empty, (lines) => lines.some((line) => line.includes("No bootable device")));
  t.ok(booted.seen, booted.console);
  t.notMatch(booted.console, bootMessage);
});

interface Booted {
  /** What is on the serial port, a second after `wanted` was seen. */
  readonly console: string;
  readonly seen: boolean;
  /** It was still running then, and what it had said was what is wanted, still. */
  readonly stayed: boolean;
}

/** Boots by software alone and waits 60 s for what is wanted of the console's lines. */
async function boot(disk: string, wanted: (lines: readonly string[]) => boolean): Promise<Booted> {
  const words = ["-nographic", "-monitor", "none", "-serial", "stdio", "-accel", "tcg", "-m", "64", "-nic", "none", "-no-reboot"];
  const machine = spawn("qemu-system-x86_64", [...words, "-drive", `file=${disk},format=qcow2,if=virtio,snapshot=on`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  machine.stdout.setEncoding("latin1").on("data", (piece: string) => (text += piece));
  const ended = once(machine, "close");
  const now = (): boolean => wanted(text.split(/\r?\n/));
  for (let waited = 0; waited < 60_000 && !now() && machine.exitCode === null; waited += 100) await setTimeout(100);
  const seen = now();
  await setTimeout(1_000);
  const stayed = machine.exitCode === null && now();
  machine.kill("SIGKILL");
  await ended;
  return { console: text, seen, stayed };
}
