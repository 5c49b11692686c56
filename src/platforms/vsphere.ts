/** VMware vSphere: an OVF package and guestinfo, deployed by govc. */

import type { Platform } from "./platform.ts";
import { userDataBytes, vmwareDrafts, vmwareIssues } from "./vmware.ts";
import { vsphereVariables } from "./vmware-site.ts";

export const vsphere: Platform = {
  name: "vsphere",
  startHere: {
    place: "vCenter",
    access: "Have govc on this machine, and tell it of vCenter: GOVC_URL, GOVC_USERNAME, GOVC_PASSWORD.",
  },
  userDataBytes,
  parameterSchema: "platform-vsphere.schema.json",
  requirements: [
    { what: "vCenter 6.7 or later, reachable from the machine that install.sh runs on", why: "the VM is made through its API" },
    { what: "govc 0.24 or later", why: "install.sh drives it" },
    { what: "the cluster, datastore, port groups and folder that the spec names", why: "install.sh makes none of them" },
    { what: "a user who may deploy OVF templates, configure and power VMs, and make a resource pool", why: "docs/platforms/vsphere.md lists the privileges" },
    { what: "a VM image with open-vm-tools, and cloud-init 21.3 or later with its VMware datasource", why: "what the VM is told travels in guestinfo" },
  ],
  check: vmwareIssues,
  draft: (plan, guests, assets) => vmwareDrafts(plan, guests, assets, "vsphere", vsphereVariables(plan)),
};
