/** Names of what a cloudlet becomes in the IaaS, made as MobiledgeX makes them. */

import { sha256, hexOf } from "../core/digest.ts";
import { hostNameLength } from "../core/limits.ts";

/**
 * `<cloudlet>-<organization>-pf`, as MobiledgeX names the PlatformVM, its stack and its group of VMs. Space, `&`, `,` and
 * `!` are dropped and a name that does not begin with a letter gets an `a` before it, so "A&B" and "AB" of one
 * organization get the same name: install.sh refuses to touch a stack that another cloudlet made.
 */
export function platformVmName(cloudlet: string, organization: string): string {
  const name = `${cloudlet}-${organization}`.replace(/[ &,!]/g, "");
  return `${/^[A-Za-z]/.test(name) ? "" : "a"}${name}-pf`;
}

/** True where the name above keeps every character, so that no other cloudlet can have it. */
export function keepsEveryCharacter(cloudlet: string, organization: string): boolean {
  return !/[ &,!]/.test(cloudlet + organization);
}

/**
 * The guest's host name: lower case, `_` becomes `-`, and what a label of a domain name can't hold is dropped. MobiledgeX
 * cuts it at 63 characters; where that would lose something, six digits of the whole name's digest keep it unique.
 */
export function hostName(platformVm: string): string {
  const label = platformVm.toLowerCase().replaceAll("_", "-").replace(/[^a-z0-9-]/g, "");
  if (label.length <= hostNameLength) return label;
  const mark = hexOf(sha256(platformVm)).slice(0, 6);
  return `${label.slice(0, hostNameLength - mark.length - 1).replace(/-+$/, "")}-${mark}`;
}

/** `<PlatformVM>-<network>-port`; a PlatformVM has one card on each network. */
export function portName(platformVm: string, network: string): string {
  return `${platformVm}-${network}-port`;
}
