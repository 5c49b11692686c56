/** Import: every field of MobiledgeX's cloudlet is carried or named, and the values of secrets appear nowhere. */

import t from "tap";
import { issuesAsText } from "../../../src/cli/report-issues.ts";
import type { Issue } from "../../../src/core/issue.ts";
import { importCloudlet } from "../../../src/spec/import-mobiledgex.ts";
import type { ImportedCloudlet } from "../../../src/spec/import-mobiledgex.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import type { Spec } from "../../../src/spec/spec.ts";

const PLATFORMS = ["openstack", "vmpool", "vsphere"];

/** As mcctl writes it. */
const MCCTL = `
region: EU
cloudlet:
  key: {organization: ExampleTel, name: "Berlin & Co"}
  location: {latitude: 52.5, longitude: 13.4, altitude: 34, horizontal_accuracy: 5}
  ip_support: 2
  num_dynamic_ips: "8"
  platform_type: PLATFORM_TYPE_OPENSTACK
  infra_api_access: RestrictedAccess
  infra_config: {flavor_name: m4.medium, external_network_name: provider}
  physical_name: berlin
  container_version: "2026-11-24"
  vm_image_version: 5.0.0
  deployment: docker
  override_policy_container_version: true
  trust_policy: tp
  env_var:
    MEX_DNS: 10.1.1.1,10.1.1.2
    MEX_NTP_SERVERS: ntp1.example.net
    MEX_ADDITIONAL_PLATFORM_NETWORKS: dmz,mgmt
    MEX_COMPUTE_AVAILABILITY_ZONE: nova
    MEX_NETWORK: inner
    MEX_NETWORK_SCHEME: cidr=10.101.X.0/24,vnictype=direct,commoninternalnet=10.201.0.0/16
    MEX_CLOUDLET_FIREWALL_WHITELIST_EGRESS: protocol=tcp,portrange=1:65535,remotecidr=0.0.0.0/0;protocol=udp,portrange=53,remotecidr=192.0.2.53/32;protocol=icmp
    MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS: protocol=tcp,portrange=22:22,remotecidr=0.0.0.0/0
    MEX_ENABLE_ANTI_AFFINITY: "no"
    MEX_FOO: bar
    SKIP_INSTALL_RESOURCE_TRACKER: "true"
  access_vars: {OPENRC_DATA: "OS_AUTH_URL=https://hunter2\\nOS_PASSWORD=hunter2", CACERT_DATA: hunter2, NO_SUCH: hunter2}
  kafka_cluster: kafka:9093
  kafka_user: u
  kafka_password: hunter2
  chef_client_key: {a: "-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n"}
  crm_access_public_key: hunter2
  state: 5
  created_at: {seconds: 1}
  updated_at: {}
  res_tag_map: {gpu: {name: tags, organization: ExampleTel}, tpu: {name: x}}
  resource_quotas: [{name: vCPUs, value: 10, alert_threshold: 50}, {name: Foo, value: 1}, {name: RAM, value: 0}]
  default_resource_alert_threshold: 90
  gpu_config: {driver: {name: nv, organization: Other}, properties: {a: b}, license_config: hunter2, license_config_md5sum: d41d8cd98f00b204e9800998ecf8427e}
  alliance_orgs: [A, A, ExampleTel]
  maintenance_state: MaintenanceStart
  time_limits: {create_cluster_inst_timeout: 30m0s, delete_app_inst_timeout: 600000000000, update_app_inst_timeout: soon}
  enable_default_serverless_cluster: true
  platform_high_availability: false
  notify_srv_addr: 127.0.0.1:51001
  crm_override: 1
  deployment_local: false
  vm_pool: ""
  bogus: 1
`;

function imported(text: string): {
  readonly value: ImportedCloudlet;
  readonly issues: readonly Issue[];
  readonly spec: Spec | undefined;
} {
  const outcome = importCloudlet(text);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues));
  const read = readSpec(outcome.value.text, { platforms: PLATFORMS });
  return { value: outcome.value, issues: outcome.issues, spec: read.ok ? read.value.spec : undefined };
}

t.test("everything that has a place goes there", (t) => {
  const { spec, value } = imported(MCCTL);
  t.same(value.missing, []);
  t.match(spec, {
    name: "Berlin & Co",
    organization: "ExampleTel",
    region: "EU",
    physicalName: "berlin",
    location: { latitude: 52.5, longitude: 13.4, altitude: 34 },
    access: "restricted",
    dynamicIps: 8,
    versions: { container: "2026-11-24", vmImage: "5.0.0", overridePolicyContainerVersion: true },
    platform: { type: "openstack", parameters: { availabilityZone: "nova" } },
    compute: { flavor: "m4.medium" },
    networks: {
      external: [
        { name: "provider", purpose: "ue", vnicType: "direct" },
        { name: "dmz", purpose: "internet" },
        { name: "mgmt", purpose: "internet" },
      ],
      internal: { name: "inner", cidr: "10.201.0.0/16" },
      dns: ["10.1.1.1", "10.1.1.2"],
      ntp: ["ntp1.example.net"],
    },
    firewall: {
      egress: [
        { protocol: "tcp", ports: { from: 1, to: 65_535 }, cidr: "0.0.0.0/0" },
        { protocol: "udp", ports: { from: 53, to: 53 }, cidr: "192.0.2.53/32" },
        { protocol: "icmp", cidr: "0.0.0.0/0" },
      ],
      ingress: [],
    },
    policies: {
      trustPolicy: "tp",
      quotas: [{ name: "vCPUs", value: 10, alertThreshold: 50 }],
      defaultAlertThreshold: 90,
      allianceOrganizations: ["A"],
      defaultServerlessCluster: true,
      maintenance: "start",
      timeLimits: { createClusterInst: 1800, deleteAppInst: 600 },
    },
    kafka: { cluster: "kafka:9093", user: "u" },
    gpu: {
      driver: { name: "nv", organization: "" },
      properties: { a: "b" },
      licenseConfigMd5: "d41d8cd98f00b204e9800998ecf8427e",
    },
    resourceTags: { gpu: { name: "tags", organization: "ExampleTel" } },
    crm: { highAvailability: false, notifySrvAddr: "127.0.0.1:51001" },
    environment: { MEX_ENABLE_ANTI_AFFINITY: "no" },
  });
  t.same(
    spec?.secrets.map((slot) => slot.name),
    ["ACCESS_KEY", "OPENRC_DATA", "CACERT_DATA", "KAFKA_PASSWORD"],
  );
  t.same([...value.secrets].sort(), ["CACERT_DATA", "KAFKA_PASSWORD", "OPENRC_DATA"]);
  t.match(
    value.text,
    /flavor: m4\.medium # \/cloudlet\/infra_config\/flavor_name/,
    "comments say where values come from",
  );
  t.end();
});

t.test("everything else is named, at its place", (t) => {
  const { issues, value } = imported(MCCTL);
  const said = new Set(issues.map((issue) => `${issue.code} ${issue.pointer}`));
  for (const each of [
    "import/not-carried /cloudlet/location/horizontal_accuracy",
    "import/not-carried /cloudlet/env_var/MEX_FOO",
    "import/not-carried /cloudlet/env_var/SKIP_INSTALL_RESOURCE_TRACKER",
    "import/value /cloudlet/env_var/MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS",
    "import/secret /cloudlet/access_vars/OPENRC_DATA",
    "import/secret /cloudlet/access_vars/CACERT_DATA",
    "import/secret /cloudlet/access_vars/NO_SUCH",
    "import/secret /cloudlet/kafka_password",
    "import/secret /cloudlet/gpu_config/license_config",
    "import/backend-field /cloudlet/chef_client_key",
    "import/backend-field /cloudlet/crm_access_public_key",
    "import/backend-field /cloudlet/state",
    "import/backend-field /cloudlet/created_at",
    "import/not-carried /cloudlet/res_tag_map/tpu",
    "import/value /cloudlet/resource_quotas/1",
    "import/not-carried /cloudlet/resource_quotas/2",
    "import/value /cloudlet/gpu_config/driver/organization",
    "import/value /cloudlet/alliance_orgs/1",
    "import/value /cloudlet/alliance_orgs/2",
    "import/value /cloudlet/time_limits/update_app_inst_timeout",
    "import/not-carried /cloudlet/crm_override",
    "import/unknown-field /cloudlet/bogus",
  ]) {
    t.ok(said.has(each), each);
  }
  t.equal(said.size, 22, "and nothing that is fine or empty");
  for (const issue of issues) {
    t.equal(issue.severity, "warning");
    t.ok(value.text.includes(issue.pointer), `${issue.pointer} is named in the spec, too`);
  }
  t.end();
});

t.test("two CRMs need a Redis, which no cloudlet object names", (t) => {
  const { value } = imported(MCCTL.replace("platform_high_availability: false", "platform_high_availability: true"));
  t.match(value.text, /highAvailability: true/);
  t.match(value.missing, [/^`crm\.redisAddress` is missing/]);
  t.end();
});

t.test("no value of a secret appears anywhere", (t) => {
  const { value, issues } = imported(MCCTL);
  t.notMatch(value.text, /hunter2/);
  t.notMatch(JSON.stringify(issues), /hunter2/);
  t.notMatch(issuesAsText({ name: "x.yaml", text: MCCTL, issues }), /hunter2/);
  t.end();
});

t.test("REST bodies, in the spellings of the console and of the API", (t) => {
  const body = {
    Region: "US",
    Cloudlet: {
      Key: { Organization: "ExampleTel", Name: "one" },
      Location: { latitude: 1, longitude: 2 },
      NumDynamicIps: 4,
      PlatformType: 9,
      VmPool: "pool",
      IpSupport: "IP_SUPPORT_DYNAMIC",
    },
  };
  const { value } = imported(JSON.stringify(body));
  t.same(value.missing, ["`parameters`: `machines` is missing"], "the controller knows them by another object");
  for (const line of ["region: US", "name: one", "  type: vmpool", "vmPool: pool", "dynamicIps: 4"]) t.ok(value.text.split("\n").some((each) => each.startsWith(line)), line);
  t.notMatch(value.text, /^access: restricted/m, "Direct is MobiledgeX's default");
  const bare = {
    key: { organization: "ExampleTel", name: "one" },
    location: { latitude: 0, longitude: 2 },
    numdynamicips: 4,
    platformtype: "vmpool",
    vmpool: "pool",
  };
  t.same(imported(JSON.stringify(bare)).value.missing, ["`region` is missing", "`parameters`: `machines` is missing"]);
  t.match(imported(JSON.stringify([{ data: bare }])).value.text, /latitude: 0 /, "a list of one; 0 is a latitude");
  t.end();
});

t.test("floating IPs by the network scheme", (t) => {
  const scheme = "cidr=10.101.X.0/24,floatingipnet=inner,floatingipsubnet=inner-subnet,floatingipextnet=public";
  const text = MCCTL.replace(/MEX_NETWORK_SCHEME: .*/, `MEX_NETWORK_SCHEME: ${scheme}`).replace(
    "    MEX_NETWORK: inner\n",
    "",
  );
  const { spec } = imported(text);
  t.match(spec?.networks.external[0], { name: "inner", address: { mode: "floating", pool: "public" } });
  t.equal(spec?.environment["MEX_NETWORK_SCHEME"], scheme, "the CRM's own networks follow the scheme, too");
  t.end();
});

t.test("what is missing is said", (t) => {
  const { value, issues, spec } = imported(
    MCCTL.replace("region: EU\n", "")
      .replace(/  infra_config: .*\n/, "")
      .replace("    MEX_ADDITIONAL_PLATFORM_NETWORKS: dmz,mgmt\n", ""),
  );
  t.equal(spec, undefined);
  t.match(value.missing, [/region/, /flavor/, /networks\.external/]);
  t.equal(issues.filter((issue) => issue.code === "import/missing").length, 3);
  t.match(value.text, /^# Missing; write it in before building:\n# - `region` is missing/m);
  t.end();
});

t.test("what is no cloudlet", (t) => {
  t.match(importCloudlet("").issues, [{ code: "yaml/empty" }]);
  t.match(importCloudlet("a: b: c").issues, [{ code: "yaml/syntax" }]);
  t.match(importCloudlet("[]").issues, [{ code: "import/not-a-cloudlet" }]);
  t.match(importCloudlet("apiVersion: cloudlet-bundle/v1\nkind: Cloudlet").issues, [{ code: "import/not-a-cloudlet" }]);
  t.end();
});

t.test("vSphere: fields take the place of variables, addresses of ranges too", (t) => {
  const object = (variables: string): string => imported(`
region: EU
cloudlet:
  key: {organization: ExampleTel, name: porto-1}
  location: {latitude: 41, longitude: -8}
  num_dynamic_ips: 8
  platform_type: PLATFORM_TYPE_VSPHERE
  infra_api_access: RestrictedAccess
  infra_config: {flavor_name: m4.medium, external_network_name: ue-net}
  env_var:
    MEX_DATASTORE: vsan
    MEX_VM_VERSION: "7.0"
    MEX_MANAGEMENT_CLUSTER: management
    MEX_EXTERNAL_VSWITCH: DVPG-ue
    MEX_INTERNAL_VSWITCH: vSwitch-internal
    MEX_EXTERNAL_NETWORK_MASK: "24"
    MEX_EXTERNAL_NETWORK_GATEWAY: 203.0.113.1
${variables}`).value.text;
  const read = readSpec(object('    MEX_EXTERNAL_IP_RANGES: "203.0.113.10/24-203.0.113.20/24, 203.0.113.30/24-203.0.113.30/24"\n    MEX_MANAGEMENT_EXTERNAL_VSWITCH: DVPG-mgmt\n    MEX_MANAGEMENT_EXTERNAL_IP_RANGES: 198.51.100.5/28-198.51.100.6/28\n    MEX_MANAGEMENT_EXTERNAL_NETWORK_MASK: "28"\n'), { platforms: PLATFORMS });
  t.strictSame(read.issues.filter(({ severity }) => severity === "error"), []);
  const spec = read.ok ? read.value.spec : undefined;
  t.strictSame(spec?.networks.external.map(({ name, purpose, defaultRoute, address }) => [name, purpose, defaultRoute, address]), [
    ["ue-net", "ue", false, { mode: "range", ranges: ["203.0.113.10-203.0.113.20", "203.0.113.30"], prefix: 24, gateway: "203.0.113.1" }],
    ["DVPG-mgmt", "management", true, { mode: "range", ranges: ["198.51.100.5-198.51.100.6"], prefix: 28 }],
  ]);
  t.match(spec?.platform.parameters, { datastore: "vsan", version: "7.0", management: { cluster: "management" }, networks: { "ue-net": { portGroup: "DVPG-ue" } } });
  t.strictSame(spec?.environment, { MEX_INTERNAL_VSWITCH: "vSwitch-internal" });
  t.match(object("    MEX_EXTERNAL_IP_RANGES: soon\n"), /environment:\n(.*\n)*? +MEX_EXTERNAL_IP_RANGES: "?soon/, "what can't be read stays a variable");
  t.end();
});
