/** Specs, releases and locks: what is accepted, what is filled in, where values come from. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { canonicalJson } from "../../../src/core/json.ts";
import type { Json } from "../../../src/core/json.ts";
import { val } from "../../../src/core/origin.ts";
import { COMPUTED_DEFAULTS, PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "../../../src/spec/defaults.ts";
import { formatCidr, formatIp, networkOf, overlap, parseCidr, parseIp } from "../../../src/spec/ip.ts";
import { nearest } from "../../../src/spec/nearest.ts";
import { readLock } from "../../../src/spec/read-lock.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import type { SpecDocument } from "../../../src/spec/read-spec.ts";
import { mayBeSecret } from "../../../src/spec/show.ts";
import { sshKeyFault } from "../../../src/spec/ssh-key.ts";
import { starterSpec } from "../../../src/spec/starter.ts";

const PLATFORMS = ["openstack", "vsphere", "vcd", "vmpool", "libvirt"];
const bases = join(import.meta.dirname, "../../reject");

const MINIMAL = `
apiVersion: cloudlet-bundle/v1
kind: Cloudlet
name: berlin-1
organization: ExampleTel
region: EU
location: {latitude: 52.52, longitude: 13.405}
dynamicIps: 8
platform: {type: openstack}
compute: {flavor: m1.medium}
networks: {external: [{name: ue-net}]}
`;

function read(text: string): SpecDocument {
  const outcome = readSpec(text, { platforms: PLATFORMS });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues, null, 2));
  return outcome.value;
}

function codes(text: string): readonly string[] {
  return readSpec(text, { platforms: PLATFORMS }).issues.map((issue) => issue.code);
}

/** Origins of every leaf. */
function originsOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Object.hasOwn(value, "origins")) return (value as { origins: readonly string[] }).origins;
  return Object.values(value).flatMap(originsOf);
}

t.test("a minimal spec gets every default, each with its origin", (t) => {
  const { spec, sourced } = read(MINIMAL);
  t.match(spec, {
    access: "restricted",
    deployment: "docker",
    physicalName: "berlin-1",
    compute: {
      platformVm: { vcpus: 2, memoryMiB: 4096, diskGiB: 40, gpus: 0 },
      tenant: { vcpus: 32, memoryMiB: 131_072, diskGiB: 500 },
    },
    networks: {
      external: [{ name: "ue-net", purpose: "ue", address: { mode: "dhcp" }, defaultRoute: true }],
      dns: [],
      ntp: [],
    },
    firewall: { ssh: { from: [] }, ingress: [], egress: [{ protocol: "any", cidr: "0.0.0.0/0" }] },
    policies: { defaultAlertThreshold: 80, maintenance: "normal" },
    platform: { parameters: { rootVolumeGiB: 0 } },
    secrets: [
      {
        name: "ACCESS_KEY",
        required: true,
        maxBytes: 512,
        target: { kind: "file", path: "/root/accesskey/accesskey.pem" },
      },
    ],
  });
  t.equal(spec.gpu, undefined, "an optional group is not made for its defaults");
  t.equal(spec.kafka, undefined);
  t.same(sourced.name, val("berlin-1", "spec:/name"));
  t.same(sourced.physicalName, val("berlin-1", "spec:/name"));
  t.same(sourced.access, val("restricted", "default:access"));
  t.same(sourced.networks.external[0]?.defaultRoute, val(true, "default:default-route"));
  t.same(sourced.firewall.egress[0]?.cidr, val("0.0.0.0/0", "default:egress"));
  t.same(sourced.secrets[0]?.maxBytes, val(512, "default:access-key"));
  const names = new Set(
    [...SPEC_DEFAULTS, ...Object.values(PLATFORM_DEFAULTS).flat()]
      .map((each) => each.name)
      .concat(Object.keys(COMPUTED_DEFAULTS)),
  );
  for (const origin of originsOf(sourced)) {
    if (origin.startsWith("default:")) t.ok(names.has(origin.slice("default:".length)), origin);
  }
  t.end();
});

t.test("a normalised spec reads as itself", (t) => {
  for (const text of [MINIMAL, readFileSync(join(bases, "base-spec.yaml"), "utf8"), ...PLATFORMS.map(starterSpec)]) {
    const first = read(text);
    const again = read(canonicalJson(first.spec as unknown as Json));
    t.same(again.spec, first.spec);
    t.equal(again.digest, first.digest);
    t.ok(
      originsOf(again.sourced).every((origin) => origin.startsWith("spec:")),
      "and says everything itself",
    );
  }
  t.end();
});

t.test("the digest is of what is meant, not of how it is written", (t) => {
  const otherwise = `${MINIMAL.replace("region: EU", "# here\nregion: 'EU'")}access: restricted\n`;
  t.equal(read(otherwise).digest, read(MINIMAL).digest);
  t.not(read(MINIMAL.replace("EU", "US")).digest, read(MINIMAL).digest);
  t.end();
});

t.test("names may hold what MobiledgeX allows", (t) => {
  t.equal(read(MINIMAL.replace("name: berlin-1", 'name: "A & B, Inc. v1.0!"')).spec.name, "A & B, Inc. v1.0!");
  for (const name of ["O'Brien", "x$(reboot)", "{{x}}", " lead", "ümlaut", "a/b", "x".repeat(81)]) {
    t.match(
      codes(MINIMAL.replace("name: berlin-1", `name: ${JSON.stringify(name)}`)),
      [/^schema\/(form|length)$/],
      name,
    );
  }
  const flavor = `O'Brien & Söhne, "Edge" #1: $(reboot) {{x}}`;
  t.equal(
    read(MINIMAL.replace("m1.medium", JSON.stringify(flavor))).spec.compute.flavor,
    flavor,
    "the IaaS's own names are free",
  );
  t.end();
});

t.test("secret slots", (t) => {
  const text = `${MINIMAL}
kafka: {cluster: "kafka:9093", user: me}
environment: {OS_AUTH_URL: "https://keystone:5000/v3", OS_USERNAME: me}
secrets:
  - {name: OS_CACERT_DATA}
  - {name: EXTRA, description: a file, required: false, maxBytes: 99, target: {kind: file, path: /root/extra.json}}
`;
  const { spec, sourced } = read(text);
  t.same(
    spec.secrets.map((slot) => [slot.name, slot.required, slot.maxBytes, slot.target.kind]),
    [
      ["ACCESS_KEY", true, 512, "file"],
      ["OS_CACERT_DATA", true, 8192, "environment"],
      ["EXTRA", false, 99, "file"],
      ["KAFKA_PASSWORD", true, 1024, "environment"],
      ["OS_PASSWORD", true, 1024, "environment"],
    ],
  );
  t.same(sourced.secrets[2]?.name, val("EXTRA", "spec:/secrets/1/name"), "origins lead to where the user wrote it");
  t.same(sourced.secrets[1]?.maxBytes.origins, ["default:secret-max-bytes"]);
  t.same(sourced.secrets[3]?.name.origins, ["spec:/kafka/user"]);
  t.same(codes(`${MINIMAL}secrets: [{name: OPENRC_DATA}]\n`), [], "OPENRC_DATA holds all access variables");
  t.same(codes(`${MINIMAL}secrets: [{name: OS_TENANT}]\n`), ["spec/unknown-variable"]);
  t.end();
});

t.test("platforms and access", (t) => {
  const direct =
    "apiVersion: cloudlet-bundle/v1\nkind: Cloudlet\nname: a\norganization: b\nregion: EU\nlocation: {latitude: 1, longitude: 1}\ndynamicIps: 1\naccess: direct\nplatform: {type: openstack}\n";
  t.same(codes(direct), [], "Direct needs neither flavor nor network");
  t.same(codes(direct.replace("direct", "restricted")), ["spec/flavor-missing", "spec/network-missing"]);
  const machines = "vmpool, parameters: {machines: [{name: one, internalIp: 192.0.2.11}]}";
  t.same(codes(direct.replace("openstack", machines)), ["spec/vm-pool"]);
  t.same(
    codes(direct.replace("access: direct\n", "vmPool: p\n").replace("openstack", machines)),
    [],
    "a VM pool needs neither, even Restricted",
  );
  t.match(readSpec(direct.replace("access: direct\n", "vmPool: p\n").replace("openstack", "vmpool"), { platforms: PLATFORMS }).issues, [
    { code: "schema/missing-key", pointer: "/platform", message: "`parameters`: `machines` is missing" },
  ]);
  t.match(readSpec(direct.replace("openstack", "vsphere"), { platforms: PLATFORMS }).issues, [
    { code: "spec/variable-missing", message: /MEX_DATASTORE, MEX_EXTERNAL_IP_RANGES, MEX_EXTERNAL_NETWORK_GATEWAY/ },
    { code: "schema/missing-key", pointer: "/platform", message: "`parameters`: `datastore` is missing" },
  ]);
  t.same(codes(direct.replace("{type: openstack}", "{type: vmpool, parameters: {x: 1}}")), [
    "spec/vm-pool",
    "schema/missing-key",
    "schema/unknown-key",
  ]);
  t.end();
});

t.test("all mistakes at once, in the order of the text, none twice", (t) => {
  const text = MINIMAL.replace("region: EU", "region: E U\nregoin: EU")
    .replace("52.52", "152")
    .replace("dynamicIps: 8", "dynamicIps: '8'")
    .replace("{name: ue-net}", "{name: ue-net, mtu: 5, address: {mode: static, ip: 10.0.0.1}}");
  const { issues } = readSpec(text, { platforms: PLATFORMS });
  t.same(
    issues.map((issue) => `${issue.code} ${issue.pointer}`),
    [
      "schema/form /region",
      "schema/unknown-key /regoin",
      "schema/range /location/latitude",
      "schema/type /dynamicIps",
      "schema/range /networks/external/0/mtu",
      "schema/missing-key /networks/external/0/address",
    ],
  );
  t.end();
});

t.test("a rule does not judge what the schema has refused", (t) => {
  t.same(codes(MINIMAL.replace("flavor: m1.medium", "flavor: [a]")), ["schema/type"], "flavor is wrong, not missing");
  t.same(codes(MINIMAL.replace("[{name: ue-net}]", "ue-net")), ["schema/type"], "networks are wrong, not missing");
  t.same(codes(MINIMAL.replace("compute: {flavor: m1.medium}", "compute: 5")), ["schema/type"]);
  t.end();
});

t.test("the version is read first, alone", (t) => {
  t.match(readSpec("apiVersion: cloudlet-bundle/v2\nnonsense: 1", { platforms: [] }).issues, [
    { code: "document/api-version", hint: /cloudlet-bundle\/v1/ },
  ]);
  t.match(readSpec("cloudlet: {key: {}}\n", { platforms: [] }).issues, [
    { code: "document/api-version", hint: /import/ },
  ]);
  t.match(readRelease(MINIMAL).issues, [{ code: "document/kind" }]);
  t.end();
});

t.test("static addresses", (t) => {
  const address = (text: string): readonly string[] =>
    codes(MINIMAL.replace("{name: ue-net}", `{name: ue-net, address: {mode: static, ${text}}}`));
  t.same(address("ip: 10.0.0.5, prefix: 24, gateway: 10.0.0.1"), []);
  t.same(address("ip: 10.0.0.4, prefix: 31"), [], "RFC 3021");
  t.same(address('ip: "2001:db8::5", prefix: 64, gateway: "fe80::1"'), [], "a link-local gateway");
  for (const bad of [
    "ip: 10.0.0.0, prefix: 24",
    "ip: 10.0.0.255, prefix: 24",
    "ip: 0.0.0.0, prefix: 24",
    "ip: 127.0.0.1, prefix: 8",
    "ip: 224.0.0.5, prefix: 24",
    "ip: 010.0.0.1, prefix: 24",
    "ip: 10.0.0.256, prefix: 24",
    'ip: "::1", prefix: 64',
    'ip: "2001:db8::", prefix: 64',
  ]) {
    t.same(address(bad), ["spec/address"], bad);
  }
  for (const bad of ["gateway: 10.0.0.5", "gateway: 10.0.1.1", "gateway: 10.0.0.0", "gateway: 10.0.0.255"]) {
    t.same(address(`ip: 10.0.0.5, prefix: 24, ${bad}`), ["spec/gateway"], bad);
  }
  t.same(address("ip: 10.0.0.5, prefix: 33"), ["spec/prefix"]);
  t.end();
});

t.test("firewall", (t) => {
  const ingress = (rule: string): readonly string[] => codes(`${MINIMAL}firewall: {ingress: [{${rule}}]}\n`);
  t.same(ingress("protocol: tcp, ports: {from: 80, to: 80}, cidr: 0.0.0.0/0"), []);
  t.same(ingress("protocol: icmp, cidr: 0.0.0.0/0"), []);
  for (const open of [
    "protocol: tcp, ports: {from: 1, to: 65535}, cidr: 0.0.0.0/0",
    "protocol: tcp, cidr: '::/0'",
    "protocol: any, cidr: 0.0.0.0/0",
    "protocol: tcp, ports: {from: 22, to: 22}, cidr: 0.0.0.0/0",
  ]) {
    t.same(ingress(open), ["spec/ssh-open"], open);
  }
  t.same(ingress("protocol: icmp, ports: {from: 1, to: 2}, cidr: 10.0.0.0/8"), ["spec/ports"]);
  t.end();
});

t.test("characters that no bundle can carry", (t) => {
  for (const escaped of [
    "\\u0007",
    "\\n",
    "\\t",
    "\\x7f",
    "\\x85",
    "\\u2028",
    "\\ufeff",
    "\\ufffe",
    "\\uffff",
    "\\ud800",
    "\\udc00x",
    "\\u202e",
  ]) {
    t.same(codes(MINIMAL.replace("m1.medium", `"a${escaped}b"`)), ["document/character"], escaped);
  }
  t.equal(read(MINIMAL.replace("m1.medium", '"\\ud83d\\ude00 é 日本"')).spec.compute.flavor, "😀 é 日本");
  t.same(
    codes(`${MINIMAL}gpu: {driver: {name: a}, properties: {"a\\u0000b": c}}\n`),
    ["document/character"],
    "in a key",
  );
  t.end();
});

t.test("releases and locks", (t) => {
  const release = readRelease(readFileSync(join(bases, "base-release.yaml"), "utf8"));
  t.match(release, { ok: true, value: { release: { controller: { commercialCerts: false, useVaultPki: true } } } });
  const again = release.ok ? readRelease(canonicalJson(release.value.release as unknown as Json)) : release;
  t.equal(
    again.ok && release.ok && again.value.digest === release.value.digest,
    true,
    "a normalised release reads as itself",
  );
  t.ok(release.ok && originsOf(release.value.sourced).includes(`default:${RELEASE_DEFAULTS[0]?.name}`));
  const lock = readLock(readFileSync(join(bases, "base-lock.yaml"), "utf8"));
  t.ok(lock.ok && lock.value.sourced.payload.size.origins[0] === "lock:/payload/size");
  t.end();
});

t.test("addresses as numbers", (t) => {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ["10.0.0.1", "10.0.0.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::", "::"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
    ["1::", "1::"],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.4::", undefined],
    ["::1::", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["fe80::1%eth0", undefined],
    ["12345::", undefined],
    ["", undefined],
    [":1", undefined],
  ];
  for (const [text, expected] of pairs) {
    const ip = parseIp(text);
    t.equal(ip === undefined ? undefined : formatIp(ip), expected, text);
  }
  const cidr = (text: string): NonNullable<ReturnType<typeof parseCidr>> =>
    parseCidr(text) ?? { family: 4, value: 0n, prefix: 0 };
  t.equal(formatCidr(networkOf(cidr("10.1.2.3/8"))), "10.0.0.0/8");
  t.equal(parseCidr("10.0.0.0/33"), undefined);
  t.equal(parseCidr("10.0.0.0/08"), undefined);
  t.ok(overlap(cidr("10.0.0.0/8"), cidr("10.255.0.0/16")));
  t.notOk(overlap(cidr("10.0.0.0/8"), cidr("11.0.0.0/8")));
  t.end();
});

t.test("SSH public keys", (t) => {
  const ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  t.equal(sshKeyFault(`ssh-ed25519 ${ed25519} me`), undefined);
  t.equal(sshKeyFault(`ssh-ed25519 ${ed25519}`), undefined);
  t.match(sshKeyFault(`ssh-rsa ${ed25519}`), /another type/);
  t.match(sshKeyFault(`ssh-ed25519 ${ed25519.slice(0, 40)}`), /cut off|base64/);
  t.match(sshKeyFault(`from="10.0.0.0/8" ssh-ed25519 ${ed25519}`), /options/);
  t.match(sshKeyFault(`ssh-dss ${ed25519}`), /DSA/);
  t.match(sshKeyFault("-----BEGIN OPENSSH"), /type/);
  const rsa = (bits: number): string => {
    const field = (bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
    return `ssh-rsa ${Buffer.concat([field(Buffer.from("ssh-rsa")), field(Buffer.from([1, 0, 1])), field(Buffer.concat([Buffer.from([0]), Buffer.alloc(bits / 8, 0xff)]))]).toString("base64")}`;
  };
  t.equal(sshKeyFault(rsa(2048)), undefined);
  t.match(sshKeyFault(rsa(1024)), /1024 bits/);
  t.end();
});

t.test("names that are near, names that are secret", (t) => {
  t.equal(nearest("physical_name", ["name", "physicalName"]), "physicalName");
  t.equal(nearest("organisation", ["organization", "region"]), "organization");
  t.equal(nearest("zzz", ["organization", "region"]), undefined);
  for (const name of [
    "OS_PASSWORD",
    "kafka_password",
    "api_token",
    "OPENRC_DATA",
    "VCD_CLIENT_TLS_KEY",
    "AWS_SECRET_ACCESS_KEY",
  ])
    t.ok(mayBeSecret(`/environment/${name}`), name);
  for (const pointer of [
    "/secrets/0/name",
    "/users/0/sshAuthorizedKeys/0",
    "/platform/parameters/keyName",
    "/key/name",
  ])
    t.notOk(mayBeSecret(pointer), pointer);
  t.end();
});
