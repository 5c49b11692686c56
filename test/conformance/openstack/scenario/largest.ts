/** The largest user-data that Nova takes, to the byte: installed, and on the config drive exactly what was rendered. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { novaUserDataBytes } from "../../../../src/core/limits.ts";
import { filledUp, largestSpec, networkCount } from "../../../unit/guest/largest-spec.ts";
import { buildBundle } from "../../bundle.ts";
import { configDrive, openstackJson } from "../cloud.ts";
import { Operator, site } from "../installer.ts";

const secretBytes = 600;

export async function run(t: Test): Promise<void> {
  const longest = { ACCESS_KEY: 512, FILLER: secretBytes };
  const rendered = (folder: string): string => readFileSync(join(folder, "site/user-data"), "utf8");
  const small = await buildBundle("largest", largestSpec({ comment: 1, secretBytes }));
  const comment = 1 + novaUserDataBytes - Buffer.byteLength(filledUp(rendered(small.folder), longest));
  const bundle = await buildBundle("largest", largestSpec({ comment, secretBytes }));
  const values = Object.entries(longest).map(([name, size]) => `${name}=${"z".repeat(size)}\n`);
  writeFileSync(bundle.secrets, values.join(""), { mode: 0o600 });
  const operator = new Operator("largest");

  // The lab has no sixteen networks, but sixteen cards may be on one.
  const here = Array.from({ length: networkCount }, (_, index) => ["--parameter", `external_network_${index + 1}=provider`]).flat();
  const installed = await operator.install(bundle, ["--yes", ...here]);
  t.equal(installed.status, 0, installed.text);

  const [server] = operator.receipt()["servers"] as readonly { readonly id: string; readonly health: string }[];
  t.equal(server?.health, "healthy");
  const id = server?.id ?? "";
  const told = configDrive(id, "openstack/latest/user_data");
  const { links } = JSON.parse(configDrive(id, "openstack/latest/network_data.json")) as { readonly links: readonly { readonly ethernet_mac_address: string }[] };
  t.equal(links.length, networkCount);
  const meant = filledUp(
    links.reduce((text, { ethernet_mac_address: mac }, index) => text.replaceAll(`@@CLOUDLET-PORT-MAC:${index + 1}@@`, mac), rendered(bundle.folder)),
    longest,
  );
  t.equal(told, meant, "config drive content is what was rendered");
  t.equal(Buffer.byteLength(told), novaUserDataBytes, "and as long as Nova takes");
  const meta = JSON.parse(configDrive(id, "openstack/latest/meta_data.json")) as { readonly name: string; readonly meta: unknown };
  t.match(meta, { name: site(bundle)("CB_NAME"), meta: { role: "mex-agent-node", skipk8s: "yes" } });
  const disks = openstackJson(["server", "volume", "list", id]) as readonly unknown[];
  t.equal(disks.length, 1, "the payload volume is attached");

  t.equal((await operator.uninstall(bundle)).status, 0);
}
