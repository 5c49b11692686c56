/** `platform.parameters` of specs for vSphere and vCloud Director, as their schemas let them be. */

import type { Val } from "../core/origin.ts";
import { val } from "../core/origin.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";

/** What both have: how the virtual machine is made. */
export interface VmwareParameters {
  /** Of vSphere. */
  readonly version: Val<"6.7" | "7.0" | "8.0">;
  readonly manifestDigest: Val<"sha256" | "sha1">;
  readonly diskController: Val<"pvscsi" | "lsilogic">;
  readonly firmware: Val<"bios" | "efi">;
  readonly rootDiskGiB: Val<number>;
  /** By paragraphs. */
  readonly eula: readonly Val<string>[];
}

export interface VsphereParameters extends VmwareParameters {
  readonly datacenter: Val<string> | undefined;
  /** Where the PlatformVM goes: of the management's own where there is one. */
  readonly cluster: Val<string>;
  readonly datastore: Val<string>;
  readonly folder: Val<string> | undefined;
  readonly resourcePool: Val<string> | undefined;
  readonly diskProvisioning: Val<"thin" | "thick" | "eagerZeroedThick">;
  readonly tags: Val<boolean>;
}

export interface VcdParameters extends VmwareParameters {
  readonly url: Val<string> | undefined;
  readonly org: Val<string> | undefined;
  readonly vdc: Val<string> | undefined;
  readonly catalog: Val<string>;
  readonly storageProfile: Val<string> | undefined;
}

// The schemas have checked names and types and filled in the defaults; the spec's own type is that of any platform.

export function vsphereParameters(plan: Plan): VsphereParameters {
  const given = plan.spec.platform.parameters as unknown as VsphereParameters & {
    readonly management: { readonly cluster?: Val<string>; readonly datastore?: Val<string> };
  };
  const { cluster, datastore } = given.management;
  return { ...given, rootDiskGiB: given.rootDiskGiB ?? plan.need.diskGiB, cluster: cluster ?? given.cluster, datastore: datastore ?? given.datastore };
}

export function vcdParameters(plan: Plan): VcdParameters {
  const given = plan.spec.platform.parameters as unknown as VcdParameters;
  return { ...given, rootDiskGiB: given.rootDiskGiB ?? plan.need.diskGiB };
}

/** What the card's network is called in the IaaS: what the spec says of it, else its own name. */
export function siteNetworkOf(plan: Plan, nic: Nic): Val<string> {
  const networks = plan.spec.platform.parameters["networks"] as unknown as Readonly<
    Record<string, { readonly portGroup?: Val<string>; readonly network?: Val<string> }>
  >;
  const name = nic.network.value;
  const given = Object.hasOwn(networks, name) ? networks[name] : undefined;
  return given?.portGroup ?? given?.network ?? nic.network;
}

/** Stands where there is nothing to say. */
export const nothing: Val<string> = val("", "constant:not-chosen");
