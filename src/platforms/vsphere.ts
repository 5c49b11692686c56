/** VMware vSphere: an OVF package and guestinfo, deployed by govc. */

import type { Assets } from "../core/assets.ts";
import type { Guests } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import type { Draft } from "./draft.ts";
import type { Platform } from "./platform.ts";
import { userDataBytes, vmwareDrafts, vmwareIssues } from "./vmware.ts";
import { vsphereVariables } from "./vmware-site.ts";
import { vsphereView } from "./vsphere-view.ts";

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
  draft,
};

function draft(plan: Plan, guests: Guests, assets: Assets): readonly Draft[] {
  const view = vsphereView(plan, guests[0]);
  return [
    ...vmwareDrafts(plan, guests, assets, "vsphere", vsphereVariables(plan)),
    { kind: "template", path: "site/runbook.md", mode: 0o644, role: "document", template: "vsphere/runbook.md", format: "markdown", view },
    { kind: "template", path: "site/manifest.yaml", mode: 0o644, role: "site", template: "vsphere/manifest.yaml", format: "yaml", view },
  ];
}
