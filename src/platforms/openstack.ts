/** OpenStack, Queens and later: a Heat stack of a server (two with high availability), ports, security group, payload volumes. */

import type { Assets } from "../core/assets.ts";
import type { Issue } from "../core/issue.ts";
import { novaUserDataBytes } from "../core/limits.ts";
import type { Guests } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import { userDataDrafts } from "./common-files.ts";
import type { Draft } from "./draft.ts";
import { openstackParameters } from "./openstack-parameters.ts";
import { siteVariables } from "./openstack-site.ts";
import { stackView } from "./openstack-stack.ts";
import type { Platform, Requirement } from "./platform.ts";

export const openstack: Platform = {
  name: "openstack",
  startHere: { place: "OpenStack cloud", access: "Log in to your cloud on this machine, as for its own client." },
  userDataBytes: novaUserDataBytes,
  parameterSchema: "platform-openstack.schema.json",
  requirements: requirements(),
  check,
  draft,
};

function requirements(): readonly Requirement[] {
  return [
    { what: "OpenStack Queens or later", why: "the template's version is 2018-03-02" },
    { what: "Keystone, Glance, Neutron, Nova, Cinder and Heat", why: "the stack uses all of them" },
    { what: "a project and a user who may create stacks and images in it", why: "nothing needs an administrator" },
    { what: "the `openstack` client with the Heat plug-in (python-heatclient)", why: "install.sh drives it" },
    { what: "the flavor, networks and floating IP pool that the spec names", why: "the stack makes none of them" },
    { what: "no gateway on any external network but the one with the default route", why: "the guest would have two default routes" },
    { what: "for a static address, a network of the project's own", why: "Neutron's usual policy lets nobody choose addresses on a shared one" },
    { what: "while a stack is upgraded, quota for a second PlatformVM and its volumes", why: "Heat makes the new ones before it deletes the old" },
    { what: "for high availability, two compute hosts and a Redis that both PlatformVMs reach", why: "the server group keeps the two apart; through Redis they agree who is active" },
    { what: "user-data by config drive", why: "the guest must not depend on a metadata service" },
  ];
}

/** Heat of Queens; later ones know more, but the template would not load in the older. */
const vnicTypes = ["normal", "direct", "macvtap", "direct-physical", "baremetal"];

function check(plan: Plan): readonly Issue[] {
  const { spec } = plan;
  const issues: Issue[] = [];
  const refuse = (code: Issue["code"], pointer: string, message: string, hint: string): void => {
    issues.push({ code, severity: "error", pointer, message, hint });
  };
  if (spec.deployment.value === "kubernetes") {
    refuse("platform/kubernetes", "/deployment", "OpenStack bundles run the CRM in docker; Kubernetes is not supported", "Write deployment: docker.");
  }
  const policy = openstackParameters(plan).serverGroupPolicy?.value ?? "";
  if (spec.crm.highAvailability.value && !policy.endsWith("anti-affinity")) {
    const message = `with the policy ${policy} two PlatformVMs share a host, and fail with it`;
    refuse("platform/server-group-policy", "/platform/parameters/serverGroupPolicy", message, "Write anti-affinity or soft-anti-affinity, or leave it out.");
  }
  if (plan.flavor === undefined) {
    refuse("platform/no-flavor", "/compute", "the PlatformVM has no flavor", "Name a flavor of the cloud in compute.flavor.");
  }
  if (plan.machines[0].nics.length === 0) {
    refuse("platform/no-external-network", "/networks", "the PlatformVM has no external network", "List at least one in networks.external.");
  }
  for (const [index, { vnicType }] of plan.machines[0].nics.entries()) {
    if (vnicType === undefined || vnicTypes.includes(vnicType.value)) continue;
    const pointer = `/networks/external/${index}/vnicType`;
    refuse("platform/vnic-type", pointer, `Heat of OpenStack Queens knows no vnic_type ${vnicType.value}`, `It knows ${vnicTypes.join(", ")}.`);
  }
  return [...issues, ...volumeIssues(plan), ...warnings(plan)];
}

function volumeIssues(plan: Plan): readonly Issue[] {
  const { rootVolumeGiB } = openstackParameters(plan);
  const least = Math.max(plan.vmImage.diskGiB.value, plan.need.diskGiB.value);
  if (rootVolumeGiB === undefined || rootVolumeGiB.value >= least) return [];
  return [
    {
      code: "platform/root-volume-too-small",
      severity: "error",
      pointer: "/platform/parameters/rootVolumeGiB",
      message: `the root volume has ${rootVolumeGiB.value} GiB, the PlatformVM needs ${least} GiB`,
      hint: `Give it at least ${least} GiB, or 0 for the flavor's own disk.`,
    },
  ];
}

/** What OpenStack does in its own way. */
function warnings(plan: Plan): readonly Issue[] {
  const issues: Issue[] = [];
  const warn = (code: Issue["code"], pointer: string, message: string, hint: string): void => {
    issues.push({ code, severity: "warning", pointer, message, hint });
  };
  for (const [index, { gateway, mode, defaultRoute, network }] of plan.machines[0].nics.entries()) {
    const pointer = `/networks/external/${index}`;
    if (gateway !== undefined) {
      const message = `Neutron gives the guest the subnet's own gateway; see that it is ${gateway.value}`;
      warn("platform/gateway", `${pointer}/address/gateway`, message, "Leave it out where Neutron knows it.");
    }
    if (mode.value === "floating" && !defaultRoute.value) {
      const message = `answers to the floating IP on ${network.value} leave by the default route, which is on another network`;
      warn("platform/floating-without-route", pointer, message, "Write defaultRoute: true here, or give the other network no gateway.");
    }
  }
  if (plan.spec.networks.internal !== undefined) {
    warn(
      "platform/internal-network",
      "/networks/internal/cidr",
      "on OpenStack the CRM makes the internal network; its name is handed over, its addresses are not",
      "Set environment.MEX_NETWORK_SCHEME where the addresses matter.",
    );
  }
  if (plan.need.gpus.value > 0 && openstackParameters(plan).extraFlavorProperties.length === 0) {
    warn(
      "platform/gpu-unnamed",
      "/compute/platformVm/gpus",
      "a flavor offers GPUs by its properties, and the spec names none",
      'Name them: platform.parameters.extraFlavorProperties: {"pci_passthrough:alias": "t4:1"}.',
    );
  }
  return issues;
}

function draft(plan: Plan, guests: Guests, assets: Assets): readonly Draft[] {
  const view = stackView(plan, guests);
  const file = (path: string, template: string, format: "yaml" | "markdown"): Draft & { kind: "template" } => ({
    kind: "template",
    path,
    mode: 0o644,
    role: "site",
    template: `openstack/${template}`,
    format,
    view,
  });
  const scripts = [...assets.keys()].filter((path) => path.startsWith("openstack/lib/")).sort();
  return [
    ...userDataDrafts(guests),
    file("site/heat-template.yaml", "heat-template.yaml", "yaml"),
    file("site/heat-environment.yaml", "heat-environment.yaml", "yaml"),
    { ...file("site/manifest.yaml", "manifest.yaml", "yaml"), quotes: { heatTemplate: "site/heat-template.yaml" } },
    { ...file("site/runbook.md", "runbook.md", "markdown"), role: "document" },
    {
      kind: "template",
      path: "site.env",
      mode: 0o644,
      role: "data",
      template: "common/site.env",
      format: "env",
      view: { ...view, variables: siteVariables(plan) },
    },
    ...scripts.map((asset): Draft => ({ kind: "static", path: asset.slice("openstack/".length), mode: 0o644, role: "script", asset })),
  ];
}
