/** VMware Cloud Director (vCloud Director): an OVF package with properties, deployed by ovftool or the REST API. */

import type { Assets } from "../core/assets.ts";
import type { Guests } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import type { Draft } from "./draft.ts";
import type { Platform } from "./platform.ts";
import { vcdView } from "./vcd-view.ts";
import { userDataBytes, vmwareDrafts, vmwareIssues } from "./vmware.ts";
import { vcdVariables } from "./vmware-site.ts";

export const vcd: Platform = {
  name: "vcd",
  startHere: {
    place: "virtual datacenter",
    access: "Have curl on this machine, and a user of the organization: VCD_URL, VCD_ORG, VCD_USER, VCD_PASSWORD.",
  },
  userDataBytes,
  parameterSchema: "platform-vcd.schema.json",
  requirements: [
    { what: "vCloud Director 10.0 or later, reachable from the machine that install.sh runs on", why: "the vApp is made through its API" },
    { what: "curl; and ovftool 4.4 or later where the site would rather have it send the package", why: "install.sh drives them" },
    { what: "the catalog and the organization's networks that the spec names", why: "install.sh makes none of them" },
    { what: "a user with the organization's rights to catalogs and vApps", why: "docs/platforms/vcd.md lists the rights" },
    { what: "a VM image with open-vm-tools, and cloud-init 21.4 or later with its OVF datasource", why: "what the VM is told travels as OVF properties" },
  ],
  check: vmwareIssues,
  draft,
};

function draft(plan: Plan, guests: Guests, assets: Assets): readonly Draft[] {
  const view = vcdView(plan, guests[0]);
  return [
    ...vmwareDrafts(plan, guests, assets, "vcd", vcdVariables(plan)),
    { kind: "template", path: "site/runbook.md", mode: 0o644, role: "document", template: "vcd/runbook.md", format: "markdown", view },
    { kind: "template", path: "site/manifest.yaml", mode: 0o644, role: "site", template: "vcd/manifest.yaml", format: "yaml", view },
  ];
}
