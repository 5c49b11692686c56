/** The cloudlets of the boots on machines like VMware's, and what their networks are to be. */

import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { BuiltBundle } from "../bundle.ts";
import { buildBundle } from "../bundle.ts";
import type { Engine, Running } from "./guest.ts";
import { lab } from "./guest.ts";

/** As MobiledgeX's vSphere wants it: ranges, of which the PlatformVM takes the first address; management on a network of its own. */
const networks = `networks:
  external:
    - {name: mgmt-net, purpose: management, address: {mode: range, ranges: [198.51.100.5], prefix: 28, gateway: 198.51.100.1}, defaultRoute: true}
    - {name: ue-net, purpose: ue, address: {mode: range, ranges: [203.0.113.30, 203.0.113.10-203.0.113.20], prefix: 24, gateway: 203.0.113.1}, mtu: 1400}
    - {name: six-net, purpose: internet, address: {mode: static, ip: "2001:db8::10", prefix: 64, gateway: "2001:db8::1"}}
  internal: {name: vSwitch-internal, cidr: 10.101.0.0/16}
  dns: [192.0.2.53]
firewall:
  ssh: {from: [198.51.100.0/28]}
`;

/** Hardware addresses of the three cards, as vCenter gives them out. */
export const cards: readonly string[] = ["00:50:56:01:00:01", "00:50:56:01:00:02", "00:50:56:01:00:03"];

/** What `networkOf` finds when all of `networks` has come about. */
export const plannedNetwork: Network = {
  cards: [
    { mtu: 1500, addresses: ["198.51.100.5/28"] },
    { mtu: 1400, addresses: ["203.0.113.30/24"] },
    { mtu: 1500, addresses: ["2001:db8::10/64"] },
  ],
  defaultGateways: ["198.51.100.1"],
};

export interface Network {
  /** In the order of `cards`. */
  readonly cards: readonly { readonly mtu: number; readonly addresses: readonly string[] }[];
  readonly defaultGateways: readonly string[];
}

/** A bundle whose VM image is the lab's, so that what is booted are its own two VMDKs. */
export async function vmwareBundle(name: string, platform: string, engine: Engine): Promise<BuiltBundle> {
  const about = "organization: ExampleTel\nregion: EU\nlocation: {latitude: 41.15, longitude: -8.61}\ndynamicIps: 8\ncompute: {flavor: m4.medium}\n";
  const spec = `apiVersion: cloudlet-bundle/v1\nkind: Cloudlet\nname: ${name}\n${about}platform: ${platform}\n${networks}`;
  return buildBundle(`boot-${name}`, spec, { release: await labRelease(engine) });
}

/** The two disks of the OVA. */
export function disksOf(bundle: BuiltBundle): { readonly image: string; readonly payload: string } {
  return { image: join(bundle.folder, "ovf/vm-image.vmdk"), payload: join(bundle.folder, "ovf/payload.vmdk") };
}

/** Which disk has no partition, so isn't the one that was booted: SCSI disks are probed side by side, and either may be sda. */
export async function payloadDiskOf(running: Running): Promise<string> {
  return (await running.read('for disk in /dev/sd?; do [ -b "${disk}1" ] || echo "${disk#/dev/}"; done')).trim();
}

export async function networkOf(running: Running): Promise<Network> {
  interface Link {
    readonly address: string;
    readonly mtu: number;
    readonly addr_info: readonly { readonly scope: string; readonly local: string; readonly prefixlen: number }[];
  }
  const links = JSON.parse(await running.read("ip -j address")) as readonly Link[];
  const routes = async (family: string): Promise<readonly { readonly gateway: string }[]> =>
    JSON.parse(await running.read(`ip -j ${family} route show default`)) as readonly { readonly gateway: string }[];
  return {
    cards: cards.map((card) => {
      const link = links.find(({ address }) => address === card);
      if (link === undefined) throw new Error(`no card ${card}`);
      return { mtu: link.mtu, addresses: link.addr_info.filter(({ scope }) => scope === "global").map(({ local, prefixlen }) => `${local}/${prefixlen}`) };
    }),
    defaultGateways: [...(await routes("-4")), ...(await routes("-6"))].map(({ gateway }) => gateway),
  };
}

/**
 * What a later boot must leave alone: configuration, people, secrets, keys of the host, and which modules of cloud-init
 * have run, when. One line a file: path, mode, owner, digest or, of those marks, the time. One mark is not looked at: it
 * belongs to what runs before user-data's bootcmd, which takes the marks away until all is on the disk.
 */
export async function stateOf(running: Running): Promise<string> {
  return running.read(
    "readlink /var/lib/cloud/instance; find -L /var/lib/cloud/instance/sem -type f ! -name config_seed_random -printf '%p %T@\\n' | sort; " +
      "find /etc /home /root /usr/local /var/lib/cloudlet -xdev -type f -exec stat -c '%n %a %U:%G' {} + -exec sha256sum {} + | sort",
  );
}

/** Edits a release to have the lab's image. */
async function labRelease(engine: Engine): Promise<(text: string) => string> {
  const path = join(lab, `${engine}.qcow2`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const edits: readonly (readonly [RegExp, string])[] = [
    [/^( {2}source: )\S*vm-image\.qcow2$/m, path],
    [/^(vmImage:\n(?: {2}.*\n)*? {2}digest: )\S+$/m, `sha256:${hash.digest("hex")}`],
    [/^( {2}sizeLimit: )\d+$/m, String(statSync(path).size)],
  ];
  return (text) =>
    edits.reduce((edited, [pattern, value]) => {
      if (!pattern.test(edited)) throw new Error(`the reference release has no ${pattern.source}`);
      return edited.replace(pattern, (_, before: string) => `${before}${value}`);
    }, text);
}
