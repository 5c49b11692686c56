/** Payload disks that are not what they should be, and a full disk: each is said by name, nothing starts, a later boot heals. */

import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { buildBundle } from "../bundle.ts";
import { kvmSpec, nextRelease, payloadOf, roles, stagesOf, untilHealthy } from "./cloudlets.ts";
import type { Running } from "./guest.ts";
import { machine, patience } from "./guest.ts";
import { noCloud } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-damage-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(1_200_000 * patience);
const later = payloadOf(await buildBundle("boot-damage-later", kvmSpec, { release: nextRelease }));
const bundle = await buildBundle("boot-damage", kvmSpec);
const good = payloadOf(bundle);
const seed = noCloud(folder, bundle, "without-cards");
const guest = machine(folder, "damage", "docker");

/** One machine through all of it: what was wrong at one boot must not matter at the next. */
const boots: readonly (readonly [string, readonly string[], readonly string[], (running: Running) => Promise<unknown>])[] = [
  ["no payload", [], ["booted platformvm", "failed no-payload-disk"], async () => {}],
  ["one byte is another one", [flipped(good)], ["booted platformvm", "found vdc", "failed payload-digest-differs"], async () => {}],
  ["the payload of another release", [later], ["booted platformvm", "found vdc", "failed payload-of-another-release"], fill],
  // So full that docker itself does not start.
  ["a full disk", [good], ["booted platformvm", "failed disk-full"], (running) => running.read("rm /filler && sync")],
];

for (const [name, payloads, stages, after] of boots) {
  t.test(`${name}: it is said, and nothing runs`, async (t) => {
    const running = await guest.boot({ disks: [seed, ...payloads] });
    t.teardown(() => running.cut());
    await running.until("failed", "healthy");
    t.strictSame(stagesOf(running), stages);
    await nothingRuns(t, running);
    await after(running);
    await running.powerOff();
  });
}

t.test("the right payload, attached twice beside the wrong one: healthy", async (t) => {
  const running = await guest.boot({ disks: [seed, flipped(good), good, good] });
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "found vdc,vdd,vde", "verified vdd", "loaded docker", `started ${roles}`, `healthy ${roles}`]);
});

async function nothingRuns(t: Test, running: Running): Promise<void> {
  t.equal(await running.read("! docker info >/dev/null 2>&1 || { docker ps --all --quiet; docker images --all --quiet; }"), "", "no container, no image");
  const states = await running.read("for role in crmserver shepherd prometheus; do systemctl is-active cloudlet-container@$role.service || :; done");
  t.strictSame(states.trim().split("\n"), ["inactive", "inactive", "inactive"]);
  t.notOk((await running.read("ls /var/lib/cloudlet 2>/dev/null || :")).includes("payload"), "nothing is remembered as loaded");
}

/** Leaves less room than the payload needs, as logs that nobody limits would. */
async function fill(running: Running): Promise<void> {
  await running.read("fallocate -l $(($(df -Pk / | awk 'NR == 2 { print $4 }') - 8))K /filler; cat /dev/zero >>/filler 2>/dev/null; sync; df -Pk / | awk 'NR == 2 && $4 > 8 { exit 1 }'");
}

/** A copy with one bit of its middle turned over. */
function flipped(payload: string): string {
  const copy = join(folder, "flipped.tar");
  copyFileSync(payload, copy);
  const file = openSync(copy, "r+");
  const at = Math.floor(statSync(copy).size / 2);
  const byte = new Uint8Array(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Uint8Array.of((byte[0] as number) ^ 1), 0, 1, at);
  closeSync(file);
  return copy;
}
