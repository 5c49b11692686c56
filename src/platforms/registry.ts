/** Every platform, one line each. */

import { libvirt } from "./libvirt.ts";
import { openstack } from "./openstack.ts";
import type { Platform } from "./platform.ts";
import { vcd } from "./vcd.ts";
import { vmpool } from "./vmpool.ts";
import { vsphere } from "./vsphere.ts";

export const platforms: readonly Platform[] = [
  libvirt,
  openstack,
  vcd,
  vmpool,
  vsphere,
];

/** Throws on a name that `platformNames` does not list: reading the spec has refused it. */
export function platformNamed(name: string): Platform {
  const found = platforms.find((platform) => platform.name === name);
  if (found === undefined) throw new Error(`no such platform: ${name}`);
  return found;
}
