/** For each issue code a valid document and the edit that makes it end in this code, and in no other. */

export interface RejectCase {
  readonly code: string;
  readonly document: "spec" | "release" | "lock" | "import";
  /** In the base document of its kind: this text, which stands there once, … */
  readonly find?: string;
  /** … becomes this one. Without `find` it is the whole document; bytes are no text. */
  readonly replace: string | Uint8Array;
}

const DSA = "ssh-dss AAAAB3NzaC1kc3MAAACBAJ";

function spec(code: string, find: string, replace: string): RejectCase {
  return { code, document: "spec", find, replace };
}

function release(code: string, find: string, replace: string): RejectCase {
  return { code, document: "release", find, replace };
}

function imported(code: string, find: string, replace: string): RejectCase {
  return { code, document: "import", find, replace };
}

export const REJECT_CASES: readonly RejectCase[] = [
  {
    code: "yaml/encoding",
    document: "spec",
    replace: new Uint8Array([0x6e, 0x61, 0x6d, 0x65, 0x3a, 0x20, 0xe9, 0x0a]),
  },
  { code: "yaml/too-long", document: "spec", replace: `name: ${"x".repeat(1_048_576)}\n` },
  spec("yaml/control-character", "name: berlin-1", "name: berlin\u0001-1"),
  { code: "yaml/empty", document: "spec", replace: "# nothing here yet\n" },
  spec(
    "yaml/syntax",
    "location: {latitude: 52.52, longitude: 13.405}",
    "location: {latitude: 52.52, longitude: 13.405",
  ),
  spec("yaml/tab", "  flavor: m1.medium", "\tflavor: m1.medium"),
  spec("yaml/too-deep", "region: EU", `region: ${"[".repeat(40)}${"]".repeat(40)}`),
  spec("yaml/several-documents", "  - {name: OS_PASSWORD}", "  - {name: OS_PASSWORD}\n---\nkind: Cloudlet"),
  spec("yaml/directive", "apiVersion: cloudlet-bundle/v1", "%YAML 1.1\n---\napiVersion: cloudlet-bundle/v1"),
  spec("yaml/anchor", "region: EU", "region: &here EU"),
  spec("yaml/alias", "region: EU", "region: *there"),
  spec("yaml/merge-key", "  driver: {name", "  <<: {}\n  driver: {name"),
  spec("yaml/tag", "region: EU", "region: !!python/name:os.system EU"),
  spec("yaml/key", "region: EU", "region: EU\n{a: 1}: b"),
  spec("yaml/duplicate-key", "region: EU", "region: EU\nregion: US"),
  spec("yaml/ambiguous", "  flavor: m1.medium", "  flavor: 12:30:45"),
  spec("yaml/number", "dynamicIps: 8", "dynamicIps: 123456789012345678901"),
  { code: "document/not-keys", document: "spec", replace: "- apiVersion: cloudlet-bundle/v1\n" },
  spec("document/api-version", "apiVersion: cloudlet-bundle/v1", "apiVersion: cloudlet-bundle/v9"),
  spec("document/kind", "kind: Cloudlet", "kind: Release"),
  spec("document/character", "  flavor: m1.medium", '  flavor: "m1\\u0007medium"'),
  spec("document/reserved-text", "  flavor: m1.medium", '  flavor: "@@CLOUDLET-SECRET:OS_PASSWORD@@"'),
  spec("document/private-key", "  flavor: m1.medium", '  flavor: "-----BEGIN PRIVATE KEY-----"'),
  spec("schema/missing-key", "region: EU\n", ""),
  spec("schema/unknown-key", "dynamicIps: 8", "dynamicIps: 8\nphysical_name: dc-2"),
  spec("schema/type", "dynamicIps: 8", "dynamicIps: eight"),
  spec("schema/value", "purpose: internet", "purpose: intranet"),
  spec("schema/form", "name: berlin-1", "name: -berlin"),
  spec("schema/key", "{vgpu-profile: T4-1Q}", '{"": T4-1Q}'),
  spec("schema/range", "alertThreshold: 90", "alertThreshold: 900"),
  spec("schema/length", "  flavor: m1.medium", '  flavor: ""'),
  spec("schema/count", "dns: [192.0.2.53, 192.0.2.54]", "dns: [192.0.2.53, 192.0.2.54, 192.0.2.55]"),
  spec("schema/repeated", "dns: [192.0.2.53, 192.0.2.54]", "dns: [192.0.2.53, 192.0.2.53]"),
  spec("spec/location-zero", "{latitude: 52.52, longitude: 13.405}", "{latitude: 0, longitude: 0}"),
  spec("spec/unknown-platform", "type: openstack", "type: openstak"),
  spec("spec/vm-pool", "dynamicIps: 8", "dynamicIps: 8\nvmPool: pool-1"),
  spec("spec/flavor-missing", "  flavor: m1.medium\n", ""),
  {
    code: "spec/network-missing",
    document: "spec",
    replace:
      "apiVersion: cloudlet-bundle/v1\nkind: Cloudlet\nname: berlin-1\norganization: ExampleTel\nregion: EU\nlocation: {latitude: 52.52, longitude: 13.405}\ndynamicIps: 8\nplatform: {type: openstack}\ncompute: {flavor: m1.medium}\n",
  },
  spec(
    "spec/single-cluster-owner",
    "  allianceOrganizations: [NeighbourTel]",
    "  singleKubernetesClusterOwner: DevOrg",
  ),
  spec("spec/network-twice", "    - name: dmz-net", "    - name: ue-net"),
  spec(
    "spec/default-route",
    "      purpose: internet",
    "      defaultRoute: true\n    - name: third\n      defaultRoute: true",
  ),
  spec("spec/address", "ip: 203.0.113.10", "ip: 203.0.113.15"),
  spec("spec/prefix", "prefix: 28, gateway: 203.0.113.1", "prefix: 64"),
  spec("spec/gateway", "gateway: 203.0.113.1", "gateway: 203.0.114.1"),
  spec("spec/address-range", '{mode: static, ip: "2001:db8:1::10", prefix: 64}', "{mode: range, ranges: [192.0.2.10-192.0.2.20], prefix: 24}"),
  spec(
    "spec/address-taken",
    '{mode: static, ip: "2001:db8:1::10", prefix: 64}',
    "{mode: static, ip: 203.0.113.10, prefix: 28}",
  ),
  spec("spec/networks-overlap", "cidr: 10.101.0.0/16", "cidr: 203.0.113.0/24"),
  spec("spec/mtu", "mtu: 1500", "mtu: 1200"),
  spec("spec/cidr", "cidr: 10.101.0.0/16", "cidr: 10.101.7.0/16"),
  spec("spec/high-availability", "dynamicIps: 8", "dynamicIps: 8\ncrm: {redisAddress: \"192.0.2.79:6379\"}"),
  spec("spec/ports", "ports: {from: 9092, to: 9093}", "ports: {from: 9093, to: 9092}"),
  spec("spec/ssh-open", "ssh: {from: [198.51.100.0/24]}", "ssh: {from: [0.0.0.0/0]}"),
  spec("spec/user-root", "  - name: ops", "  - name: root"),
  spec("spec/user-taken", "  - name: ops", "  - name: backup"),
  spec("spec/user-twice", "  - name: night", "  - name: ops"),
  spec(
    "spec/ssh-key",
    "      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl night",
    `      - ${DSA} night`,
  ),
  spec("spec/certificate", "gpu:", 'trust:\n  caCertificates: ["-----BEGIN CERTIFICATE-----"]\ngpu:'),
  spec("spec/unknown-quota", "name: vCPUs", "name: vCPU"),
  spec("spec/quota-twice", "name: RAM", "name: vCPUs"),
  spec("spec/alliance", "[NeighbourTel]", "[ExampleTel]"),
  spec("spec/gpu-driver", "name: nvidia-450, organization: ExampleTel", "name: nvidia-450, organization: OtherTel"),
  spec("spec/platform-vm-too-small", "platformVm: {vcpus: 2}", "platformVm: {vcpus: 1}"),
  spec("spec/tenant-small", "tenant: {vcpus: 32}", "tenant: {vcpus: 16}"),
  spec("spec/unknown-variable", "  MEX_ENABLE_ANTI_AFFINITY:", "  MEX_ENABLE_ANTIAFFINITY:"),
  spec("spec/internal-variable", '  MEX_ENABLE_ANTI_AFFINITY: "yes"', '  SKIP_INSTALL_RESOURCE_TRACKER: "yes"'),
  spec("spec/variable-value", 'MEX_ENABLE_ANTI_AFFINITY: "yes"', "MEX_ENABLE_ANTI_AFFINITY: maybe"),
  spec("spec/variable-missing", "  OS_USERNAME: cloudlet\n", ""),
  spec("spec/variable-contradicts", '  MEX_ENABLE_ANTI_AFFINITY: "yes"', "  MEX_DNS: 198.51.100.53"),
  spec("spec/secret-value", "  OS_USERNAME: cloudlet", "  OS_USERNAME: cloudlet\n  OS_PASSWORD: correct horse"),
  spec("spec/secret-twice", "  - {name: OS_PASSWORD}", "  - {name: OS_PASSWORD}\n  - {name: OS_PASSWORD}"),
  spec(
    "spec/secret-built-in",
    "  - {name: OS_PASSWORD}",
    "  - {name: OS_PASSWORD}\n  - {name: ACCESS_KEY, required: false}",
  ),
  spec("spec/waiver-date", "secrets:\n", 'audit: {waivers: [{rule: GUEST-06, reason: keys only, expires: "2027-02-30"}]}\nsecrets:\n'),
  spec("spec/kafka", "  - {name: OS_PASSWORD}", "  - {name: OS_PASSWORD}\n  - {name: KAFKA_PASSWORD}"),
  release("release/created", "2026-11-24T00:00:00Z", "2026-02-30T00:00:00Z"),
  release("release/source", "source: https://images", "source: ftp://images"),
  release("release/source-credentials", "source: https://images", "source: https://me:correct-horse@images"),
  release("release/role-twice", "role: shepherd", "role: crmserver"),
  release("release/crmserver-missing", "role: crmserver", "role: prometheus"),
  release(
    "release/secret-value",
    "    JAEGER_ENDPOINT: https://jaeger.example.net:14268/api/traces",
    "    API_TOKEN: correct-horse",
  ),
  { code: "lock/role-twice", document: "lock", find: "role: shepherd", replace: "role: crmserver" },
  {
    code: "lock/pieces",
    document: "lock",
    find: "  format: qcow2",
    replace: "  format: qcow2\n  pieces:\n    size: 65536\n    sha256: [9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08]",
  },
  { code: "import/not-a-cloudlet", document: "import", replace: "clusterinst:\n  name: one\n" },
  {
    code: "import/several-cloudlets",
    document: "import",
    replace: "- {key: {name: a, organization: b}}\n- {key: {name: c, organization: b}}\n",
  },
  imported("import/unknown-field", "  num_dynamic_ips: 8", "  num_dynamic_ips: 8\n  num_dynamic_ip: 9"),
  imported("import/backend-field", "  num_dynamic_ips: 8", "  num_dynamic_ips: 8\n  state: Ready"),
  imported("import/not-carried", "  num_dynamic_ips: 8", "  num_dynamic_ips: 8\n  crm_override: IgnoreCrm"),
  imported("import/value", "threshold: 90", "threshold: 900"),
  imported("import/secret", "  env_var:", "  access_vars: {OPENRC_DATA: correct-horse}\n  env_var:"),
  imported("import/missing", "    flavor_name: m1.medium\n", ""),
];
