/**
 * vSphere's way in: the bundle's two VMDKs behind paravirtual SCSI, vmxnet3 cards, and cloud-init's VMware datasource, which
 * reads guestinfo. Healthy, with the addresses of the spec; says so over guestinfo; a boot after the scrubbing changes nothing.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { allAnswer, answersOf, cloudInitErrors, roles, stagesOf, untilHealthy } from "./cloudlets.ts";
import { guestInfo } from "./guest-info.ts";
import type { Hardware } from "./guest.ts";
import { machine, patience } from "./guest.ts";
import { guestInfoValues, redacted } from "./seed.ts";
import { cards, disksOf, networkOf, payloadDiskOf, plannedNetwork, stateOf, vmwareBundle } from "./vmware.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-guestinfo-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(900_000 * patience);
const bundle = await vmwareBundle("vsphere", "{type: vsphere, parameters: {datastore: LocalDS_0, cluster: DC0_C0}}", "podman");
const { image, payload } = disksOf(bundle);
const info = guestInfo();
const guest = machine(folder, "guestinfo", { vmdk: image });
const hardware: Hardware = { disks: [payload], cards, vmware: { guestInfo: info } };
info.set(guestInfoValues(bundle, cards));
let before = "";

await t.test("healthy: disks, cards, networks and firewall are as the descriptor and the spec say", async (t) => {
  const running = await guest.boot(hardware);
  t.teardown(() => running.cut());
  await untilHealthy(running);
  const disk = await payloadDiskOf(running);
  t.match(disk, /^sd[ab]$/);
  t.strictSame(stagesOf(running), ["booted platformvm", `found ${disk}`, `verified ${disk}`, "loaded podman", `started ${roles}`, `healthy ${roles}`]);
  t.strictSame(await cloudInitErrors(running), []);
  t.match(await running.read("cat /run/cloud-init/result.json"), '"DataSourceVMware"');
  t.equal((await running.read("systemd-detect-virt")).trim(), "vmware");
  t.match(await running.read("lsmod"), /^vmxnet3 [^]*^vmw_pvscsi |^vmw_pvscsi [^]*^vmxnet3 /m);
  t.strictSame(await answersOf(running), allAnswer);
  t.strictSame(await networkOf(running), plannedNetwork);
  t.match(await running.read("resolvectl dns --no-pager"), /^Global: 192\.0\.2\.53$/m);
  t.match(await running.read("iptables -S INPUT 1; ip6tables -S INPUT 1"), /^(-A INPUT -j CLOUDLET-IN\n){2}$/);
  t.match(await running.read("iptables -S CLOUDLET-IN"), "-s 198.51.100.0/28 -p tcp -m tcp --dport 22 -j ACCEPT");
  t.strictSame(await toldStages(), stagesOf(running), "guestinfo.cloudlet.status has had every stage");
  before = await stateOf(running);
  await running.powerOff();
});

await t.test("once user-data is scrubbed, the next boot is healthy, and the guest is as it was", async (t) => {
  info.set(redacted);
  const running = await guest.boot(hardware);
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "loaded podman", `started ${roles}`, `healthy ${roles}`]);
  t.strictSame(await cloudInitErrors(running), []);
  t.match(await running.read("cat /run/cloud-init/result.json"), '"DataSourceVMware"');
  t.strictSame(await networkOf(running), plannedNetwork);
  t.equal(await stateOf(running), before);
  t.equal((await running.read("stat -L -c %s /var/lib/cloud/instance/user-data.txt")).trim(), "0", "cloud-init keeps no copy of the secrets either");
});

/** As `stagesOf`, from what the guest has set; the last one comes a moment after its line on the console. */
async function toldStages(): Promise<readonly string[]> {
  const told = (): readonly string[] =>
    info
      .told()
      .filter(({ key }) => key === "guestinfo.cloudlet.status")
      .map(({ value }) => JSON.parse(value) as { readonly stage: string; readonly detail: string })
      .map(({ stage, detail }) => `${stage} ${detail}`);
  for (let waited = 0; waited < 10_000 * patience && !told().includes(`healthy ${roles}`); waited += 100) await setTimeout(100);
  return told();
}
