/** The view of the Heat template and of what is told about it: environment, runbook, manifest. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { Nic, Rule } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { Slot } from "../plan/secrets.ts";
import type { View } from "./draft.ts";
import type { Property } from "./openstack-parameters.ts";
import { notChosen, openstackParameters } from "./openstack-parameters.ts";

export function stackView(plan: Plan, guest: Guest): View {
  const parameters = openstackParameters(plan);
  const { spec, release, names } = plan;
  const floating = plan.machines[0].nics.filter((nic) => nic.mode.value === "floating");
  const [firstNic] = plan.machines[0].nics;
  const defaultRoute = plan.machines[0].nics.find((nic) => nic.defaultRoute.value) ?? firstNic;
  return {
    cloudlet: spec.name,
    organization: spec.organization,
    region: spec.region,
    release: release.name,
    sequence: release.sequence,
    created: release.created,
    createdSeconds: plan.createdSeconds,
    name: names.platformVm,
    host: plan.machines[0].host,
    platform: spec.platform.type,
    flavor: plan.flavor ?? notChosen,
    need: plan.need,
    tenant: plan.tenant,
    flavorProperties: parameters.extraFlavorProperties.map(assignment),
    vmImage: { ...plan.vmImage, properties: parameters.imageProperties.map(assignment) },
    payload: { ...plan.payload },
    keyName: parameters.keyName,
    availabilityZone: parameters.availabilityZone,
    volumeType: parameters.volumeType,
    rootVolumeGiB: parameters.rootVolumeGiB,
    serverGroupPolicy: parameters.serverGroupPolicy,
    securityGroup: parameters.securityGroupName,
    rules: plan.rules.map(ruleView),
    networks: plan.machines[0].nics.map(nicView),
    floatingNetworks: floating.map(nicView),
    // A floating IP's network has a router, and with it a gateway.
    otherNetworks: plan.machines[0].nics.filter((nic) => nic !== defaultRoute && nic.mode.value !== "floating").map(nicView),
    defaultRouteNetwork: defaultRoute?.network,
    secrets: plan.slots.map(slotView),
    metadata: [...guest.properties, ...parameters.serverMetadata],
    userData: guest.userData.lines,
    userDataSha256: guest.userData.sha256,
  };
}

/** As the client's `--property` takes it. */
function assignment(property: Property): View {
  return { assignment: derive([property.name, property.value], (name, value) => `${name}=${value}`) };
}

function nicView(nic: Nic): View {
  const numbered = (name: string): Val<string> => derive([nic.number], (number) => `${name}_${number}`);
  const isFloating = nic.mode.value === "floating";
  return {
    number: nic.number,
    network: nic.network,
    purpose: nic.purpose,
    mode: nic.mode,
    parameter: numbered("external_network"),
    port: numbered("port"),
    portName: nic.portName,
    macPlaceholder: nic.mac,
    vnicType: nic.vnicType,
    fixed:
      nic.ip === undefined
        ? undefined
        : { ip: nic.ip, subnet: nic.subnet ?? notChosen, parameter: numbered("subnet"), isNamed: numbered("names_subnet") },
    floating: isFloating
      ? {
          pool: nic.pool as Val<string>,
          poolParameter: numbered("floating_network"),
          id: nic.floatingIpId ?? notChosen,
          idParameter: numbered("floating_ip_id"),
          isOurs: numbered("makes_floating_ip"),
          resource: numbered("floating_ip"),
          association: numbered("floating_ip_association"),
        }
      : undefined,
  };
}

function ruleView(rule: Rule): View {
  const { protocol, family } = rule;
  const isAny = protocol.value === "any";
  // Neutron's name of ICMP for IPv6; `icmp` there would be the IPv4 one.
  const named = derive([protocol, family], (name, of) => (name === "icmp" && of === "IPv6" ? "ipv6-icmp" : name));
  return {
    direction: rule.direction,
    family,
    protocol: isAny ? undefined : named,
    ports: rule.from === undefined || rule.to === undefined ? undefined : { from: rule.from, to: rule.to },
    cidr: rule.cidr,
    description: rule.description.value === "" ? undefined : rule.description,
  };
}

function slotView(slot: Slot): View {
  return {
    name: slot.name,
    parameter: slot.parameter,
    placeholder: slot.placeholder,
    description: slot.description,
    required: slot.required,
    maxBytes: slot.maxBytes,
    maxEncoded: slot.maxEncoded,
    optional: val(!slot.required.value, ...slot.required.origins),
  };
}
