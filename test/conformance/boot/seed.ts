/** What an IaaS hands to a guest, made of a bundle's own files: NoCloud's disk, Nova's config drive, VMware's guestinfo or OVF environment. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import type { BuiltBundle } from "../bundle.ts";

/** What is read of a bundle: where it is unpacked, and the filled secrets file. */
export type Unpacked = Pick<BuiltBundle, "folder" | "secrets">;

/** What Nova tells. */
export interface Server {
  /** Names the VM: cloud-init takes another one for another VM and begins anew. */
  readonly uuid: string;
  /** Hardware addresses of the cards, in the plan's order. */
  readonly cards: readonly string[];
  /** network_data.json. */
  readonly network: object;
}

/**
 * The seed of a libvirt bundle: a volume named CIDATA with its own files. Without cards there is no network-config either,
 * for cloud-init waits for the cards that it names. Gives the path of the image, in `folder`.
 */
export function noCloud(folder: string, bundle: Unpacked, cards: "with-cards" | "without-cards"): string {
  const site = (name: string): string => readFileSync(join(bundle.folder, "site", name), "utf8");
  return volume(folder, `seed-${cards}`, "CIDATA", {
    "meta-data": site("meta-data"),
    "user-data": userData(bundle),
    ...(cards === "with-cards" ? { "network-config": site("network-config") } : {}),
  });
}

/** Nova's config drive: a volume named config-2. */
export function configDrive(folder: string, bundle: Unpacked, { uuid, cards, network }: Server): string {
  return volume(folder, "config-drive", "config-2", {
    "openstack/latest/meta_data.json": JSON.stringify({ uuid, name: "pf", hostname: "pf.novalocal", availability_zone: "nova" }),
    "openstack/latest/user_data": userData(bundle, cards),
    "openstack/latest/network_data.json": JSON.stringify(network),
  });
}

/** What vSphere's install.sh puts into ExtraConfig: user-data is packed, network-config goes into meta-data. */
export function guestInfoValues(bundle: Unpacked, cards: readonly string[]): Readonly<Record<string, string>> {
  return {
    "guestinfo.metadata": packed(`${readFileSync(join(bundle.folder, "site/meta-data"), "utf8")}${networkKey(bundle, cards)}`),
    "guestinfo.metadata.encoding": "gzip+base64",
    "guestinfo.userdata": packed(userData(bundle, cards)),
    "guestinfo.userdata.encoding": "gzip+base64",
  };
}

/**
 * What it puts there once the guest is healthy. Three dashes are cloud-init's own word for what was taken away, and come before
 * the encoding. Metadata stays: another instance-id, or none, is another instance, which begins anew with nothing.
 */
export const redacted: Readonly<Record<string, string>> = { "guestinfo.userdata": "---" };

/** What vCD's install.sh sets: the properties of the descriptor's ProductSection. */
export function ovfProperties(bundle: Unpacked, cards: readonly string[]): Readonly<Record<string, string>> {
  const metaData = load(readFileSync(join(bundle.folder, "site/meta-data"), "utf8")) as Readonly<Record<string, string>>;
  return {
    "instance-id": metaData["instance-id"] as string,
    hostname: metaData["local-hostname"] as string,
    "network-config": Buffer.from(networkKey(bundle, cards)).toString("base64"),
    "user-data": packed(userData(bundle, cards)),
  };
}

/** The OVF environment (DMTF DSP0243 1.1.0, clause 11) as VMware writes it at each power-on. */
export function ovfEnvironment(properties: Readonly<Record<string, string>>, cards: readonly string[]): string {
  const property = ([key, value]: readonly [string, string]): string => `    <Property oe:key="${key}" oe:value="${value}"/>`;
  const adapter = (mac: string, index: number): string => `    <ve:Adapter ve:mac="${mac}" ve:network="network ${index + 1}" ve:unitNumber="${index + 7}"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1" xmlns:ve="http://www.vmware.com/schema/ovfenv" oe:id="" ve:vCenterId="vm-1001">
  <PlatformSection>
    <Kind>VMware ESXi</Kind>
    <Version>8.0.2</Version>
    <Vendor>VMware, Inc.</Vendor>
    <Locale>en</Locale>
  </PlatformSection>
  <PropertySection>
${Object.entries(properties).map(property).join("\n")}
  </PropertySection>
  <ve:EthernetAdapterSection>
${cards.map(adapter).join("\n")}
  </ve:EthernetAdapterSection>
</Environment>
`;
}

/** The CD of OVF's ISO transport. Gives the path of the image, in `folder`. */
export function ovfTransport(folder: string, environment: string): string {
  return volume(folder, "ovf-env", "OVF ENV", { "ovf-env.xml": environment });
}

/** Below one name, as both of cloud-init's datasources want it: the OVF one drops network-config without a word if it is not. */
function networkKey(bundle: Unpacked, cards: readonly string[]): string {
  const text = filled(readFileSync(join(bundle.folder, "site/network-config"), "utf8"), bundle, cards);
  return `network:\n${text.replace(/^(?=.)/gm, "  ")}`;
}

function packed(text: string): string {
  return execFileSync("gzip", ["-9nc"], { input: text }).toString("base64");
}

/** site/user-data with the site's values in place of the placeholders, as install.sh and Heat put them there. */
export function userData(bundle: Unpacked, cards: readonly string[] = []): string {
  return filled(readFileSync(join(bundle.folder, "site/user-data"), "utf8"), bundle, cards);
}

function filled(template: string, bundle: Unpacked, cards: readonly string[]): string {
  const secrets = new Map(
    readFileSync(bundle.secrets, "utf8")
      .split("\n")
      .filter((line) => /^[A-Z]\w*=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const text = template
    .replace(/@@CLOUDLET-SECRET:(\w+)@@/g, (_, name: string) => base64(secrets.get(name) ?? ""))
    .replace(/@@CLOUDLET-PORT-MAC:(\d+)@@/g, (all, number: string) => cards[Number(number) - 1] ?? all);
  const left = /@@CLOUDLET-\w+:/.exec(text);
  if (left !== null) throw new Error(`there is a placeholder that is not known here: ${left[0]}`);
  return text;
}

/** A line of the secrets file gives the value as text, or as base64 with a word before it. */
function base64(value: string): string {
  return value.startsWith("base64:") ? value.slice("base64:".length) : Buffer.from(value).toString("base64");
}

/** An ISO 9660 image of these files. */
function volume(folder: string, name: string, label: string, files: Readonly<Record<string, string>>): string {
  const content = join(folder, `${name}.seed`);
  const image = `${content}.iso`;
  rmSync(content, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(content, path)), { recursive: true });
    writeFileSync(join(content, path), text);
  }
  execFileSync("xorriso", ["-as", "mkisofs", "-quiet", "-J", "-R", "-V", label, "-o", image, content], { stdio: ["ignore", "ignore", "pipe"] });
  return image;
}
