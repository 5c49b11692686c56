/**
 * Power cuts at random moments spread over the first boot: the boot after one always ends healthy.
 *
 * CONFORMANCE_SEED picks the moments; CONFORMANCE_FULL=1 makes it ten of them instead of three. podman and docker take turns.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { buildBundle } from "../bundle.ts";
import { allAnswer, answersOf, kvmSpec, payloadOf, stagesOf, untilHealthy } from "./cloudlets.ts";
import { machine, patience } from "./guest.ts";
import type { Engine } from "./guest.ts";
import { noCloud } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-power-cut-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(2_400_000 * patience);
const seed = process.env["CONFORMANCE_SEED"] ?? "0";
const cuts = process.env["CONFORMANCE_FULL"] === "1" ? 10 : 3;
const bundle = await buildBundle("boot-power-cut", kvmSpec);
const hardware = { disks: [noCloud(folder, bundle, "without-cards"), payloadOf(bundle)] };

/** How a first boot passes: each stage of it, from which on, and for about how many milliseconds on KVM. */
const course: readonly (readonly [stage: string, lasts: number])[] = [
  ["power", 8_000],
  ["booted", 700],
  ["found", 100],
  ["verified", 1_500],
  ["loaded", 300],
  ["started", 2_500],
];

for (let number = 0; number < cuts; number += 1) {
  const engine: Engine = number % 2 === 0 ? "podman" : "docker";
  const [stage, after] = moment((number + fraction(number)) / cuts);
  const delay = Math.round(after * patience);
  t.test(`${engine}: power cut ${delay} ms after ${stage}`, async (t) => {
    const guest = machine(folder, `cut-${number}`, engine);
    const first = await guest.boot(hardware);
    t.teardown(() => first.cut());
    if (stage !== "power") await first.until(stage);
    await setTimeout(delay);
    await first.cut();
    t.comment(`until then: ${stagesOf(first).join(", ")}`);
    const second = await guest.boot(hardware);
    t.teardown(() => second.cut());
    await untilHealthy(second);
    t.comment(stagesOf(second).join(", "));
    t.strictSame(await answersOf(second), allAnswer);
  });
}

/** The stage in which this part of a first boot is over, and the milliseconds since then. */
function moment(part: number): readonly [stage: string, after: number] {
  let left = part * course.reduce((sum, [, lasts]) => sum + lasts, 0);
  for (const [stage, lasts] of course) {
    if (left < lasts) return [stage, left];
    left -= lasts;
  }
  throw new Error(`no part of a boot: ${part}`);
}

/** From 0 up to 1, the same for the same seed. */
function fraction(number: number): number {
  return createHash("sha256").update(`${seed} ${number}`).digest().readUInt32BE() / 2 ** 32;
}
