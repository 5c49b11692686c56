/** The view of the Heat template and of what is told about it: environment, runbook, manifest. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest, Guests } from "../guest/guest.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic, Rule } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { Slot } from "../plan/secrets.ts";
import type { View } from "./draft.ts";
import { machineName, nicNames } from "./openstack-names.ts";
import type { Property } from "./openstack-parameters.ts";
import { notChosen, openstackParameters } from "./openstack-parameters.ts";
import { siteView } from "./site-variables.ts";

export function stackView(plan: Plan, guests: Guests): View {
  const parameters = openstackParameters(plan);
  const { spec, names } = plan;
  const [{ nics }] = plan.machines;
  const defaultRoute = nics.find((nic) => nic.defaultRoute.value) ?? nics[0];
  const machines = guests.map((guest, index) => ({ ...machineView(guest, parameters.serverMetadata), after: serverBefore(guests, index) }));
  return {
    ...siteView(plan),
    name: names.platformVm,
    host: plan.machines[0].host,
    flavor: plan.flavor ?? notChosen,
    flavorProperties: parameters.extraFlavorProperties.map(assignment),
    vmImage: { ...plan.vmImage, properties: parameters.imageProperties.map(assignment) },
    keyName: parameters.keyName,
    availabilityZone: parameters.availabilityZone,
    volumeType: parameters.volumeType,
    rootVolumeGiB: parameters.rootVolumeGiB,
    bootsFromVolume: parameters.bootsFromVolume,
    serverGroupPolicy: parameters.serverGroupPolicy,
    isPair: spec.crm.highAvailability,
    securityGroup: parameters.securityGroupName,
    rules: plan.rules.map(ruleView),
    networks: nics.map((nic, index) => networkView(plan, nic, index)),
    // A floating IP's network has a router, and with it a gateway.
    otherNetworks: nics.filter((nic) => nic !== defaultRoute && nic.mode.value !== "floating").map((nic) => ({ network: derive([nic.network, nic.mode, ...(defaultRoute === undefined ? [] : [defaultRoute.defaultRoute])], (name) => name) })),
    defaultRouteNetwork: defaultRoute === undefined ? undefined : derive([defaultRoute.network, defaultRoute.defaultRoute], (name) => name),
    secrets: plan.slots.map(slotView),
    machines,
    // Of all machines, as the outputs list them.
    ports: machines.flatMap((machine) => machine.cards),
    floatingIps: machines.flatMap((machine) => machine.cards.flatMap((card) => (card.floating === undefined ? [] : [card.floating]))),
  };
}

/** Undefined for the first. */
function serverBefore(guests: Guests, index: number): Val<string> | undefined {
  const before = guests[index - 1];
  return before === undefined ? undefined : machineName(before.machine, "server");
}

/** What one PlatformVM is made of: its names in the template, its cards, its secrets, what it is told. */
function machineView(guest: Guest, metadata: readonly Property[]) {
  const { machine, userData } = guest;
  return {
    number: machine.number,
    name: machine.name,
    server: machineName(machine, "server"),
    generation: machineName(machine, "generation"),
    rootVolume: machineName(machine, "root_volume"),
    payloadVolume: machineName(machine, "payload_volume"),
    cards: machine.nics.map((nic) => cardView(machine, nic)),
    secrets: machine.slots.map(slotView),
    metadata: [...guest.properties, ...metadata],
    userData: userData.lines,
    userDataSha256: userData.sha256,
  };
}

/** A network that the PlatformVMs are on: what the site may choose about it. */
function networkView(plan: Plan, nic: Nic, index: number): View {
  const names = nicNames(plan.machines[0], nic);
  const all = plan.machines.map((machine) => cardView(machine, machine.nics[index] as Nic));
  return {
    number: nic.number,
    network: nic.network,
    purpose: nic.purpose,
    mode: nic.mode,
    parameter: names.parameter,
    fixed: all[0]?.fixed,
    addresses: all.flatMap(({ fixed }) => (fixed === undefined ? [] : [{ ip: fixed.ip }])),
    floating:
      nic.mode.value === "floating"
        ? { pool: nic.pool as Val<string>, poolParameter: names.poolParameter, ids: all.flatMap(({ floating }) => floating ?? []) }
        : undefined,
  };
}

/** As the client's `--property` takes it. */
function assignment(property: Property): View {
  return { assignment: derive([property.name, property.value], (name, value) => `${name}=${value}`) };
}

function cardView(machine: Machine, nic: Nic) {
  const names = nicNames(machine, nic);
  return {
    server: machine.name,
    number: nic.number,
    purpose: nic.purpose,
    mode: nic.mode,
    parameter: names.parameter,
    port: names.port,
    portName: nic.portName,
    macPlaceholder: nic.mac,
    vnicType: nic.vnicType,
    fixed:
      nic.ip === undefined
        ? undefined
        : {
            ip: nic.ip,
            subnet: nic.subnet ?? notChosen,
            parameter: names.subnetParameter,
            isNamed: derive([nic.number], (number) => `names_subnet_${number}`),
          },
    floating:
      nic.mode.value === "floating"
        ? {
            poolParameter: names.poolParameter,
            id: nic.floatingIpId ?? notChosen,
            idParameter: names.floatingIpParameter,
            isOurs: names.makesFloatingIp,
            resource: names.floatingIp,
            association: names.association,
            port: names.port,
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
