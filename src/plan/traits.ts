/** What the plan has to know of each kind of IaaS, a row each; all else is said in src/platforms. */

export interface Traits {
  /** Who chooses the hardware addresses of the network cards; nobody where the cards are there already. */
  readonly macs: "iaas" | "plan" | "nobody";
  /** Who lets in and out what the spec's rules name. */
  readonly firewall: "iaas" | "guest";
  /** False: the machines are there already, so no image has to fit and a bundle carries none. */
  readonly makesVms: boolean;
  /** What the bundle carries as disks: image and payload as they are, or both as VMDK in an OVF package. */
  readonly disks: "plain" | "vmdk";
}

const traits: Readonly<Record<string, Traits>> = {
  libvirt: { macs: "plan", firewall: "guest", makesVms: true, disks: "plain" },
  openstack: { macs: "iaas", firewall: "iaas", makesVms: true, disks: "plain" },
  vcd: { macs: "iaas", firewall: "guest", makesVms: true, disks: "vmdk" },
  vmpool: { macs: "nobody", firewall: "guest", makesVms: false, disks: "plain" },
  vsphere: { macs: "iaas", firewall: "guest", makesVms: true, disks: "vmdk" },
};

/** Throws on a platform without a row: reading the spec has refused those that the build does not know. */
export function traitsOf(platform: string): Traits {
  const found = traits[platform];
  if (found === undefined) throw new Error(`src/plan/traits.ts has no row for ${platform}`);
  return found;
}
