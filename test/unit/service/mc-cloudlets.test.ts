/** MobiledgeX's calls for cloudlets: bodies in every spelling, answers line by line, rules in its controller's words. */

import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { call, show, smallest, type Called } from "./mc-running.ts";
import { addCloudlet, addOrganization, specOf, startService, type Running } from "./running.ts";

const runManifest = "Cloudlet configured successfully. Please run `GetCloudletManifest` to bringup Platform VM(s) for cloudlet services";
const create = (running: Running, cloudlet: object, token = running.admin): Promise<Called> => call(running, token, "CreateCloudlet", { Region: "EU", Cloudlet: cloudlet });
const update = (running: Running, cloudlet: object, token = running.admin): Promise<Called> => call(running, token, "UpdateCloudlet", { Region: "EU", Cloudlet: { key: smallest.key, ...cloudlet } });

t.test("login, and the token it gives", async (t) => {
  const running = await startService(t);
  const { ask } = running;
  const password = [...running.secrets].find((each) => each.startsWith("root's")) ?? "";
  const answer = await ask("POST", "/api/v1/login", { json: { username: "root", password } });
  t.equal(answer.status, 200);
  t.match(answer.json, { token: /^cbs_/, admin: true });
  t.equal((await call(running, String(answer.json["token"]), "ShowCloudlet", { Region: "EU" })).status, 200);
  await addOrganization(running, "ExampleTel");
  await running.person("vera", { organization: "ExampleTel" });
  const hers = [...running.secrets].find((each) => each.startsWith("vera's")) ?? "";
  t.notOk("admin" in (await ask("POST", "/api/v1/login", { json: { username: "vera", password: hers } })).json);
  const refused = async (json: unknown): Promise<readonly [number, unknown]> => {
    const { status, json: said } = await ask("POST", "/api/v1/login", { json });
    return [status, said["message"]];
  };
  t.strictSame(await refused({ username: "root", password: "wrong" }), [400, "Invalid username or password"]);
  t.strictSame(await refused({ username: "nobody", password: "wrong" }), [400, "Invalid username or password"]);
  t.strictSame(await refused({ username: "nobody", password: "x".repeat(1_000) }), [400, "Invalid username or password"]);
  t.strictSame(await refused({}), [400, "Username not specified"]);
  t.strictSame(await refused({ username: "root" }), [400, "Please specify password"]);
  t.match(await refused({ apikeyid: "x", apikey: "y" }), [400, /bearer token/]);
  for (let i = 0; i < 6; i += 1) await refused({ username: "vera", password: "wrong" });
  t.equal((await ask("POST", "/api/v1/login", { json: { username: "vera", password: "wrong" } })).status, 429, "as slow as /v1");
});

t.test("without a token, and with a bad one", async (t) => {
  const running = await startService(t);
  const none = await call(running, undefined, "ShowCloudlet", { Region: "EU" });
  t.strictSame([none.status, none.refusal], [400, "No bearer token found"]);
  const bad = await call(running, "xx", "ShowCloudlet", { Region: "EU" });
  t.strictSame([bad.status, bad.refusal], [401, "Invalid or expired jwt"]);
});

t.test("create, show, update, delete", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  const created = await create(running, smallest);
  t.equal(created.status, 200);
  t.match(created.headers["content-type"], /^application\/json/);
  t.strictSame(created.messages, ["Setting physicalname to match cloudlet name", runManifest]);
  t.ok(created.text.endsWith("}\n"), "each object is a line of its own");
  t.equal(created.refusal, undefined);
  t.strictSame((await create(running, { ...smallest, physical_name: "hawkins", key: { ...smallest.key, name: "berlin-2" } })).messages, [runManifest]);
  const [one] = await show(running, running.admin, { key: smallest.key });
  t.match(one, { ...smallest, ip_support: 2, state: 5, deployment: "docker", physical_name: "berlin-1", notify_srv_addr: "127.0.0.1:0", default_resource_alert_threshold: 80, created_at: { seconds: Number } });
  t.equal((await running.ask("GET", "/v1/cloudlets", { token: running.admin })).json["items"]?.toString().length, "[object Object],[object Object]".length, "and /v1 has them, too");
  const again = await create(running, { ...smallest, physical_name: "x" });
  t.strictSame([again.status, again.refusal], [400, 'Cloudlet key {"organization":"ExampleTel","name":"berlin-1"} already exists'], "nothing was said before");
  const told = await create(running, smallest);
  t.equal(told.status, 200, "the answer had begun");
  t.strictSame(told.lines.at(-1), { result: { message: 'Cloudlet key {"organization":"ExampleTel","name":"berlin-1"} already exists', code: 400 } });

  t.strictSame((await update(running, { fields: ["5", "5.1"], location: { latitude: 10, longitude: 99 } })).messages, ["Cloudlet updated successfully"]);
  t.match((await show(running, running.admin, { key: smallest.key }))[0], { location: { latitude: 10, longitude: 13.405 } }, "the mask names the latitude alone");
  await update(running, { fields: ["5"], location: { latitude: 11, longitude: 12 } });
  await update(running, { num_dynamic_ips: 4, env_var: { MEX_NTP_SERVERS: "ntp.example.net", MEX_ENABLE_ANTI_AFFINITY: "no" } });
  t.match((await show(running, running.admin, { key: smallest.key }))[0], { num_dynamic_ips: 4, location: { latitude: 11, longitude: 12 }, env_var: { MEX_NTP_SERVERS: "ntp.example.net", MEX_ENABLE_ANTI_AFFINITY: "no" } }, "without a mask, what was sent");
  await update(running, { fields: ["19"], env_var: {} });
  t.notOk("env_var" in ((await show(running, running.admin, { key: smallest.key }))[0] ?? {}), "a map is replaced as a whole");

  const gone = await call(running, running.admin, "DeleteCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } });
  t.strictSame([gone.status, gone.messages], [200, ["Deleted Cloudlet successfully"]]);
  const absent = await call(running, running.admin, "DeleteCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } });
  t.strictSame([absent.status, absent.refusal], [400, 'Cloudlet key {"organization":"ExampleTel","name":"berlin-1"} not found']);
  t.equal((await show(running, running.admin)).length, 1);
  const actions = (await running.service.context.db.selectFrom("audit").select("action").execute()).map(({ action }) => action);
  for (const action of ["cloudlet:create", "cloudlet:change", "cloudlet:delete"]) t.ok(actions.includes(action), action);
});

t.test("names in every spelling, enumerations by name or number", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  const spellings: readonly object[] = [
    { Region: "EU", Cloudlet: { Key: { Organization: "ExampleTel", Name: "a" }, Location: { Latitude: 1, Longitude: 2 }, NumDynamicIps: 8, PlatformType: "PlatformTypeOpenstack", InfraApiAccess: "RestrictedAccess", InfraConfig: { FlavorName: "f", ExternalNetworkName: "n" } } },
    { region: "EU", cloudlet: { key: { organization: "ExampleTel", name: "b" }, location: { latitude: 1, longitude: 2 }, num_dynamic_ips: 8, platform_type: "PLATFORM_TYPE_OPENSTACK", infra_api_access: "RESTRICTED_ACCESS", ip_support: "IpSupportDynamic", infra_config: { flavor_name: "f", external_network_name: "n" } } },
    { region: "EU", cloudlet: { key: { organization: "ExampleTel", name: "c" }, location: { latitude: 1, longitude: 2 }, numdynamicips: "8", platformtype: "Openstack", infraapiaccess: "Restricted", ipsupport: 2, infraconfig: { flavorname: "f", externalnetworkname: "n" }, maintenancestate: "NormalOperation" } },
  ];
  for (const body of spellings) t.equal((await call(running, running.admin, "CreateCloudlet", body)).messages.at(-1), runManifest, JSON.stringify(body));
  const all = await show(running, running.admin);
  t.strictSame(all.map(({ platform_type, infra_api_access, num_dynamic_ips }) => [platform_type, infra_api_access, num_dynamic_ips]), [[2, 1, 8], [2, 1, 8], [2, 1, 8]]);
  t.equal((await show(running, running.admin, { platform_type: "PlatformTypeOpenstack" })).length, 3);
  const twice = await create(running, { ...smallest, numDynamicIps: 9 });
  t.match(twice.refusal, /num_dynamic_ips is given twice/);
  t.match((await create(running, { ...smallest, bogus: 1 })).refusal, /there is no field "bogus"/);
  t.match((await create(running, { ...smallest, location: 5 })).refusal, /location must be an object/);
  t.match((await create(running, { ...smallest, num_dynamic_ips: {} })).refusal, /num_dynamic_ips must be one value/);
});

t.test("what the controller refuses, in its words: before an answer has begun with 400, afterwards as its last line", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  const before: readonly (readonly [object, string])[] = [
    [{ ip_support: 1 }, "Only dynamic IPs are supported currently"],
    [{ ip_support: -1 }, "Only dynamic IPs are supported currently"],
    [{ ip_support: 3 }, "Only dynamic IPs are supported currently"],
    [{ num_dynamic_ips: 0 }, "Must specify at least one dynamic public IP available"],
    [{ num_dynamic_ips: null }, "Must specify at least one dynamic public IP available"],
    [{ location: { latitude: 0, longitude: 0 } }, "Location is missing; 0,0 is not a valid location"],
    [{ location: null }, "Location is missing; 0,0 is not a valid location"],
    [{ deployment: "helm" }, "Invalid deployment, must be one of [docker kubernetes]"],
    [{ deployment_local: true, access_vars: { OPENRC_DATA: "x" } }, "Access vars is not supported for local deployment"],
    [{ deployment_local: true, vm_image_version: "1" }, "VM Image version is not supported for local deployment"],
    [{ deployment_local: true, deployment: "docker" }, "Deployment type is not supported for local deployment"],
    [{ deployment_local: true }, "Infra access type private is not supported for local deployment"],
    [{ infra_config: { external_network_name: "n" } }, "Infra flavor name is required for private deployments"],
    [{ infra_config: { flavor_name: "n" } }, "Infra external network is required for private deployments"],
    [{ vm_pool: "p" }, "VM Pool is only valid for PlatformTypeVmPool"],
    [{ platform_type: 9 }, "VM Pool is mandatory for PlatformTypeVmPool"],
    [{ platform_type: 7, trust_policy: "p" }, "Trust Policy not supported on PLATFORM_TYPE_VSPHERE"],
    [{ platform_high_availability: true }, "Platform High Availability not supported for docker on PLATFORM_TYPE_OPENSTACK"],
    [{ platform_type: 7, platform_high_availability: true, deployment: "kubernetes" }, "Platform High Availability not supported for k8s on PLATFORM_TYPE_VSPHERE"],
    [{ platform_type: 99 }, "Invalid PlatformType"],
  ];
  for (const [fault, message] of before) {
    const answer = await create(running, { ...smallest, ...fault });
    t.strictSame([answer.status, answer.refusal, answer.lines.length], [400, message, 1], message);
  }
  t.match((await create(running, { ...smallest, platform_type: 3 })).refusal, /^Platform PLATFORM_TYPE_AZURE is not supported/);
  t.match((await create(running, { ...smallest, platform_type: undefined })).refusal, /^Platform PLATFORM_TYPE_FAKE is not supported/);
  const after: readonly (readonly [object, string])[] = [
    [{ key: { organization: "ExampleTel" } }, "Invalid cloudlet name"],
    [{ key: { organization: "ExampleTel", name: "-x" } }, "Invalid cloudlet name"],
    [{ key: { name: "x" } }, "Invalid organization name"],
    [{ location: { latitude: 100, longitude: 200 } }, "Invalid latitude value"],
    [{ location: { latitude: 90, longitude: 200 } }, "Invalid longitude value"],
    [{ location: { latitude: -100, longitude: -200 } }, "Invalid latitude value"],
    [{ maintenance_state: 3 }, "Invalid maintenance state, only normal operation and maintenance start states are allowed"],
    [{ kafka_user: "x" }, "Must specify both kafka username and password, or neither"],
    [{ kafka_password: "x" }, "Must specify both kafka username and password, or neither"],
    [{ kafka_user: "x", kafka_password: "x" }, "Must specify a kafka cluster endpoint in addition to kafka credentials"],
    [{ flavor: { name: "x1.small" } }, "Platform Flavor x1.small not found"],
    [{ platform_type: 9, vm_pool: "nopool" }, "VM Pool nopool not found"],
    [{ gpu_config: { driver: { name: "nv", organization: "Other" } } }, "Can only use ExampleTel or '' org gpu drivers"],
    [{ default_resource_alert_threshold: 101 }, "Invalid resource alert threshold 101 specified, valid threshold is in the range of 0 to 100"],
    [{ resource_quotas: [{ name: "RAM", value: 1, alert_threshold: -1 }] }, "Invalid resource quota alert threshold -1 specified for RAM, valid threshold is in the range of 0 to 100"],
    [{ resource_quotas: [{ name: "Dis", value: 1 }] }, "Invalid quota name: Dis, valid names are RAM,vCPUs,Disk,GPUs,External IPs,Instances,Floating IPs"],
    [{ single_kubernetes_cluster_owner: "o" }, "Single kubernetes cluster owner can only be set on a single cluster platform"],
    [{ vm_image_version: "-1" }, "Invalid VM image version"],
  ];
  for (const [fault, message] of after) {
    const answer = await create(running, { ...smallest, ...fault });
    t.strictSame([answer.status, answer.lines.at(-1)], [200, { result: { message, code: 400 } }], message);
  }
  t.equal((await create(running, { ...smallest, location: { longitude: 5 } })).messages.at(-1), runManifest, "Go leaves out a latitude of 0");
  t.strictSame((await show(running, running.admin)).length, 1, "nothing else was stored");
  for (const [body, message] of [[{}, "No region specified"], [{ Region: "a b" }, 'Region "a b" not found'], [[], "Invalid JSON data: the body must be an object"]] as const) {
    t.equal((await call(running, running.admin, "CreateCloudlet", body)).refusal, message);
  }
  const deep = `{"Region":"EU","Cloudlet":{"env_var":${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}}}`;
  const { status, json } = await running.ask("POST", "/api/v1/auth/ctrl/CreateCloudlet", { token: running.admin, body: deep, headers: { "content-type": "application/json" } });
  t.strictSame([status, json["message"]], [400, "Invalid JSON data: it is nested too deeply"]);
});

t.test("what a spec has no place for is refused by name; credentials are kept nowhere", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  for (const [fault, message] of [
    [{ env_var: { MEX_FOO: "bar" } }, /env_var\.MEX_FOO: openstack knows no variable `MEX_FOO`/],
    [{ env_var: { MEX_ROUTR: "bar" } }, /MEX_ROUTER/],
    [{ env_var: { SKIP_INSTALL_RESOURCE_TRACKER: "true" } }, /set by the platform itself/],
    [{ env_var: { MEX_CONSOLE_TYPE: "vt100" } }, /env_var\.MEX_CONSOLE_TYPE: MEX_CONSOLE_TYPE must be one of/],
    [{ access_vars: { NO_SUCH: "hunter2" } }, /access_vars\.NO_SUCH: openstack knows no access variable/],
    [{ static_ips: "1.2.3.4" }, /static_ips/],
    [{ crm_override: 1 }, /crm_override/],
    [{ chef_client_key: { a: "hunter2" } }, /chef_client_key/],
    [{ location: { latitude: 1, longitude: 1, course: 7 } }, /location\.course/],
    [{ gpu_config: { driver: { name: "nv" }, license_config: "hunter2" } }, /license_config/],
    [{ alliance_orgs: ["A", "A"] }, /alliance_orgs/],
    [{ time_limits: { create_app_inst_timeout: "soon" } }, /time_limits\.create_app_inst_timeout/],
    [{ res_tag_map: { tpu: { name: "x" } } }, /res_tag_map\.tpu/],
    [{ platform_high_availability: true, deployment: "kubernetes" }, /redisAddress/],
    [{ platform_type: 7 }, /MEX_DATASTORE|datastore/],
  ] as const) {
    const { refusal, text } = await create(running, { ...smallest, physical_name: "x", ...fault });
    t.match(refusal, message);
    t.notMatch(text, /hunter2/);
  }
  t.strictSame(await show(running, running.admin), [], "half a cloudlet is none");
  const made = await create(running, { ...smallest, access_vars: { OPENRC_DATA: "OS_PASSWORD=hunter2", CACERT_DATA: "hunter2" }, kafka_cluster: "kafka:9093", kafka_user: "u", kafka_password: "hunter2" });
  t.match(made.messages, ["Setting physicalname to match cloudlet name", /^Not stored: .*OPENRC_DATA/, runManifest]);
  const [one] = await show(running, running.admin);
  t.match(one, { kafka_cluster: "kafka:9093", kafka_user: "u" });
  t.notOk("access_vars" in (one ?? {}));
  for (const table of ["documents", "cloudlets", "audit"] as const) t.notMatch(JSON.stringify(await running.service.context.db.selectFrom(table).selectAll().execute()), /hunter2/, table);
  t.notMatch(running.log.join(""), /hunter2/);
  const { text } = await running.ask("GET", `/v1/cloudlets/${String(((await running.ask("GET", "/v1/cloudlets", { token: running.admin })).json["items"] as readonly JsonObject[])[0]?.["id"])}/spec`, { token: running.admin });
  t.match(text, /name: OPENRC_DATA/, "the spec has its slot");
});

t.test("what an update may not do, and what it leaves alone", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  const absent = await update(running, { num_dynamic_ips: 1 });
  t.strictSame([absent.status, absent.refusal], [400, 'Cloudlet key {"organization":"ExampleTel","name":"berlin-1"} not found']);
  const ours = [
    "users:", "  - name: ops", "    sshAuthorizedKeys:", "      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHfuHUVTWWDKQdEYVaWKwHXa7UBbQmZSyHtBsNkX7GVf ops",
    "audit:", "  waivers:", '    - {rule: NET-05, reason: the site has a firewall, expires: "2099-01-01"}', "",
  ].join("\n");
  // Of the spec as a person wrote it, with what MobiledgeX's object has no place for.
  const id = await addCloudlet(running, running.admin, `${specOf("berlin-1")}${ours}`);
  for (const [fault, message] of [
    [{}, "Nothing specified to update"],
    [{ fields: [] }, "Nothing specified to update"],
    [{ fields: ["2.1"] }, "Nothing specified to update"],
    [{ platform_type: 7, physical_name: "x" }, "Specified field(s) Platform Type,Physical Name cannot be modified"],
    [{ fields: ["28.2", "27"], infra_config: { flavor_name: "x" } }, "Specified field(s) Infra Api Access,Infra Config Flavor Name cannot be modified"],
    [{ fields: ["12"], state: 5 }, "Specified field(s) State cannot be modified"],
    [{ num_dynamic_ips: 0 }, "Cannot specify less than one dynamic IP unless Ip Support Static is specified"],
    [{ ip_support: -8 }, "Invalid IpSupport"],
    [{ location: { latitude: 100, longitude: 200 } }, "Invalid latitude value"],
    [{ location: { latitude: 0, longitude: 0 } }, "Location is missing; 0,0 is not a valid location"],
    [{ env_var: { MEX_ROUTER: "x" }, maintenance_state: 1 }, "Cannot set envvars if maintenance state is set"],
    [{ trust_policy: "x", maintenance_state: 1 }, "Cannot change both maintenance state and trust policy at the same time"],
    [{ maintenance_state: 2 }, "Invalid maintenance state, only normal operation and maintenance start states are allowed"],
    [{ kafka_user: "u" }, "Must specify both kafka username and password, or neither"],
    [{ resource_quotas: [{ name: "Dis", value: 1 }] }, "Invalid quota name: Dis, valid names are RAM,vCPUs,Disk,GPUs,External IPs,Instances,Floating IPs"],
    [{ platform_high_availability: true }, "Platform High Availability not supported for docker on PLATFORM_TYPE_OPENSTACK"],
    [{ fields: ["99"] }, 'Invalid JSON data: fields names "99", and there is no such field'],
  ] as const) {
    const answer = await update(running, fault);
    t.strictSame([answer.status, answer.refusal], [400, message], message);
  }
  t.equal((await update(running, { fields: ["8"], num_dynamic_ips: 3, platform_type: 7, ip_support: -1, state: 1 })).messages.at(-1), "Cloudlet updated successfully", "what the mask does not name is not looked at");
  for (const change of [
    { trust_policy: "tp" }, { maintenance_state: "MaintenanceStart" }, { alliance_orgs: ["A", "B"] }, { resource_quotas: [{ name: "RAM", value: 5, alert_threshold: 10 }] }, { time_limits: { create_app_inst_timeout: "1h0m0s" } },
    { kafka_cluster: "k:9093", kafka_user: "u", kafka_password: "hunter2" }, { gpu_config: { driver: { name: "nv" } } }, { access_vars: { OPENRC_DATA: "hunter2" } }, { enable_default_serverless_cluster: true }, { default_resource_alert_threshold: 70 },
    { env_var: { MEX_ADDITIONAL_PLATFORM_NETWORKS: "dmz" } },
  ]) {
    const { messages, text } = await update(running, change);
    t.equal(messages.at(-1), "Cloudlet updated successfully", `${JSON.stringify(change)} ${text}`);
  }
  t.match((await show(running, running.admin))[0], {
    num_dynamic_ips: 3, trust_policy: "tp", maintenance_state: 1, alliance_orgs: ["A", "B"], resource_quotas: [{ name: "RAM", value: 5, alert_threshold: 10 }], time_limits: { create_app_inst_timeout: "1h0m0s" },
    kafka_user: "u", gpu_config: { driver: { name: "nv" } }, enable_default_serverless_cluster: true, default_resource_alert_threshold: 70, env_var: { MEX_ADDITIONAL_PLATFORM_NETWORKS: "dmz" },
  });
  await update(running, { fields: ["30", "37", "47", "39"], maintenance_state: 0 }).then(({ refusal }) => t.match(refusal, /both maintenance/));
  t.equal((await update(running, { fields: ["37", "47", "39", "42", "43", "44"] })).refusal, undefined, "what the mask names and the object does not give is emptied");
  const [bare] = await show(running, running.admin);
  for (const field of ["trust_policy", "alliance_orgs", "resource_quotas", "kafka_cluster", "kafka_user"]) t.notOk(field in (bare ?? {}), field);
  const { text } = await running.ask("GET", `/v1/cloudlets/${id}/spec`, { token: running.admin });
  t.match(text, /name: ops/, "users stay");
  t.match(text, /rule: NET-05/, "and waivers");
  t.match(text, /198\.51\.100\.0\/24/, "and who may use SSH");
  t.match(text, /name: OPENRC_DATA/);
  t.notMatch(text, /hunter2/);
});

t.test("filters, and the fields that are asked for", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  for (const [name, more] of [["a", {}], ["b", { env_var: { MEX_ROUTER: "r1", MEX_ENABLE_ANTI_AFFINITY: "no" } }], ["c", { num_dynamic_ips: 9, infra_api_access: 0 }]] as const) {
    t.equal((await create(running, { ...smallest, key: { ...smallest.key, name }, ...more })).refusal, undefined);
  }
  const names = async (filter: object): Promise<readonly unknown[]> => (await show(running, running.admin, filter)).map(({ key }) => (key as JsonObject)["name"]);
  t.strictSame(await names({}), ["a", "b", "c"]);
  t.strictSame(await names({ key: { name: "b" } }), ["b"]);
  t.strictSame(await names({ num_dynamic_ips: 9 }), ["c"]);
  t.strictSame(await names({ num_dynamic_ips: 0, platform_type: 2, infra_config: { flavor_name: "m4.medium" } }), ["a", "b", "c"]);
  t.strictSame(await names({ env_var: { MEX_ROUTER: "r1" } }), ["b"]);
  t.strictSame(await names({ infra_api_access: "RestrictedAccess" }), ["a", "b"]);
  t.strictSame(await names({ state: 2 }), ["c"], "Direct waits for a CRM");
  t.strictSame(await names({ platform_type: 7 }), []);
  t.strictSame((await call(running, running.admin, "ShowCloudlet", { Region: "US" })).text, "");
  t.strictSame(await show(running, running.admin, { key: { name: "a" }, fields: ["8", "28.2"] }), [{ key: { organization: "ExampleTel", name: "a" }, num_dynamic_ips: 8, infra_config: { flavor_name: "m4.medium" } }]);
  t.match((await call(running, running.admin, "ShowCloudlet", { Region: "EU", Cloudlet: { fields: ["1.2.3"] } })).status, 200);
  t.equal((await call(running, running.admin, "ShowCloudlet", { Region: "EU", Cloudlet: { fields: ["x"] } })).status, 400);
});

t.test("roles: whoever manages may change, a viewer may look, others see nothing and learn nothing", async (t) => {
  const running = await startService(t);
  for (const name of ["ExampleTel", "Other"]) await addOrganization(running, name);
  const [manager, contributor, viewer] = await Promise.all((["manager", "contributor", "viewer"] as const).map((role) => running.person(role, { organization: "ExampleTel", role })));
  const stranger = await running.person("stranger", { organization: "Other", role: "manager" });
  const nobody = await running.person("nobody");
  const auditor = await running.person("auditor", { platformRole: "auditor" });
  t.equal((await create(running, smallest, contributor)).messages.at(-1), runManifest);
  t.equal((await update(running, { num_dynamic_ips: 2 }, manager)).refusal, undefined);
  for (const token of [viewer, stranger, nobody, auditor]) {
    for (const answer of [await create(running, smallest, token), await update(running, { num_dynamic_ips: 2 }, token), await call(running, token, "DeleteCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } })]) {
      t.strictSame([answer.status, answer.refusal], [403, "Forbidden"]);
    }
  }
  t.strictSame((await create(running, { ...smallest, key: { organization: "NoSuch", name: "x" } }, manager)).refusal, "Forbidden", "as for an organization that is there");
  t.strictSame((await create(running, { ...smallest, key: { organization: "NoSuch", name: "x" } })).refusal, "Org NoSuch not found");
  for (const token of [manager, contributor, viewer, auditor]) t.equal((await show(running, token ?? "")).length, 1);
  t.strictSame((await call(running, stranger, "ShowCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } })).text, "", "not even that it is there");
  t.equal((await call(running, nobody, "ShowCloudlet", { Region: "EU" })).refusal, "Forbidden");
  t.equal((await call(running, contributor, "DeleteCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } })).messages.at(-1), "Deleted Cloudlet successfully");
});

t.test("what a platform can be told", async (t) => {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  const stranger = await running.person("stranger");
  const props = await call(running, stranger, "GetCloudletProps", { region: "EU", cloudletprops: { platform_type: "PlatformTypeVcd" } });
  t.match(props.json, { platform_type: 11, properties: { MEX_CATALOG: { name: "MEX_CATALOG", mandatory: true }, MEX_ROUTER: { value: "NONE" }, VCDVerbose: { internal: true } } });
  t.notOk("VCD_PASSWORD" in (props.json["properties"] as JsonObject), "access variables are none");
  const quotas = await call(running, running.admin, "GetCloudletResourceQuotaProps", { Region: "EU", CloudletResourceQuotaProps: { platform_type: 2, organization: "ExampleTel" } });
  t.match(quotas.json, { platform_type: 2, organization: "ExampleTel", properties: [{ name: "RAM", description: "Limit on RAM available (MB)" }] });
  t.equal((quotas.json["properties"] as readonly unknown[]).length, 7);
  t.equal((await call(running, stranger, "GetCloudletProps", { Region: "EU", CloudletProps: { platform_type: 2, organization: "ExampleTel" } })).refusal, "Forbidden");
  t.match((await call(running, stranger, "GetCloudletProps", { Region: "EU", CloudletProps: { platform_type: 4 } })).refusal, /not supported/);
  t.equal((await call(running, stranger, "GetCloudletProps", { Region: "EU", CloudletProps: { platform_type: 77 } })).refusal, "Invalid PlatformType");
});
