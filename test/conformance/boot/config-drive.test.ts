/** OpenStack's way in: Nova's config drive, two network cards, docker. Healthy, with addresses, MTU and routes as told. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { buildBundle } from "../bundle.ts";
import { allAnswer, answersOf, cloudInitErrors, openstackSpec, payloadOf, roles, stagesOf, untilHealthy } from "./cloudlets.ts";
import { machine, patience } from "./guest.ts";
import { configDrive } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "boot-config-drive-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(600_000 * patience);
const bundle = await buildBundle("boot-config-drive", openstackSpec);
const cards = ["fa:16:3e:00:00:01", "fa:16:3e:00:00:02"];
/** As Nova 26 writes it: the second network has a gateway. */
const network = {
  links: [
    { id: "tap1", vif_id: "0b6b4c63-0000-4000-8000-000000000001", type: "ovs", mtu: 1500, ethernet_mac_address: cards[0] },
    { id: "tap2", vif_id: "0b6b4c63-0000-4000-8000-000000000002", type: "ovs", mtu: 1500, ethernet_mac_address: cards[1] },
  ],
  networks: [
    { id: "network0", type: "ipv4", link: "tap1", ip_address: "198.51.100.50", netmask: "255.255.255.0", routes: [], network_id: "n1", services: [] },
    {
      id: "network1",
      type: "ipv4",
      link: "tap2",
      ip_address: "10.101.0.10",
      netmask: "255.255.255.0",
      routes: [{ network: "0.0.0.0", netmask: "0.0.0.0", gateway: "10.101.0.1" }],
      network_id: "n2",
      services: [],
    },
  ],
  services: [],
};

interface Link {
  readonly address: string;
  readonly mtu: number;
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[];
}

interface Route {
  readonly dst: string;
  readonly gateway?: string;
}

t.test("healthy, and its networks are as Nova and the spec say", async (t) => {
  const drive = configDrive(folder, bundle, { uuid: "5f0f3b8e-0000-4000-8000-00000000000a", cards, network });
  const running = await machine(folder, "config-drive", "docker").boot({ disks: [drive, payloadOf(bundle)], cards });
  t.teardown(() => running.cut());
  await untilHealthy(running);
  t.strictSame(stagesOf(running), ["booted platformvm", "found vdc", "verified vdc", "loaded docker", `started ${roles}`, `healthy ${roles}`]);
  t.strictSame(await cloudInitErrors(running), []);
  t.match(await running.read("cat /run/cloud-init/result.json"), "DataSourceConfigDrive");
  t.strictSame(await answersOf(running), allAnswer);

  const links = JSON.parse(await running.read("ip -j address")) as readonly Link[];
  const seen = cards.map((card) => {
    const link = links.find(({ address }) => address === card);
    return [link?.mtu, ...(link?.addr_info ?? []).filter(({ family }) => family === "inet").map(({ local, prefixlen }) => `${local}/${prefixlen}`)];
  });
  // For the second network the spec says less than Nova, because of what lies behind it.
  t.strictSame(seen, [
    [1500, "198.51.100.50/24"],
    [1450, "10.101.0.10/24"],
  ]);
  const routes = JSON.parse(await running.read("ip -j route")) as readonly Route[];
  t.strictSame(routes.filter(({ dst }) => dst === "default").map(({ gateway }) => gateway), ["10.101.0.1"], "one default route");
  t.match(await running.read("resolvectl dns --no-pager"), "192.0.2.53");
  t.match(await running.read("timedatectl show-timesync -p SystemNTPServers -p LinkNTPServers"), "192.0.2.123");
  t.match(await running.read("cat /home/operator/.ssh/authorized_keys"), "operator@example");
});
