/** What OpenStack refuses by name, warns of, and writes; and that the codes are all documented. */

import { load } from "js-yaml";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import type { Json } from "../../../src/core/json.ts";
import { PLAN_ISSUE_CODES } from "../../../src/platforms/issue-codes.ts";
import { platformNamed, platforms } from "../../../src/platforms/registry.ts";
import { readEnv } from "../../../src/render/encode-env.ts";
import { compose, composeText, specText, textOf } from "../../golden/cases.ts";

const src = join(import.meta.dirname, "../../../src");

function issues(spec: string): readonly string[] {
  return composeText(spec).issues.map((issue) => `${issue.severity} ${issue.code} ${issue.pointer}`);
}

function file(name: string, path: string): string {
  return textOf(compose(name).files.find((each) => each.path === path));
}

t.test("what it can't do is refused by name, all at once", (t) => {
  const spec = specText("minimal")
    .replace("- name: provider", "- name: provider\n      vnicType: smart-nic")
    .replace("type: openstack", "type: openstack\n  parameters: {rootVolumeGiB: 10, serverGroupPolicy: affinity}")
    .replace("  flavor: m4.medium\n", "  tenant: {vcpus: 32}\n")
    .concat("access: direct\ndeployment: kubernetes\ncrm: {highAvailability: true, redisAddress: \"192.0.2.79:6379\"}\n");
  t.strictSame(issues(spec), [
    "error platform/kubernetes /deployment",
    "error platform/server-group-policy /platform/parameters/serverGroupPolicy",
    "error platform/no-flavor /compute",
    "error platform/vnic-type /networks/external/0/vnicType",
    "error platform/root-volume-too-small /platform/parameters/rootVolumeGiB",
  ]);
  const without = specText("minimal").replace(/networks:\n  external:\n    - name: provider\n/, "").concat("access: direct\n");
  t.strictSame(issues(without), ["error platform/no-external-network /networks"]);
  t.end();
});

t.test("what it does in its own way is a warning", (t) => {
  t.strictSame(issues(specText("everything")), ["warning platform/gateway /networks/external/0/address/gateway", "warning platform/internal-network /networks/internal/cidr"]);
  t.strictSame(issues(specText("two-networks-floating").replace("      defaultRoute: true\n", "")), ["warning platform/floating-without-route /networks/external/1"]);
  t.strictSame(issues(specText("static-volume-gpu").replace(/ *extraFlavorProperties.*\n/, "")), ["warning platform/gpu-unnamed /compute/platformVm/gpus"]);
  t.end();
});

t.test("the Heat template: cards in order, floating IPs that outlive a server, secrets hidden", (t) => {
  const template = load(file("everything", "site/heat-template.yaml")) as Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Json>>>>>>;
  const { parameters, resources, outputs } = template;
  t.match(resources?.["server"], { properties: { networks: [{ port: { get_resource: "port_1" } }, { port: { get_resource: "port_2" } }, { port: { get_resource: "port_3" } }], config_drive: true, user_data_format: "RAW", metadata: { role: "mex-agent-node", skipk8s: "yes" } } });
  t.match(resources?.["floating_ip_2"], { condition: "makes_floating_ip_2" });
  t.strictSame(Object.entries(parameters ?? {}).filter(([, parameter]) => parameter["hidden"] === true).map(([name, parameter]) => [name, parameter["default"]]), [
    ["secret_access_key", undefined],
    ["secret_os_password", undefined],
    ["secret_vendor_token", ""],
    ["secret_kafka_password", undefined],
  ]);
  t.strictSame(Object.keys(outputs ?? {}), ["server_ids", "server_names", "addresses", "port_ids", "floating_ips", "payload_volume_ids", "security_group_id"]);
  t.ok(Object.values(parameters ?? {}).every((parameter) => typeof parameter["label"] === "string" && typeof parameter["description"] === "string"));
  const groups = (template["parameter_groups"] as unknown as readonly { parameters: readonly string[] }[]).flatMap((group) => group.parameters);
  t.strictSame([...groups].sort(), Object.keys(parameters ?? {}).sort(), "every parameter is in a group");
  t.end();
});

t.test("the environment names the template's parameters, and no secret", (t) => {
  for (const name of ["minimal", "everything", "hostile-names"]) {
    const template = load(file(name, "site/heat-template.yaml")) as { readonly parameters: Readonly<Record<string, Readonly<Record<string, Json>>>> };
    const environment = load(file(name, "site/heat-environment.yaml")) as { readonly parameters: Readonly<Record<string, Json>> };
    const open = Object.entries(template.parameters).filter(([, parameter]) => parameter["hidden"] !== true);
    t.strictSame(environment.parameters, Object.fromEntries(open.map(([key, parameter]) => [key, parameter["default"]])), name);
  }
  t.end();
});

t.test("site.env and the manifest", (t) => {
  const env = readEnv(file("hostile-names", "site.env"));
  t.equal(env.get("CB_NETWORK_1_NAME"), `12:30:45 | O'Brien & Söhne, "UE" #1: $(reboot) {{x}}`);
  t.equal(env.get("CB_SECRET_COUNT"), "3");
  t.ok([...env.keys()].every((name) => name.startsWith("CB_")));
  const manifest = load(file("hostile-names", "site/manifest.yaml")) as { readonly manifestitems: readonly Readonly<Record<string, Json>>[] };
  t.strictSame(manifest.manifestitems.map((item) => item["id"]), [1, 2, 3, 4, 5, 6, 7, 8]);
  t.equal(manifest.manifestitems[5]?.["content"], file("hostile-names", "site/heat-template.yaml"), "the template is in it, to the byte");
  const kinds = new Set(["none", "url", "code", "command"]);
  t.ok(manifest.manifestitems.every((item) => kinds.has(String(item["contenttype"])) && ["none", "bash", "python", "yaml"].includes(String(item["contentsubtype"]))));
  t.end();
});

t.test("two PlatformVMs: apart, each with its own key, addresses and disk", (t) => {
  const text = file("high-availability", "site/heat-template.yaml");
  const { resources } = load(text) as Readonly<Record<string, Readonly<Record<string, { readonly properties: Readonly<Record<string, Json>> }>>>>;
  t.match(resources?.["server_group"]?.properties, { policies: ["anti-affinity"] });
  for (const [role, key, other, address] of [
    ["primary", "ACCESS_KEY", "ACCESS_KEY_SECONDARY", "203.0.113.10"],
    ["secondary", "ACCESS_KEY_SECONDARY", "ACCESS_KEY", "203.0.113.11"],
  ] as const) {
    const server = resources?.[`server_${role}`]?.properties;
    t.match(server, {
      scheduler_hints: { group: { get_resource: "server_group" } },
      networks: [{ port: { get_resource: `port_1_${role}` } }, { port: { get_resource: `port_2_${role}` } }],
      block_device_mapping_v2: [{ volume_id: { get_resource: `payload_volume_${role}` } }],
    });
    const told = (server?.["user_data"] as { readonly str_replace_strict: { readonly template: string; readonly params: Readonly<Record<string, Json>> } }).str_replace_strict;
    t.ok(`@@CLOUDLET-SECRET:${key}@@` in told.params && !(`@@CLOUDLET-SECRET:${other}@@` in told.params), "only its own key");
    t.equal(told.template, file("high-availability", `site/user-data-${role}`));
    t.match(told.template, new RegExp(`'--HARole'\\n +CB_ARGUMENT_\\d+='${role}'\\n +CB_ARGUMENT_\\d+='--redisStandaloneAddr'\\n +CB_ARGUMENT_\\d+='192\\.0\\.2\\.79:6379'`));
    t.match(JSON.stringify(resources?.[`port_1_${role}`]?.properties["fixed_ips"]), address);
  }
  t.strictSame(issues(specText("high-availability").replace("platform: {type: openstack}", "platform: {type: openstack, parameters: {serverGroupPolicy: soft-anti-affinity}}")), []);
  t.end();
});

t.test("the registry, and the codes", (t) => {
  t.throws(() => platformNamed("amiga"), /no such platform/);
  t.ok(platforms.every((platform) => platform.requirements.length > 0 && platform.parameterSchema === `platform-${platform.name}.schema.json`));
  const source = ["plan", "guest", "platforms"]
    .flatMap((folder) => readdirSync(join(src, folder)).filter((name) => name !== "issue-codes.ts").map((name) => readFileSync(join(src, folder, name), "utf8")))
    .join("");
  t.strictSame(new Set(source.match(/(?<=(code: |refuse\(\s*|warn\(\s*)")(plan|guest|platform)\/[a-z-]+(?=")/g)), new Set(Object.keys(PLAN_ISSUE_CODES)), "every code is documented, and no other");
  t.ok(Object.values(PLAN_ISSUE_CODES).every(({ meaning, remedy }) => meaning.endsWith(".") && remedy.endsWith(".")));
  t.end();
});
