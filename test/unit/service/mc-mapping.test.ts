/** Both ways between MobiledgeX's object and our spec: what was taken comes back, and an update changes what it names alone. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { readCloudletSpec } from "../../../src/service/jobs/documents.ts";
import { numbered } from "../../../src/service/mc/enums.ts";
import { cloudletFields, leaves, masked, spelled, valueAt, withValue } from "../../../src/service/mc/fields.ts";
import { changedSpec, specOfObject } from "../../../src/service/mc/from-object.ts";
import { objectOfCloudlet } from "../../../src/service/mc/to-object.ts";
import type { SpecDocument } from "../../../src/spec/read-spec.ts";
import { readYaml } from "../../../src/spec/read-yaml.ts";
import { root } from "./running.ts";

const known = { state: "defined", created: 1_000, updated: 2_000, publicKeys: {} } as const;

/** MobiledgeX's names: letters, digits, and some that mean something elsewhere. */
const name = fc.stringMatching(/^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]{0,12}[0-9a-zA-Z]$/).filter((each) => !/ {2}/.test(each));
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const ip = fc.tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 254 })).filter(([first]) => first !== 127).map((parts) => parts.join("."));

const common = {
  location: fc.record({ latitude: fc.integer({ min: 1, max: 90 }), longitude: fc.integer({ min: -180, max: -1 }), altitude: fc.integer({ min: 1, max: 4_000 }) }, { requiredKeys: ["latitude", "longitude"] }),
  num_dynamic_ips: fc.integer({ min: 1, max: 254 }),
  ip_support: fc.constantFrom(0, 2),
  physical_name: name,
  deployment: fc.constantFrom("docker", "kubernetes"),
  container_version: fc.constantFrom("2026-11-24", "v1.2.3"),
  vm_image_version: fc.constantFrom("5.0.0", "4.10.0"),
  override_policy_container_version: fc.boolean(),
  notify_srv_addr: fc.integer({ min: 1, max: 65_535 }).map((port) => `127.0.0.1:${port}`),
  maintenance_state: fc.constantFrom(0, 1, 5),
  default_resource_alert_threshold: fc.integer({ min: 1, max: 100 }),
  resource_quotas: fc.uniqueArray(fc.record({ name: fc.constantFrom("RAM", "vCPUs", "Disk", "GPUs", "External IPs"), value: fc.integer({ min: 1, max: 1_000 }), alert_threshold: fc.integer({ min: 1, max: 100 }) }, { requiredKeys: ["name", "value"] }), { selector: (each) => each.name, minLength: 1 }),
  alliance_orgs: fc.uniqueArray(name.map((each) => `Ally ${each}`), { minLength: 1, maxLength: 3 }),
  time_limits: fc.dictionary(fc.constantFrom("create_cluster_inst_timeout", "update_cluster_inst_timeout", "delete_cluster_inst_timeout", "create_app_inst_timeout", "update_app_inst_timeout", "delete_app_inst_timeout"), fc.constantFrom("30s", "5m0s", "1h0m0s", "1h1m1s"), { minKeys: 1 }),
  kafka_cluster: fc.constant("kafka.example.net:9093"),
  gpu_config: fc.record({ driver: fc.record({ name, organization: fc.constantFrom("", "Operator & Co.") }), properties: fc.dictionary(word, word), license_config_md5sum: fc.constant("d41d8cd98f00b204e9800998ecf8427e") }, { requiredKeys: ["driver"] }),
  res_tag_map: fc.dictionary(fc.constantFrom("gpu", "nas", "nic"), fc.record({ name, organization: name }), { minKeys: 1 }),
  enable_default_serverless_cluster: fc.boolean(),
};

const variables = {
  MEX_DNS: fc.uniqueArray(ip, { minLength: 1, maxLength: 2 }).map((all) => all.join(",")),
  MEX_NTP_SERVERS: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((all) => all.map((each) => `${each}.example.net`).join(",")),
  MEX_ENABLE_ANTI_AFFINITY: fc.constantFrom("yes", "no"),
  MEX_ROUTER: fc.constantFrom("NONE", "router-1"),
  MEX_SUBNET_DNS: fc.constant("NONE"),
  MEX_SHARED_ROOTLB_VCPUS: fc.integer({ min: 1, max: 64 }).map(String),
  FLAVOR_MATCH_PATTERN: fc.constantFrom("m4.*", "^[a-c]\\d"),
  MEX_CLOUDLET_FIREWALL_WHITELIST_EGRESS: fc.constantFrom("protocol=tcp,portrange=1:65535,remotecidr=0.0.0.0/0", "protocol=udp,portrange=53:53,remotecidr=192.0.2.53/32;protocol=icmp"),
};

const openstack = fc.record({
  ...common,
  key: fc.record({ organization: fc.constant("Operator & Co."), name, federated_organization: name }, { requiredKeys: ["organization", "name"] }),
  platform_type: fc.constant(2),
  infra_api_access: fc.constantFrom(0, 1),
  infra_config: fc.record({ flavor_name: word, external_network_name: fc.constant("provider") }),
  trust_policy: word,
  env_var: fc.record({
    ...variables,
    MEX_CONSOLE_TYPE: fc.constantFrom("novnc", "spice"),
    MEX_ADDITIONAL_PLATFORM_NETWORKS: fc.uniqueArray(word.map((each) => `net-${each}`), { minLength: 1, maxLength: 3 }).map((all) => all.join(",")),
    MEX_COMPUTE_AVAILABILITY_ZONE: word,
    MEX_NETWORK_SCHEME: fc.constantFrom("cidr=10.101.X.0/24", "cidr=10.101.X.0/24,vnictype=direct", "cidr=10.102.X.0/24,floatingipnet=inner,floatingipsubnet=sub", "cidr=10.101.X.0/24,commoninternalnet=10.201.0.0/16"),
    MEX_NETWORK: fc.constant("inner-net"),
  }, { requiredKeys: [] }),
}, { requiredKeys: ["key", "location", "num_dynamic_ips", "platform_type", "infra_api_access", "infra_config"] });

const vsphere = fc.record({
  ...common,
  // No more than the ranges have.
  num_dynamic_ips: fc.integer({ min: 1, max: 16 }),
  key: fc.record({ organization: fc.constant("Operator & Co."), name }),
  platform_type: fc.constant(7),
  infra_api_access: fc.constant(1),
  infra_config: fc.record({ flavor_name: word, external_network_name: fc.constantFrom("ue-net", "DVPG-ue") }),
  env_var: fc.record({
    ...variables,
    MEX_DATASTORE: word, MEX_COMPUTE_CLUSTER: word, MEX_TEMPLATE_FOLDER: word, MEX_VM_VERSION: fc.constantFrom("6.7", "7.0"), MEX_MANAGEMENT_DATASTORE: word, MEX_MANAGEMENT_CLUSTER: word,
    MEX_EXTERNAL_VSWITCH: fc.constant("DVPG-ue"), MEX_EXTERNAL_IP_RANGES: fc.constantFrom("203.0.113.10/24-203.0.113.40/24", "203.0.113.10/24-203.0.113.20/24,203.0.113.30/24-203.0.113.40/24"),
    MEX_EXTERNAL_NETWORK_MASK: fc.constant("24"), MEX_EXTERNAL_NETWORK_GATEWAY: fc.constant("203.0.113.1"), MEX_INTERNAL_VSWITCH: fc.constant("internal"),
  }, { requiredKeys: ["MEX_DATASTORE", "MEX_EXTERNAL_VSWITCH", "MEX_EXTERNAL_IP_RANGES", "MEX_EXTERNAL_NETWORK_MASK", "MEX_EXTERNAL_NETWORK_GATEWAY", "MEX_INTERNAL_VSWITCH"] }),
}, { requiredKeys: ["key", "location", "num_dynamic_ips", "platform_type", "infra_api_access", "infra_config", "env_var"] });

const vcd = fc.record({
  ...common,
  key: fc.record({ organization: fc.constant("Operator & Co."), name }),
  platform_type: fc.constant(11),
  infra_api_access: fc.constantFrom(0, 1),
  infra_config: fc.record({ flavor_name: word, external_network_name: fc.constant("org-net") }),
  env_var: fc.record({ ...variables, MEX_CATALOG: word, VCD_NSX_TYPE: fc.constantFrom("NSX-T", "NSX-V"), MEX_ENABLE_VCD_DISK_RESIZE: fc.constantFrom("true", "false") }, { requiredKeys: ["MEX_CATALOG", "VCD_NSX_TYPE"] }),
}, { requiredKeys: ["key", "location", "num_dynamic_ips", "platform_type", "infra_api_access", "infra_config", "env_var"] });

function taken(object: JsonObject): SpecDocument {
  const made = specOfObject("EU", object);
  if (!made.ok) throw new Error(made.refused.join("; "));
  const read = readCloudletSpec(made.text);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  return read.value;
}

/** Leaves of the given object that say something. */
function said(object: JsonObject): readonly (readonly [string, Json])[] {
  return leaves(cloudletFields).flatMap(({ path }) => {
    const value = valueAt(object, path);
    if (value === undefined || value === "" || value === 0 || value === false) return [];
    if (typeof value === "object" && Object.keys(value as object).length === 0) return [];
    return [[path.join("."), value] as const];
  });
}

t.test("every field that is taken comes back, and makes the same spec again", (t) => {
  fc.assert(
    fc.property(fc.oneof(openstack, vsphere, vcd), (given) => {
      const object = spelled(JSON.parse(JSON.stringify(given)) as Json, cloudletFields);
      const document = taken(object);
      const back = objectOfCloudlet(document, known);
      for (const [path, value] of said(object)) {
        const found = valueAt(back, path.split("."));
        if (path === "env_var") {
          for (const [variable, text] of Object.entries(value as JsonObject)) {
            if ((found as JsonObject | undefined)?.[variable] !== text) throw new Error(`env_var.${variable}: ${JSON.stringify(text)} came back as ${JSON.stringify((found as JsonObject | undefined)?.[variable])}`);
          }
        } else if (JSON.stringify(found) !== JSON.stringify(value)) throw new Error(`${path}: ${JSON.stringify(value)} came back as ${JSON.stringify(found)}`);
      }
      const sent = Object.fromEntries(Object.entries(back).filter(([field]) => !["state", "created_at", "updated_at"].includes(field)));
      if (taken(sent).digest !== document.digest) throw new Error(`another spec: ${JSON.stringify(sent)}`);
    }),
    { numRuns: 60, seed: 20261130 },
  );
  t.pass("for all of them");
  t.end();
});

t.test("an update to what was there changes nothing; one of a field changes that field", (t) => {
  const ids = ["5.1", "8", "9", "16", "19", "30", "37", "39", "40", "45", "47"];
  fc.assert(
    fc.property(openstack, openstack, fc.subarray(ids, { minLength: 1 }), (first, second, chosen) => {
      const [a, b] = [first, second].map((each) => numbered(spelled(JSON.parse(JSON.stringify(each)) as Json, cloudletFields)).object) as [JsonObject, JsonObject];
      const document = taken(a);
      const { state: _, created_at: __, updated_at: ___, flavor: ____, ...was } = objectOfCloudlet(document, known);
      const same = changedSpec("EU", document.written, was, was);
      if (!same.ok) throw new Error(same.refused.join("; "));
      const again = readCloudletSpec(same.text);
      if (!again.ok || again.value.digest !== document.digest) throw new Error("nothing was to be changed");
      const will = masked(chosen).reduce((made: JsonObject, { path }) => withValue(made, path, valueAt(b, path)), was);
      const changed = changedSpec("EU", document.written, was, will);
      if (!changed.ok) throw new Error(changed.refused.join("; "));
      const read = readCloudletSpec(changed.text);
      // Two fields may contradict each other only together; then the change is refused as a whole.
      if (!read.ok) return;
      const back = objectOfCloudlet(read.value, known);
      for (const [path, value] of said(will)) {
        const found = valueAt(back, path.split("."));
        const isThere = path === "env_var" ? Object.entries(value as JsonObject).every(([variable, text]) => (found as JsonObject | undefined)?.[variable] === text) : JSON.stringify(found) === JSON.stringify(value);
        if (!isThere) throw new Error(`${path}: ${JSON.stringify(value)} became ${JSON.stringify(found)}`);
      }
    }),
    { numRuns: 60, seed: 20261130 },
  );
  t.pass("for all of them");
  t.end();
});

t.test("what MobiledgeX's object has no place for stays through an update", (t) => {
  const written = readYaml(`apiVersion: cloudlet-bundle/v1
kind: Cloudlet
name: a
organization: Operator
region: EU
location: {latitude: 1, longitude: 1}
access: restricted
dynamicIps: 8
platform: {type: openstack, parameters: {rootVolumeGiB: 40}}
compute: {flavor: m1, platformVm: {vcpus: 4}}
networks:
  external:
    - {name: ue, purpose: ue, address: {mode: static, ip: 192.0.2.5, prefix: 24}, mtu: 1400}
    - {name: net, purpose: internet, address: {mode: dhcp}, defaultRoute: true}
firewall: {ssh: {from: [198.51.100.0/24]}}
users: [{name: ops, sshAuthorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHfuHUVTWWDKQdEYVaWKwHXa7UBbQmZSyHtBsNkX7GVf"]}]
secrets: [{name: TOKEN, target: {kind: file, path: /root/token}}]
`).value as JsonObject;
  const document = readCloudletSpec(JSON.stringify(written));
  if (!document.ok) throw new Error(JSON.stringify(document.issues));
  const { state: _, created_at: __, updated_at: ___, flavor: ____, ...was } = objectOfCloudlet(document.value, known);
  t.match(was, { infra_config: { external_network_name: "ue" }, env_var: { MEX_ADDITIONAL_PLATFORM_NETWORKS: "net" } });
  const will = withValue(withValue(was, ["env_var"], { MEX_ADDITIONAL_PLATFORM_NETWORKS: "net,more", MEX_ROUTER: "r1" }), ["num_dynamic_ips"], 4);
  const changed = changedSpec("EU", document.value.written, was, will);
  if (!changed.ok) throw new Error(changed.refused.join("; "));
  const read = readCloudletSpec(changed.text);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  t.same({ ...read.value.written, dynamicIps: 8, environment: undefined, networks: undefined }, { ...written, environment: undefined, networks: undefined });
  t.equal(read.value.spec.dynamicIps, 4);
  t.same(read.value.spec.environment, { MEX_ROUTER: "r1" });
  t.match(read.value.spec.networks.external, [{ name: "ue", mtu: 1400, address: { mode: "static" } }, { name: "net", defaultRoute: true }, { name: "more", purpose: "internet" }]);
  t.end();
});

t.test("each reference cloudlet, whatever its platform, takes an update and is otherwise as it was", (t) => {
  const folder = join(root, "bundles");
  for (const name of readdirSync(folder)) {
    const read = readCloudletSpec(readFileSync(join(folder, name, "cloudlet.yaml"), "utf8"));
    if (!read.ok) throw new Error(name);
    const { written, spec } = read.value;
    const { state: _, created_at: __, updated_at: ___, flavor: ____, ...was } = objectOfCloudlet(read.value, known);
    t.strictSame(spelled(was, cloudletFields), was, `${name}: the names are MobiledgeX's`);
    const changed = changedSpec("EU", written, was, withValue(was, ["num_dynamic_ips"], spec.dynamicIps - 1));
    if (!changed.ok) throw new Error(`${name}: ${changed.refused.join("; ")}`);
    const again = readCloudletSpec(changed.text);
    if (!again.ok) throw new Error(`${name}: ${JSON.stringify(again.issues)}`);
    t.same(again.value.written, { ...written, dynamicIps: spec.dynamicIps - 1 }, name);
  }
  t.end();
});

t.test("ids of an update mask", (t) => {
  const paths = (...ids: readonly string[]): readonly string[] => masked(ids).map(({ path }) => path.join("."));
  t.strictSame(paths("5.1", "39.2"), ["location.latitude", "resource_quotas"]);
  t.strictSame(paths("5", "5.2"), ["location.longitude"], "clients send the group, too");
  t.strictSame(paths("45.1"), ["gpu_config.driver.name", "gpu_config.driver.organization"]);
  t.strictSame(paths("19.1", "19.2", "19"), ["env_var"]);
  for (const id of ["", "3", "5.9", "x", "5.1.1", "__proto__"]) t.throws(() => paths(id), /no such field/);
  t.end();
});
