/**
 * vCloud Director's way in: the bundle's two VMDKs behind paravirtual SCSI, vmxnet3 cards, and a CD with the OVF environment,
 * which cloud-init's OVF datasource reads. Healthy, with the addresses of the spec; a boot without user-data changes nothing.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { allAnswer, answersOf, cloudInitErrors, roles, stagesOf, untilHealthy } from "./cloudlets.ts";
import { guestInfo } from "./guest-info.ts";
import type { Hardware } from "./guest.ts";
import { machine, patience } from "./guest.ts";
import { ovfEnvironment, ovfProperties, ovfTransport } from "./seed.ts";
import { cards, disksOf, networkOf, payloadDiskOf, plannedNetwork, stateOf, vmwareBundle } from "./vmware.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-ovf-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(900_000 * patience);
const bundle = await vmwareBundle("vcd", "{type: vcd, parameters: {url: https://vcd.example.net, org: ExampleTel, vdc: edge-vdc, catalog: cloudlets, nsxType: NSX-T}}", "docker");
const { image, payload } = disksOf(bundle);
const guest = machine(folder, "ovf", { vmdk: image });
let before = "";

/** With a CD of these properties, as VMware writes it at each power-on. */
function hardware(properties: Readonly<Record<string, string>>): Hardware {
  const cdrom = ovfTransport(folder, ovfEnvironment(properties, cards));
  return { disks: [payload], cards, vmware: { guestInfo: guestInfo(), cdrom } };
}

await t.test("healthy: disks, cards, networks and firewall are as the descriptor and the spec say", async (t) => {
  const running = await guest.boot(hardware(ovfProperties(bundle, cards)));
  t.teardown(() => running.cut());
  await untilHealthy(running);
  const disk = await payloadDiskOf(running);
  t.match(disk, /^sd[ab]$/);
  t.strictSame(stagesOf(running), ["booted platformvm", `found ${disk}`, `verified ${disk}`, "loaded docker", `started ${roles}`, `healthy ${roles}`]);
  t.strictSame(await cloudInitErrors(running), []);
  t.match(await running.read("cat /run/cloud-init/result.json"), '"DataSourceOVF');
  t.equal((await running.read("systemd-detect-virt")).trim(), "vmware");
  t.strictSame(await answersOf(running), allAnswer);
  t.strictSame(await networkOf(running), plannedNetwork);
  t.match(await running.read("iptables -S INPUT 1; ip6tables -S INPUT 1"), /^(-A INPUT -j CLOUDLET-IN\n){2}$/);
  before = await stateOf(running);
  await running.powerOff();
});

await t.test("once user-data is taken out of the properties, the next boot is healthy, and the guest is as it was", async (t) => {
  const running = await guest.boot(hardware({ ...ovfProperties(bundle, cards), "user-data": "" }));
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "loaded docker", `started ${roles}`, `healthy ${roles}`]);
  t.strictSame(await cloudInitErrors(running), []);
  t.match(await running.read("cat /run/cloud-init/result.json"), '"DataSourceOVF');
  t.strictSame(await networkOf(running), plannedNetwork);
  t.equal(await stateOf(running), before);
});
