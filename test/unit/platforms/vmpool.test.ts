/** What a VM pool refuses by name, what it says has no effect, and what it writes. */

import t from "tap";

import { readEnv } from "../../../src/render/encode-env.ts";
import { assets, compose, composeText, specText, textOf } from "../../golden/cases.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICVMlP0+SgJIAb1Ag6d97KGqKBFVq8OR54KGnTnafH+6";

/** A pool of these machines, each a flow mapping, and lines of the spec besides. */
function pool(machines: readonly string[], more = "firewall: {ssh: {from: [10.0.0.0/8]}}\n"): string {
  return `apiVersion: cloudlet-bundle/v1
kind: Cloudlet
name: a
organization: b
region: EU
location: {latitude: 1, longitude: 1}
dynamicIps: 1
vmPool: p
platform: {type: vmpool, parameters: {machines: [${machines.join(", ")}]}}
${more}`;
}

function issues(spec: string): readonly string[] {
  return composeText(spec).issues.map((issue) => `${issue.severity} ${issue.code} ${issue.pointer}`);
}

const at = "/platform/parameters/machines";

t.test("the rules of a pool's machines, all at once", (t) => {
  t.same(issues(pool(["{name: one, internalIp: 10.0.0.1}"])), [], "the only machine is the PlatformVM");
  t.same(issues(pool(["{name: one, internalIp: 10.0.0.1}", "{name: two, internalIp: 10.0.0.2}"])), [`error platform/machine-role ${at}`], "of two, nobody guesses which");
  t.same(issues(pool(["{name: one, internalIp: 10.0.0.1, role: worker}"])), [`error platform/machine-role ${at}`]);
  t.same(issues(pool(["{name: one, internalIp: 10.0.0.1, role: platform}", "{name: two, internalIp: 10.0.0.2, role: platform}"])), [`error platform/machine-role ${at}`]);
  t.same(
    issues(
      pool([
        "{name: one, internalIp: 0.0.0.0, role: platform}",
        "{name: one, internalIp: 127.0.0.1, externalIp: 203.0.113.1}",
        '{name: three, internalIp: "2001:db8::1", externalIp: 203.0.113.1}',
        '{name: four, internalIp: "2001:db8:0::1", externalIp: "::1"}',
        "{name: five, internalIp: pool-vm-5, externalIp: 239.1.1.1}",
      ]),
    ),
    [
      `error platform/machine-address ${at}/0/internalIp`,
      `error platform/machine-address ${at}/1/internalIp`,
      `error platform/machine-address ${at}/3/externalIp`,
      `error platform/machine-address ${at}/4/internalIp`,
      `error platform/machine-address ${at}/4/externalIp`,
      `error platform/machine-repeated ${at}/1/name`,
      `error platform/machine-repeated ${at}/3/internalIp`,
      `error platform/machine-repeated ${at}/2/externalIp`,
    ],
  );
  t.same(issues(pool(["{name: one, internalIp: 10.0.0.1, hostKeys: [ssh-ed25519 AAAA]}"])), [`error platform/host-key ${at}/0/hostKeys/0`]);
  t.end();
});

t.test("what it can't do is refused by name", (t) => {
  const spec = pool(["{name: one, internalIp: 10.0.0.1}"])
    .concat("deployment: kubernetes\ncrm: {highAvailability: true, redisAddress: \"192.0.2.79:6379\"}\nnetworks: {external: [{name: net, vnicType: direct}]}\n");
  t.same(issues(spec), ["error platform/kubernetes /deployment", "error platform/high-availability /crm/highAvailability", "error platform/vnic-type /networks/external/0/vnicType"]);
  t.end();
});

t.test("what a machine decides for itself is said, each field", (t) => {
  const spec = pool(
    ["{name: one, internalIp: 10.0.0.1}"],
    `compute: {flavor: f}
networks:
  external: [{name: net, mtu: 1400, address: {mode: static, ip: 10.0.0.1, prefix: 24}}]
  internal: {name: i, cidr: 10.101.0.0/16}
  dns: [192.0.2.53]
  ntp: [ntp.example.net]
users: [{name: ops, sshAuthorizedKeys: [${key}]}]
trust: {sshUserCaKeys: [${key}]}
`,
  );
  t.same(issues(spec), [
    ...["networks/external/0/address", "networks/external/0/mtu", "compute/flavor", "users", "networks/dns", "networks/ntp", "trust/sshUserCaKeys", "networks/internal/cidr"].map((pointer) => `warning platform/no-effect /${pointer}`),
    "warning platform/ssh-from-nowhere /firewall/ssh",
  ]);
  t.end();
});

t.test("the guest's own files, each with its place; no image, no user-data", (t) => {
  const { files } = compose("pool");
  const env = readEnv(textOf(files.find((file) => file.path === "site.env")));
  const count = Number(env.get("CB_GUEST_FILE_COUNT"));
  const rows = Array.from({ length: count }, (_, index) => ["FILE", "PATH", "MODE"].map((name) => env.get(`CB_GUEST_FILE_${index + 1}_${name}`) ?? ""));
  t.same(
    rows.map(([file]) => file).sort(),
    files.filter((file) => file.path.startsWith("site/guest/")).map((file) => file.path).sort(),
    "site.env lists what is there",
  );
  t.same(rows.filter(([file, path]) => file !== `site/guest${path}`).map(([, path]) => path), ["/etc/systemd/system/cloudlet-container@.service"]);
  t.ok(rows.every(([, , mode]) => /^0[67][0-5][0-5]$/.test(mode ?? "")));
  t.equal(textOf(files.find((file) => file.path === "site/guest/usr/local/sbin/cloudlet-bootstrap")), assets.get("guest/cloudlet-bootstrap"));
  t.notOk(files.some((file) => file.path === "site/user-data" || file.role === "vm-image"));
  t.notOk([...env.keys()].some((name) => name.startsWith("CB_VM_IMAGE")));
  t.notMatch(files.filter((file) => file.path.startsWith("site/")).map(textOf).join(""), /@@CLOUDLET-/, "nothing is left to be filled in");
  t.end();
});

t.test("host keys go by the host's name, whatever address it is reached by", (t) => {
  const { files } = compose("pool");
  const env = readEnv(textOf(files.find((file) => file.path === "site.env")));
  const known = textOf(files.find((file) => file.path === "site/known_hosts"));
  t.ok(known.split("\n").slice(0, -1).every((line) => line.startsWith(`${env.get("CB_VP_HOST_KEY_ALIAS")} ssh-`)));
  t.equal(env.get("CB_VP_KNOWN_HOSTS"), "site/known_hosts");
  t.equal(env.get("CB_VP_ADDRESS"), "10.20.0.11");
  t.equal(env.get("CB_VP_LISTEN_COUNT"), "2", "prometheus and the CRM's own");
  t.match(specText("pool"), /role: platform/);
  t.end();
});
