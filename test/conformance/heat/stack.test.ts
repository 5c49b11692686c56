/** A golden stack in the real OpenStack: what the guest is told, and what an update keeps and replaces. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

import { renderedFiles } from "../../golden/cases.ts";
import { openstack } from "./client.ts";

const guest = join(import.meta.dirname, "../../labs/openstack/guest");
const folder = mkdtempSync(join(tmpdir(), "heat-stack-"));
const stack = `golden-minimal-${process.pid}`;
t.setTimeout(900_000);
t.teardown(() => {
  openstack("stack", "delete", "--yes", "--wait", stack);
  rmSync(folder, { recursive: true });
});

const files = new Map(renderedFiles("minimal").map((file) => [file.path, file.text]));
const userData = files.get("site/user-data") ?? "";
const template = join(folder, "template.yaml");
const environment = join(folder, "environment.yaml");
writeFileSync(template, files.get("site/heat-template.yaml") ?? "");
writeFileSync(environment, files.get("site/heat-environment.yaml") ?? "");

/** Creates or updates the stack with this access key; gives the resources' ids by name. */
function run(verb: "create" | "update", accessKey: string): Readonly<Record<string, string>> {
  const site = join(folder, "site.yaml");
  writeFileSync(site, JSON.stringify({ parameters: { vm_image: "tiny", payload_image: "tiny", payload_volume_size: 2, secret_access_key: accessKey } }), { mode: 0o600 });
  const made = openstack("stack", verb, "--wait", "-t", template, "-e", environment, "-e", site, stack);
  if (made.status !== 0) throw new Error(made.stdout + made.stderr);
  const list = openstack("stack", "resource", "list", stack, "-f", "json");
  const rows = JSON.parse(list.stdout) as readonly { readonly resource_name: string; readonly physical_resource_id: string }[];
  return Object.fromEntries(rows.map((row) => [row.resource_name, row.physical_resource_id]));
}

t.test("create, update with nothing changed, update with another secret", (t) => {
  const first = run("create", "Rmlyc3Q=");
  const told = spawnSync(guest, [first["server"] ?? ""], { encoding: "utf8" }).stdout;
  const mac = /CB_NIC_1_MAC='([0-9a-f:]{17})'/.exec(told)?.[1] ?? "";
  t.equal(told.trimEnd(), userData.replace("@@CLOUDLET-SECRET:ACCESS_KEY@@", "Rmlyc3Q=").replace("@@CLOUDLET-PORT-MAC:1@@", mac).trimEnd(), "the guest is told what we wrote");
  t.match(openstack("port", "show", "-f", "value", "-c", "mac_address", first["port_1"] ?? "").stdout, mac);
  t.strictSame(run("update", "Rmlyc3Q="), first, "an update without a change changes nothing");
  const second = run("update", "U2Vjb25k");
  const changed = Object.keys(first).filter((name) => first[name] !== second[name]);
  t.strictSame(changed.sort(), ["payload_volume", "server"], "server and volume are made anew, port and security group stay");
  t.end();
});
