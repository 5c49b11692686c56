/** A machine without any network card, with podman: healthy from the bundle's files alone, and again at the second boot. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { buildBundle } from "../bundle.ts";
import { allAnswer, answersOf, kvmSpec, payloadOf, roles, stagesOf, untilHealthy } from "./cloudlets.ts";
import { machine, patience } from "./guest.ts";
import { noCloud } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-no-network-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(600_000 * patience);
const bundle = await buildBundle("boot-no-network", kvmSpec);
const hardware = { disks: [noCloud(folder, bundle, "without-cards"), payloadOf(bundle)] };
const guest = machine(folder, "no-network", "podman");

/** All that the bootstrap and cloud-init have made, with the time of their last change, and what podman has stored. */
const inventory = [
  "find /etc/cloudlet /usr/local/sbin/cloudlet-bootstrap /etc/systemd/system /root/accesskey /var/lib/cloudlet -type f",
  "| xargs stat -c '%n %a %U %G %Y %s'; sha256sum /var/lib/containers/storage/overlay-images/images.json",
].join(" ");
let atFirst = "";

t.test("the first boot ends healthy, and the containers answer", async (t) => {
  const running = await guest.boot(hardware);
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "found vdc", "verified vdc", "loaded podman", `started ${roles}`, `healthy ${roles}`]);
  t.equal((await running.read("ls /sys/class/net")).trim(), "lo", "there is no network card");
  t.strictSame(await answersOf(running), allAnswer);
  t.equal(await running.read("podman ps --format '{{.Names}}' | sort | xargs"), "crmserver prometheus shepherd\n");
  atFirst = await running.read(inventory);
  t.match(atFirst, "/var/lib/cloudlet/payload 600 root root");
  t.match(atFirst, "/root/accesskey/accesskey.pem 600 root root");
  t.equal((await running.read("systemctl --failed --plain --no-legend")).trim(), "", "no unit has failed");
  await running.powerOff();
});

t.test("the second boot loads nothing, changes nothing, and ends healthy", async (t) => {
  const running = await guest.boot(hardware);
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "loaded podman", `started ${roles}`, `healthy ${roles}`]);
  t.equal(await running.read(inventory), atFirst);
  t.strictSame(await answersOf(running), allAnswer);
});
