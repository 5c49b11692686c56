/**
 * A whole guest on a KVM host: from the unpacked bundle to a CRM that answers, and back to nothing. One of the variants a
 * run, all of them with CONFORMANCE_FULL=1; an upgrade and the way back are then booted as well.
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { Test } from "tap";
import type { BuiltBundle } from "../bundle.ts";
import { cloudlet, guestAddress, site } from "./cloudlets.ts";
import { bridge, ip, leftOvers, openHost } from "./host.ts";
import { Operator } from "./operator.ts";

interface Variant {
  readonly driver: "libvirt" | "qemu";
  readonly firmware: "bios" | "efi";
  readonly machine: "q35" | "pc";
}

const variants: readonly Variant[] = [
  { driver: "libvirt", firmware: "bios", machine: "q35" },
  { driver: "qemu", firmware: "bios", machine: "pc" },
  { driver: "libvirt", firmware: "efi", machine: "q35" },
  { driver: "qemu", firmware: "efi", machine: "q35" },
];
const isFull = process.env["CONFORMANCE_FULL"] === "1";
const seed = Number.parseInt((process.env["CONFORMANCE_SEED"] ?? "0").slice(0, 8), 16) || 0;
const chosen = isFull ? variants : [variants[seed % variants.length] as Variant];

t.setTimeout(3_600_000);
const host = await openHost();
t.teardown(() => host.close());

for (const variant of chosen) {
  t.test(`${variant.driver}, ${variant.firmware}, ${variant.machine}`, async (t) => {
    const bundles = isFull ? [await bundleOf(variant, 1), await bundleOf(variant, 2)] : [await bundleOf(variant, 1)];
    await installed(t, variant, bundles as [BuiltBundle, ...BuiltBundle[]]);
    t.end();
  });
}

async function bundleOf({ driver, firmware, machine }: Variant, sequence: number): Promise<BuiltBundle> {
  return cloudlet({
    name: `${driver}-${firmware}`,
    sequence,
    image: "guest",
    parameters: [`driver: ${driver}`, `firmware: ${firmware}`, `machine: ${machine}`, "emulation: true", `networks: {ue: {kind: bridge, source: ${bridge}}}`],
  });
}

async function installed(t: Test, { driver }: Variant, [first, second]: readonly [BuiltBundle, ...BuiltBundle[]]): Promise<void> {
  const operator = new Operator(`libvirt-boot-${driver}`, ["dash"], []);
  const run = await operator.install(first);
  t.equal(run.status, 0, run.text);
  const healthy = "healthy crmserver,shepherd,prometheus";
  t.match(operator.receipt(), { result: "complete", guest: healthy, vm: { state: "running" } });
  const [card] = await neighbour();
  t.equal(card, site(first, "CB_NETWORK_1_MAC"), "the guest has its address on the card of the plan");
  const again = await operator.install(first);
  t.match(again.text, /nothing to do/);
  if (second !== undefined) {
    const upgrade = await operator.run(second, "--trust", second.fingerprint, "--yes", "--upgrade");
    t.equal(upgrade.status, 0, upgrade.text);
    t.match(operator.receipt(), { sequence: 2, guest: healthy });
    t.strictSame(await neighbour(), [card], "the same card and address");
    const back = await operator.run(second, "--rollback", "--yes");
    t.equal(back.status, 0, back.text);
    t.match(operator.receipt(), { sequence: 1, guest: healthy });
  }
  const console = readFileSync(join(operator.receipt()["folder"] as string, "serial.log"), "latin1");
  t.notOk(console.includes(readFileSync(first.secrets, "utf8").split("base64:")[1]?.trim() ?? "?"), "no secret on the console");
  const gone = await operator.run(first, "--uninstall", "--yes");
  t.equal(gone.status, 0, gone.text);
  t.strictSame(leftOvers(site(first, "CB_NAME"), site(first, "CB_LV_UUID")), []);
}

/** The hardware address that answers for the guest's, asked by ARP; its firewall lets nothing else in. */
async function neighbour(): Promise<readonly (string | undefined)[]> {
  for (let tries = 0; ; tries += 1) {
    execFileSync("sh", ["-c", `timeout 1 busybox nc ${guestAddress} 9 </dev/null >/dev/null 2>&1 || true`]);
    const found = /lladdr (\S+)/.exec(ip("neigh", "show", guestAddress, "dev", bridge))?.[1];
    if (found !== undefined || tries === 30) return [found];
    await sleep(1000);
  }
}
