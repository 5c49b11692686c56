/** `platform.parameters` of a libvirt spec, as the schema of that name lets them be, and what they say of each card. */

import { hexOf, sha256 } from "../core/digest.ts";
import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";

export type AttachmentKind = "bridge" | "macvtap" | "network" | "user";

/** What a network card is plugged into. */
export interface Attachment {
  readonly kind: Val<AttachmentKind>;
  readonly source: Val<string>;
}

export interface LibvirtParameters {
  readonly driver: Val<string>;
  readonly uri: Val<string>;
  /** The VM's own folder is in it. */
  readonly storage: Val<string>;
  readonly machine: Val<string>;
  readonly firmware: Val<string>;
  readonly cpu: Val<string>;
  readonly rootDiskGiB: Val<number>;
  /** By the network's name, as the spec writes them. */
  readonly networks: Readonly<Record<string, Attachment>>;
  /** PCI addresses. */
  readonly gpus: readonly Val<string>[];
  readonly autostart: Val<boolean>;
  readonly emulation: Val<boolean>;
}

export function libvirtParameters(plan: Plan): LibvirtParameters {
  // The schema has checked names and types and filled in the defaults; the spec's own type is that of any platform.
  const given = plan.spec.platform.parameters as unknown as Omit<LibvirtParameters, "gpus" | "rootDiskGiB"> & {
    readonly gpus: readonly { readonly address: Val<string> }[];
    readonly rootDiskGiB?: Val<number>;
  };
  return {
    ...given,
    rootDiskGiB: given.rootDiskGiB ?? plan.need.diskGiB,
    gpus: given.gpus.map((gpu) => gpu.address),
  };
}

/** What the spec says of the card's network; else a bridge of that name. */
export function attachmentOf(parameters: LibvirtParameters, nic: Nic): Attachment {
  const { networks } = parameters;
  const name = nic.network.value;
  if (Object.hasOwn(networks, name)) return networks[name] as Attachment;
  return { kind: derive([nic.network], () => "bridge"), source: nic.network };
}

/** The same each time, so that a domain that is defined again is still that one. RFC 9562 section 5.8: version 8. */
export function domainUuid(plan: Plan, machine: Machine): Val<string> {
  return derive([machine.name, plan.spec.organization], (name, organization) => {
    const hex = hexOf(sha256(JSON.stringify([organization, name])));
    const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) % 4);
    return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
  });
}

/** Paths in the bundle of what is one machine's. A type alias, because only these are views as well. */
export type MachineFiles = Readonly<Record<"domain" | "userData" | "metaData" | "networkConfig" | "runbook" | "environment", Val<string>>>;

/** With the role in their names where there are two machines: `site/domain-primary.xml`, `site/user-data-primary`. */
export function machineFiles({ role }: Machine): MachineFiles {
  const path = (name: string, ending = ""): Val<string> =>
    role === undefined ? val(`site/${name}${ending}`, "constant:layout") : derive([role], (word) => `site/${name}-${word}${ending}`);
  return {
    domain: path("domain", ".xml"),
    userData: path("user-data"),
    metaData: path("meta-data"),
    networkConfig: path("network-config"),
    runbook: path("runbook", ".md"),
    environment: path("machine", ".env"),
  };
}

/** Stands where there is nothing to say. */
export const nothing: Val<string> = val("", "constant:not-chosen");
