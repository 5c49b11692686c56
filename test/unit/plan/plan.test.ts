/** Choices of the plan: names, cards, rules, sizes, slots, what the containers run with; and what does not fit together. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import type { Outcome } from "../../../src/core/issue.ts";
import { sourced } from "../../../src/core/origin.ts";
import { hostName, keepsEveryCharacter, platformVmName, portName } from "../../../src/plan/names.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { plan } from "../../../src/plan/plan.ts";
import type { Lock } from "../../../src/spec/lock.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { compose, lockOf, specText, wellRead } from "../../golden/cases.ts";

const release = wellRead(readRelease(readFileSync(join(import.meta.dirname, "../../golden/release.yaml"), "utf8")));

function planned(spec: string, editLock: (lock: Lock) => Lock = (lock) => lock): Outcome<Plan> {
  const document = wellRead(readSpec(spec, { platforms: ["openstack"] }));
  return plan(document.sourced, release.sourced, sourced(editLock(lockOf(release)), "lock"));
}

function codes(outcome: Outcome<Plan>): readonly string[] {
  return outcome.issues.map((issue) => `${issue.severity} ${issue.code} ${issue.pointer}`);
}

t.test("names are MobiledgeX's", (t) => {
  t.equal(platformVmName("berlin-1", "ExampleTel"), "berlin-1-ExampleTel-pf");
  t.equal(platformVmName("9 A & B, c!", "Yes, No & Co."), "a9ABc-YesNoCo.-pf");
  t.equal(hostName("Berlin_1-Example.Tel-pf"), "berlin-1-exampletel-pf");
  const long = hostName(`${"x".repeat(70)}-pf`);
  t.match(long, /^x{56}-[0-9a-f]{6}$/);
  t.not(long, hostName(`${"x".repeat(71)}-pf`), "what is cut off still counts");
  t.match(hostName(`${"x".repeat(55)}----------pf`), /^x{55}-[0-9a-f]{6}$/, "no dashes pile up where it is cut");
  t.equal(portName("a-pf", "net"), "a-pf-net-port");
  t.ok(keepsEveryCharacter("a-1", "b.c"));
  t.notOk(keepsEveryCharacter("a b", "c"));
  t.end();
});

t.test("network cards, rules, sizes and slots", (t) => {
  const { plan } = compose("everything");
  t.strictSame(
    plan.machines[0].nics.map((nic) => [nic.number.value, nic.network.value, nic.mode.value, nic.portName.value, nic.defaultRoute.value, nic.mtu?.value]),
    [
      [1, "provider", "static", "cologne-5-ExampleTel-pf-provider-port", false, 1400],
      [2, "inner", "floating", "cologne-5-ExampleTel-pf-inner-port", true, undefined],
      [3, "public", "dhcp", "cologne-5-ExampleTel-pf-public-port", false, undefined],
    ],
  );
  t.strictSame(plan.machines[0].nics[0]?.portName.origins, ["spec:/name", "spec:/networks/external/0/name", "spec:/organization"]);
  t.strictSame(
    plan.rules.map((rule) => [rule.direction.value, rule.family.value, rule.protocol.value, rule.from?.value, rule.to?.value, rule.cidr.value].join(" ")),
    [
      "ingress IPv4 tcp 22 22 198.51.100.0/24",
      "ingress IPv6 tcp 22 22 2001:db8:0:1::/64",
      "ingress IPv4 tcp 9092 9093 198.51.100.0/24",
      "ingress IPv4 any   198.51.100.128/25",
      "egress IPv4 tcp   0.0.0.0/0",
      "egress IPv4 udp 53 53 192.0.2.0/24",
      "egress IPv4 icmp   0.0.0.0/0",
      "egress IPv6 icmp   ::/0",
    ],
  );
  t.equal(plan.vmImage.name.value, "mobiledgex-v5.0.0-a1a1a1a1a1a1-cologne-5-ExampleTel-pf");
  t.equal(plan.payload.name.value, "cologne-5-ExampleTel-pf-payload-bebebebebebe");
  t.equal(plan.payload.volumeGiB.value, 2, "1.5 GiB, rounded up");
  t.equal(plan.createdSeconds.value, 1_795_478_400);
  t.strictSame(
    plan.slots.map((slot) => [slot.parameter.value, slot.path.value, slot.variable?.value, slot.maxEncoded.value]),
    [
      ["secret_access_key", "/root/accesskey/accesskey.pem", undefined, 684],
      ["secret_os_password", "/etc/cloudlet/secrets/OS_PASSWORD", "OS_PASSWORD", 1368],
      ["secret_vendor_token", "/root/vendor.token", undefined, 268],
      ["secret_kafka_password", "/etc/cloudlet/secrets/KAFKA_PASSWORD", "KAFKA_PASSWORD", 1368],
    ],
  );
  t.end();
});

t.test("by default something goes out, and nothing in", (t) => {
  const open = wellRead(planned(specText("minimal"))).rules;
  t.ok(open.every((rule) => rule.direction.value === "egress" && rule.cidr.origins.every((origin) => origin.startsWith("default:"))));
  t.end();
});

t.test("what the containers run with", (t) => {
  const [crm, shepherd, prometheus] = compose("everything").plan.machines[0].containers;
  t.strictSame(crm?.arguments.map((each) => each.value), [
    "--notifyAddrs", "eu.ctrl.example.net:37001",
    "--notifySrvAddr", "127.0.0.1:0",
    "--cloudletKey", '{"organization":"ExampleTel","name":"cologne-5","federated_organization":"PartnerTel"}',
    "--platform", "PLATFORM_TYPE_OPENSTACK",
    "--physicalName", "cologne",
    "--region", "EU",
    "--deploymentTag", "main",
    "--accessApiAddr", "eu.ctrl.example.net:41001",
    "--accessKeyFile", "/root/accesskey/accesskey.pem",
    "--appDNSRoot", "apps.example.net",
    "--useVaultPki",
    "--containerVersion", "2026-11-24",
    "--vmImageVersion", "5.0.0",
    "--cacheDir", "/root/crm_cache",
    "-d", "api,infra,notify,info",
  ]);
  t.strictSame(Object.fromEntries(crm?.environment.map(({ name, value }) => [name.value, value.value]) ?? []), {
    JAEGER_ENDPOINT: "https://jaeger.example.net:14268/api/traces",
    MEX_ADDITIONAL_PLATFORM_NETWORKS: "inner,public",
    MEX_COMPUTE_AVAILABILITY_ZONE: "nova",
    MEX_DNS: "192.0.2.53,2001:db8::53",
    MEX_ENABLE_ANTI_AFFINITY: "yes",
    MEX_EXT_NETWORK: "provider",
    MEX_NETWORK: "mex-inner",
    MEX_NTP_SERVERS: "ntp.example.net,192.0.2.123",
    OS_AUTH_URL: "https://keystone.example.net:5000/v3",
    OS_USERNAME: "cloudlet",
  });
  t.strictSame(crm?.secretVariables.map(({ name, path }) => [name.value, path.value]), [
    ["OS_PASSWORD", "/etc/cloudlet/secrets/OS_PASSWORD"],
    ["KAFKA_PASSWORD", "/etc/cloudlet/secrets/KAFKA_PASSWORD"],
  ]);
  t.strictSame(crm?.volumes.map((each) => each.value), ["/var/tmp", "/root/accesskey", "/root/crm_cache"]);
  t.equal(shepherd?.arguments[0]?.value, "--notifyAddrs");
  t.strictSame(prometheus?.environment, []);
  t.end();
});

t.test("what does not fit together is said all at once", (t) => {
  const spec = specText("minimal")
    .replace("flavor: m4.medium", "flavor: m4.medium\n  platformVm: {diskGiB: 40}\n  tenant: {vcpus: 32}")
    .concat('versions: {container: "2025-01-01", vmImage: 4.9.0}\nfirewall: {ingress: [{protocol: tcp, cidr: 192.0.2.0/24, description: "@@CLOUDLET-PORT-MAC:1@@"}]}\n');
  t.strictSame(
    codes(
      planned(spec, (lock) => ({
        ...lock,
        release: { ...lock.release, name: "other" },
        vmImage: { ...lock.vmImage, digest: `sha256:${"00".repeat(32)}`, virtualSize: 100 * 2 ** 30, size: 2 ** 40 },
        containers: lock.containers.slice(1),
      })),
    ),
    [
      "error plan/container-version /versions/container",
      "error plan/vm-image-version /versions/vmImage",
      "error plan/lock-differs ",
      "error plan/lock-differs ",
      "error plan/lock-differs ",
      "error plan/lock-differs ",
      "error plan/reserved-text /firewall/ingress/0/description",
      "error plan/image-does-not-fit /compute/platformVm/diskGiB",
    ],
  );
  t.strictSame(codes(planned(specText("minimal"), (lock) => ({ ...lock, release: { ...lock.release, digest: `sha256:${"00".repeat(32)}` } }))), ["error plan/lock-differs "]);
  t.strictSame(codes(planned(specText("minimal").replace("berlin-1", '"berlin, 1"'))), ["warning plan/name-not-unique /name"]);
  const big = specText("minimal").replace("  flavor: m4.medium\n", "  flavor: m4.medium\n  platformVm: {vcpus: 40, gpus: 1}\n");
  t.strictSame(codes(planned(big)), ["error plan/tenant-too-small /compute/tenant/vcpus", "error plan/tenant-too-small /compute/tenant/gpus"]);
  const two = specText("high-availability").replace("{flavor: m1.large}", "{flavor: m1.large, platformVm: {vcpus: 20}}");
  t.strictSame(codes(planned(two)), ["error plan/tenant-too-small /compute/tenant/vcpus"], "both PlatformVMs run in the tenant");
  const long = specText("minimal").replace("- name: provider", `- name: ${"n".repeat(240)}`);
  t.strictSame(codes(planned(long)), ["error plan/name-too-long /networks/external/0/name"]);
  t.end();
});
