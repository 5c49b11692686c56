/** What vSphere and vCloud Director share: what neither can do, and the files that both have. */

import type { Assets } from "../core/assets.ts";
import type { Issue } from "../core/issue.ts";
import type { Val } from "../core/origin.ts";
import { val } from "../core/origin.ts";
import { below } from "../core/pointer.ts";
import type { Guests } from "../guest/guest.ts";
import type { YamlText } from "../guest/yaml-text.ts";
import type { Plan } from "../plan/plan.ts";
import { userDataDrafts } from "./common-files.ts";
import type { Draft } from "./draft.ts";
import { ovfView } from "./ovf.ts";
import type { SiteVariable } from "./site-variables.ts";
import { siteView } from "./site-variables.ts";

/** Ten network cards is what a virtual machine of either can have (VMware configuration maximums, 6.7 to 8.0). */
const mostCards = 10;

/** What the plan asks for and no VMware can do as the bundle makes its machines. */
export function vmwareIssues(plan: Plan): readonly Issue[] {
  const { spec } = plan;
  const { nics } = plan.machines[0];
  const issues: Issue[] = [];
  const refuse = (code: Issue["code"], pointer: string, message: string, hint: string): void => {
    issues.push({ code, severity: "error", pointer, message, hint });
  };
  const type = spec.platform.type.value;
  if (spec.deployment.value === "kubernetes") {
    refuse("platform/kubernetes", "/deployment", `${type} bundles run the CRM in docker; Kubernetes is not supported`, "Write deployment: docker.");
  }
  if (spec.crm.highAvailability.value) {
    refuse("platform/high-availability", "/crm/highAvailability", `${type} bundles make one PlatformVM`, "Leave it out: vSphere HA starts the VM elsewhere when its host fails.");
  }
  if (plan.need.gpus.value > 0) {
    refuse("platform/gpu", "/compute/platformVm/gpus", `a GPU can't be had from an OVF package`, "Give the PlatformVM none, and pass one through by hand once it is there.");
  }
  if (nics.length === 0) refuse("platform/no-external-network", "/networks", "the PlatformVM has no external network", "List at least one in networks.external.");
  if (nics.length > mostCards) {
    refuse("platform/too-many-networks", "/networks/external", `${nics.length} networks; a virtual machine has at most ${mostCards} network cards`, "List fewer.");
  }
  for (const [index, { vnicType, mode, subnet }] of nics.entries()) {
    const pointer = `/networks/external/${index}`;
    if (vnicType !== undefined && vnicType.value !== "normal") {
      refuse("platform/vnic-type", `${pointer}/vnicType`, `a ${type} bundle makes no card of type ${vnicType.value}`, "Leave it out; the cards are vmxnet3.");
    }
    if (mode.value === "floating") {
      refuse("platform/floating-address", `${pointer}/address/mode`, `${type} has no floating IPs`, "Write mode static, range or dhcp; addresses behind NAT: environment.MEX_EXTERNAL_IP_MAP.");
    }
    if (subnet !== undefined) {
      refuse("platform/subnet", `${pointer}/address/subnet`, `${type} knows no subnets by name`, "Leave it out; ip and prefix say it all.");
    }
  }
  const names = nics.map((nic) => nic.network.value);
  for (const name of Object.keys(spec.platform.parameters["networks"] as object).sort()) {
    if (names.includes(name)) continue;
    refuse("platform/unknown-network", below("/platform/parameters/networks", name), `there is no external network ${name}`, `The spec has ${names.join(", ")}.`);
  }
  return [...issues, ...rootDiskIssues(plan)];
}

function rootDiskIssues(plan: Plan): readonly Issue[] {
  const given = plan.spec.platform.parameters["rootDiskGiB"] as Val<number> | undefined;
  const least = Math.max(plan.vmImage.diskGiB.value, plan.need.diskGiB.value);
  if (given === undefined || given.value >= least) return [];
  return [
    {
      code: "platform/root-volume-too-small",
      severity: "error",
      pointer: "/platform/parameters/rootDiskGiB",
      message: `the root disk has ${given.value} GiB, the PlatformVM needs ${least} GiB`,
      hint: `Give it at least ${least} GiB, or leave it out.`,
    },
  ];
}

/** The files of either; `folder` of templates/ has its own. */
export function vmwareDrafts(plan: Plan, [guest]: Guests, assets: Assets, folder: string, variables: readonly SiteVariable[]): readonly Draft[] {
  const { machine, metaData, networkConfig } = guest;
  const yaml = (path: string, { text, spans }: YamlText): Draft => ({ kind: "text", path, mode: 0o644, role: "site", source: "no-cloud", text, spans });
  const scriptsOf = (of: string): readonly Draft[] =>
    [...assets.keys()]
      .filter((path) => path.startsWith(`${of}/lib/`))
      .sort()
      .map((asset): Draft => ({ kind: "static", path: asset.slice(of.length + 1), mode: 0o644, role: "script", asset }));
  return [
    ...userDataDrafts([guest]),
    yaml("site/meta-data", metaData),
    yaml("site/network-config", networkConfig),
    {
      kind: "template",
      path: "site.env",
      mode: 0o644,
      role: "data",
      template: "common/site.env",
      format: "env",
      view: { ...siteView(plan), name: machine.name, host: machine.host, variables },
    },
    { kind: "template", path: "ovf/platformvm.ovf", mode: 0o644, role: "site", template: "ovf/platformvm.ovf", format: "xml", view: ovfView(plan, guest) },
    ...scriptsOf("ovf"),
    ...scriptsOf(folder),
  ];
}

/** Bytes of user-data that fit a value of guestinfo, 64 KiB as base64, even where gzip gains nothing (vm-operator #148). */
export const userDataBytes = 49_149;

export const fixed = (value: string): Val<string> => val(value, "constant:layout");
