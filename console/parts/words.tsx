/** Words and figures of the domain as people read them. */

import type { ReactNode } from "react";

const platforms: Readonly<Record<string, string>> = { openstack: "OpenStack", libvirt: "libvirt/KVM", vsphere: "vSphere", vcd: "vCloud Director", vmpool: "VM pool" };

export const platformNames = Object.entries(platforms).map(([value, name]) => ({ value, name }));

export function platformName(platform: string): string {
  return platforms[platform] ?? platform;
}

export type CloudletState = "defined" | "installed" | "removed";
export type BundleState = "queued" | "building" | "ready" | "failed";

const cloudletStates: Readonly<Record<CloudletState, readonly [tag: string, word: string]>> = { defined: ["", "defined"], installed: ["good", "installed"], removed: ["look", "removed"] };
const bundleStates: Readonly<Record<BundleState, readonly [tag: string, word: string]>> = { queued: ["", "queued"], building: ["look", "building"], ready: ["good", "ready"], failed: ["bad", "failed"] };

export function CloudletTag({ state }: { readonly state: CloudletState }): ReactNode {
  const [tag, word] = cloudletStates[state];
  return <span className={`tag ${tag}`}>{word}</span>;
}

export function BundleTag({ state }: { readonly state: BundleState }): ReactNode {
  const [tag, word] = bundleStates[state];
  return <span className={`tag ${tag}`}>{word}</span>;
}

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `2.4 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < units.length - 1; unit += 1) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ""}`;
}

/** The beginning and the end of a digest; the whole is the title. */
export function Digest({ of }: { readonly of: string }): ReactNode {
  const [, algorithm = "", hex = of] = /^([A-Za-z0-9]+:)?(.*)$/.exec(of) ?? [];
  return <code title={of}>{hex.length > 20 ? `${algorithm}${hex.slice(0, 10)}…${hex.slice(-6)}` : of}</code>;
}

export const roleWords = {
  admin: "administrator", auditor: "auditor", manager: "manager", contributor: "contributor", viewer: "viewer",
} as const;
