/** What an IaaS hands to a guest, made of a bundle's own files: cloud-init's NoCloud disk, OpenStack's config drive. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BuiltBundle } from "../bundle.ts";

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
export function noCloud(folder: string, bundle: BuiltBundle, cards: "with-cards" | "without-cards"): string {
  const site = (name: string): string => readFileSync(join(bundle.folder, "site", name), "utf8");
  return volume(folder, `seed-${cards}`, "CIDATA", {
    "meta-data": site("meta-data"),
    "user-data": userData(bundle),
    ...(cards === "with-cards" ? { "network-config": site("network-config") } : {}),
  });
}

/** Nova's config drive: a volume named config-2. */
export function configDrive(folder: string, bundle: BuiltBundle, { uuid, cards, network }: Server): string {
  return volume(folder, "config-drive", "config-2", {
    "openstack/latest/meta_data.json": JSON.stringify({ uuid, name: "pf", hostname: "pf.novalocal", availability_zone: "nova" }),
    "openstack/latest/user_data": userData(bundle, cards),
    "openstack/latest/network_data.json": JSON.stringify(network),
  });
}

/** site/user-data with the site's values in place of the placeholders, as install.sh and Heat put them there. */
export function userData(bundle: BuiltBundle, cards: readonly string[] = []): string {
  const secrets = new Map(
    readFileSync(bundle.secrets, "utf8")
      .split("\n")
      .filter((line) => /^[A-Z]\w*=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const text = readFileSync(join(bundle.folder, "site/user-data"), "utf8")
    .replace(/@@CLOUDLET-SECRET:(\w+)@@/g, (_, name: string) => base64(secrets.get(name) ?? ""))
    .replace(/@@CLOUDLET-PORT-MAC:(\d+)@@/g, (all, number: string) => cards[Number(number) - 1] ?? all);
  const left = /@@CLOUDLET-\w+:/.exec(text);
  if (left !== null) throw new Error(`site/user-data has a placeholder that is not known here: ${left[0]}`);
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
