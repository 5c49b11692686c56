/** What vSphere and vCloud Director refuse by name, and what they write: site.env, the CRM's variables, the guest's network. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import t from "tap";
import { sourced } from "../../../src/core/origin.ts";
import { plan } from "../../../src/plan/plan.ts";
import { readEnv } from "../../../src/render/encode-env.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { compose, composeText, lockOf, specText, textOf, wellRead } from "../../golden/cases.ts";

function issues(spec: string): readonly string[] {
  return composeText(spec).issues.map((issue) => `${issue.severity} ${issue.code} ${issue.pointer}`);
}

function file(name: string, path: string): string {
  return textOf(compose(name).files.find((each) => each.path === path));
}

t.test("what they can't do is refused by name, all at once", (t) => {
  const networks = `    - name: ue-net
      vnicType: smart-nic
      address: {mode: static, ip: 203.0.113.10, secondaryIp: 203.0.113.11, prefix: 24, subnet: ue}
    - name: mgmt-net
      address: {mode: floating, pool: public}
${Array.from({ length: 9 }, (_, index) => `    - {name: net-${index}}\n`).join("")}`;
  const spec = specText("vcd")
    .replace(/ {4}- name: ue-net\n(.*\n){5}/, networks)
    .replace("      ue-net: {network: ue-routed}", "      eu-net: {network: ue-routed}\n    rootDiskGiB: 10")
    .replace("  flavor: m4.medium", "  flavor: m4.medium\n  platformVm: {gpus: 1}\n  tenant: {gpus: 2}")
    .concat("deployment: kubernetes\ncrm: {highAvailability: true, redisAddress: 192.0.2.79:6379}\n");
  t.strictSame(issues(spec), [
    "error platform/kubernetes /deployment",
    "error platform/high-availability /crm/highAvailability",
    "error platform/gpu /compute/platformVm/gpus",
    "error platform/too-many-networks /networks/external",
    "error platform/vnic-type /networks/external/0/vnicType",
    "error platform/subnet /networks/external/0/address/subnet",
    "error platform/floating-address /networks/external/1/address/mode",
    "error platform/unknown-network /platform/parameters/networks/eu-net",
    "error platform/root-volume-too-small /platform/parameters/rootDiskGiB",
  ]);
  const without = specText("vcd").replace(/networks:\n {2}external:\n( {4}.*\n)+/, "networks:\n").replace("    networks:\n      ue-net: {network: ue-routed}\n", "").concat("access: direct\n");
  t.strictSame(issues(without), ["error platform/no-external-network /networks"]);
  t.end();
});

t.test("the PlatformVM takes the first address, the CRM has the others", (t) => {
  const site = readEnv(file("vsphere-everything", "site.env"));
  t.equal(site.get("CB_NETWORK_2_ADDRESS"), "203.0.113.30");
  t.equal(site.get("CB_NETWORK_2_OTHER_ADDRESSES"), "203.0.113.10/24-203.0.113.20/24");
  t.equal(site.get("CB_VS_CLUSTER"), "management", "where the PlatformVM itself goes");
  const userData = file("vsphere-everything", "site/user-data");
  for (const variable of [
    "MEX_COMPUTE_CLUSTER=tenants",
    "MEX_EXTERNAL_IP_RANGES=203.0.113.10/24-203.0.113.20/24",
    "MEX_EXTERNAL_VSWITCH=vSwitch 1 (UE)",
    "MEX_INTERNAL_VSWITCH=vSwitch-internal",
    "MEX_MANAGEMENT_CLUSTER=management",
    "MEX_MANAGEMENT_EXTERNAL_IP_RANGES=198.51.100.5/28-198.51.100.5/28",
    "MEX_VM_VERSION=8.0",
  ]) {
    t.match(userData, `='${variable}'`);
  }
  t.match(file("vcd", "site/user-data"), "='VCD_NSX_TYPE=NSX-T'");
  t.match(file("vsphere-everything", "site/network-config"), "      - 203.0.113.30/24\n");
  t.end();
});

t.test("disks are VMDKs, and a lock without them is no lock for these platforms", (t) => {
  const { files, plan: made } = compose("vsphere");
  t.strictSame(files.filter(({ path }) => path.startsWith("blobs/")), []);
  t.equal(made.disks?.payload.file.value, "ovf/payload.vmdk");
  const spec = wellRead(readSpec(specText("vsphere"), { platforms: ["vsphere"] }));
  const release = wellRead(readRelease(readFileSync(join(import.meta.dirname, "../../golden/release.yaml"), "utf8")));
  const { issues } = plan(spec.sourced, release.sourced, sourced(lockOf(release), "lock"));
  t.strictSame(issues.map(({ code, pointer }) => `${code} ${pointer}`), ["plan/lock-without-vmdk /platform/type"]);
  t.end();
});

t.test("vCloud Director: runbook and manifestitems name every card, every address and who has it", (t) => {
  const spec = specText("vcd")
    .replace(/ {4}- name: mgmt-net\n(.*\n){2}/, "    - name: mgmt-net\n      purpose: management\n      address: {mode: range, ranges: [198.51.100.30, 198.51.100.10-198.51.100.20], prefix: 24}\n")
    .replace("ue-net: {network: ue-routed}", 'ue-net: {network: "ue | <routed>"}');
  const composed = composeText(spec);
  if (!composed.ok) throw new Error(JSON.stringify(composed.issues));
  const text = (path: string): string => textOf(composed.value.files.find((each) => each.path === path));
  const runbook = text("site/runbook.md");
  t.match(runbook, /^\| `ue \\\| <routed>` \| `203\.0\.113\.10` \(1\) \| `203\.0\.113\.10\/24`, gateway `203\.0\.113\.1` \| none \|$/m);
  t.match(runbook, /^\| `mgmt-net` \| `198\.51\.100\.30` \(1\) `198\.51\.100\.10-198\.51\.100\.20` \(11\) \| `198\.51\.100\.30\/24` \| 11: `198\.51\.100\.10\/24-198\.51\.100\.20\/24` \|$/m);
  t.match(runbook, /^sh lib\/vcd-by-hand\.sh \.\.\/secrets \.\.\/properties 'MAC1' 'MAC2'$/m);
  const manifest = load(text("site/manifest.yaml")) as { readonly manifestitems: readonly { readonly id: number; readonly content: string }[] };
  t.strictSame(manifest.manifestitems.map(({ id }) => id), manifest.manifestitems.map((_, index) => index + 1));
  t.ok(manifest.manifestitems.some(({ content }) => content.includes("Network ue: ue | <routed>, Static - Manual 203.0.113.10\nNetwork management: mgmt-net, Static - Manual 198.51.100.30\n")));
  t.end();
});
