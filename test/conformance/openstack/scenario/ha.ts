/** Two PlatformVMs: on two hosts, each with its own key, addresses and payload; an upgrade keeps them; nothing is left. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { administrator, configDrive, guestsDo, openstackJson, stamp } from "../cloud.ts";
import { cloudlet, dhcp } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

const fixed = "{name: cb-static, purpose: internet, address: {mode: static, ip: 10.77.0.20, secondaryIp: 10.77.0.21, prefix: 24}}";
const more = ["crm: {highAvailability: true, redisAddress: \"192.0.2.79:6379\"}"];

interface Server {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly health: string;
}

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("ha", { name: "cb ha", networks: [dhcp, fixed], more });
  const operator = new Operator("ha");
  const stack = site(bundle)("CB_NAME");
  const names = [`${stack}-primary`, `${stack}-secondary`];
  t.teardown(() => guestsDo());

  const plan = await operator.install(bundle, ["--plan"]);
  t.equal(plan.status, 0, plan.text);
  for (const line of [/^servers .* 2$/m, /^vCPU .* 4$/m, /^MiB of memory .* 8192$/m, /^volumes .* 2$/m, /^ports .* 4$/m, /^server groups .* 1$/m]) {
    t.match(plan.stdout, line, "the quota's arithmetic is for two");
  }

  guestsDo({ [names[1] ?? ""]: { fail: "not-healthy-crmserver" } });
  const failed = await operator.install(bundle);
  t.equal(failed.status, 1, failed.text);
  t.match(failed.stderr, new RegExp(`guest/failed: ${names[1]} says that it failed: not-healthy-crmserver`), "both are waited for");
  guestsDo();
  const installed = await operator.install(bundle);
  t.equal(installed.status, 0, installed.text);

  const receipt = operator.receipt() as unknown as { readonly servers: readonly Server[]; readonly addresses: readonly { readonly server: string; readonly network: string; readonly fixed: string }[] };
  t.match(receipt.servers, names.map((name) => ({ name, status: "ACTIVE", health: "healthy" })));
  t.strictSame(receipt.addresses.map(({ server, network }) => [server, network]), names.flatMap((name) => [[name, "provider"], [name, "cb-static"]]));
  t.strictSame([receipt.addresses[1]?.fixed, receipt.addresses[3]?.fixed], ["10.77.0.20", "10.77.0.21"]);
  const hosts = receipt.servers.map(({ id }) => (openstackJson(["server", "show", id, "-c", "OS-EXT-SRV-ATTR:host"], administrator) as Readonly<Record<string, string>>)["OS-EXT-SRV-ATTR:host"]);
  t.equal(new Set(hosts).size, 2, `on two hosts: ${hosts.join(", ")}`);

  const values = new Map(readFileSync(bundle.secrets, "utf8").split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^base64:/, "")]));
  for (const [index, slot] of ["ACCESS_KEY", "ACCESS_KEY_SECONDARY"].entries()) {
    const { id = "", name = "" } = receipt.servers[index] ?? {};
    const told = configDrive(id, "openstack/latest/user_data");
    const rendered = readFileSync(join(bundle.folder, "site", `user-data-${name.endsWith("primary") ? "primary" : "secondary"}`), "utf8");
    const macs = (JSON.parse(configDrive(id, "openstack/latest/network_data.json")) as { readonly links: readonly { readonly ethernet_mac_address: string }[] }).links;
    const filled = macs.reduce((text, { ethernet_mac_address: mac }, at) => text.replaceAll(`@@CLOUDLET-PORT-MAC:${at + 1}@@`, mac), rendered).replaceAll(`@@CLOUDLET-SECRET:${slot}@@`, values.get(slot) ?? "");
    t.equal(told.trimEnd(), filled.trimEnd(), `${name}: its own key and cards`);
    const disks = openstackJson(["server", "volume", "list", id]) as readonly unknown[];
    t.equal(disks.length, 1, "its own payload volume");
  }

  const before = stamp(stack);
  t.match((await operator.install(bundle)).stderr, /nothing to do/);
  t.strictSame(stamp(stack), before, "a second run changes nothing");

  const next = await cloudlet("ha-2", { name: "cb ha", networks: [dhcp, fixed], more, sequence: 2 });
  const upgraded = await operator.run(next, ["--trust", next.fingerprint, "--upgrade", "--yes"]);
  t.equal(upgraded.status, 0, `two hosts are enough for two more: ${upgraded.text}`);
  t.strictSame(operator.receipt()["addresses"], receipt.addresses, "same ports and addresses");
  const removed = await operator.uninstall(next);
  t.equal(removed.status, 0, removed.text);
}
