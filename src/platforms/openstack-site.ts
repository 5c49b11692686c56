/** The variables of site.env whose number depends on the spec, and those that only OpenStack has. */

import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import type { Slot } from "../plan/secrets.ts";
import { nicNames } from "./openstack-names.ts";
import type { Property } from "./openstack-parameters.ts";
import { notChosen, openstackParameters } from "./openstack-parameters.ts";

/** A type alias, because only these are views as well. */
export type Variable = {
  readonly name: Val<string>;
  readonly value: Val;
};

/** In the order in which they stand in the file. */
export function siteVariables(plan: Plan): readonly Variable[] {
  const parameters = openstackParameters(plan);
  return [
    count("CB_SECRET_COUNT", plan.slots.map((slot) => slot.name)),
    ...plan.slots.flatMap(slotVariables),
    count("CB_MACHINE_COUNT", plan.machines.map((machine) => machine.name)),
    ...plan.machines.flatMap(machineVariables),
    // All cards of the first machine, then all of the second.
    count("CB_NETWORK_COUNT", plan.machines.flatMap(({ nics }) => nics.map((nic) => nic.portName))),
    ...plan.machines.flatMap((machine, index) => {
      const before = plan.machines.slice(0, index).reduce((sum, { nics }) => sum + nics.length, 0);
      return machine.nics.flatMap((nic) => nicVariables(machine, nic, before));
    }),
    variable("CB_OS_TEMPLATE", val("site/heat-template.yaml", "constant:layout")),
    variable("CB_OS_ENVIRONMENT", val("site/heat-environment.yaml", "constant:layout")),
    variable("CB_OS_FLAVOR", plan.flavor ?? notChosen),
    variable("CB_OS_AVAILABILITY_ZONE", parameters.availabilityZone),
    variable("CB_OS_ROOT_VOLUME_GIB", parameters.rootVolumeGiB ?? val(0, "constant:not-chosen")),
    variable("CB_OS_SERVER_GROUP", parameters.serverGroupPolicy ?? notChosen),
    variable("CB_OS_SECURITY_GROUP", parameters.securityGroupName),
    count("CB_OS_RULE_COUNT", plan.rules.map((rule) => rule.cidr)),
    variable("CB_OS_VOLUME_TYPE", parameters.volumeType ?? notChosen),
    variable("CB_OS_KEY_NAME", parameters.keyName),
    count("CB_OS_IMAGE_PROPERTY_COUNT", parameters.imageProperties.map((property) => property.value)),
    ...assignments("CB_OS_IMAGE_PROPERTY", parameters.imageProperties),
    count("CB_OS_FLAVOR_PROPERTY_COUNT", parameters.extraFlavorProperties.map((property) => property.value)),
    ...assignments("CB_OS_FLAVOR_PROPERTY", parameters.extraFlavorProperties),
  ];
}

function slotVariables(slot: Slot): readonly Variable[] {
  const numbered = (name: string, value: Val): Variable => numberedVariable("CB_SECRET", slot.number, name, value);
  return [
    numbered("NAME", slot.name),
    numbered("PARAMETER", slot.parameter),
    numbered("REQUIRED", derive([slot.required], (required) => (required ? "yes" : "no"))),
    numbered("MAX_BYTES", slot.maxBytes),
    numbered("DESCRIPTION", slot.description),
  ];
}

function machineVariables(machine: Machine): readonly Variable[] {
  return [numberedVariable("CB_MACHINE", machine.number, "NAME", machine.name)];
}

function nicVariables(machine: Machine, nic: Nic, before: number): readonly Variable[] {
  const isFloating = nic.mode.value === "floating";
  const names = nicNames(machine, nic);
  const byMode = (value: Val<string>): Val<string> => derive([value, nic.mode], (name) => name);
  const position = derive([nic.number, machine.number], (number) => before + number);
  const numbered = (name: string, value: Val): Variable => numberedVariable("CB_NETWORK", position, name, value);
  return [
    numbered("MACHINE", machine.number),
    numbered("NAME", nic.network),
    numbered("PURPOSE", nic.purpose),
    numbered("MODE", nic.mode),
    numbered("PARAMETER", names.parameter),
    numbered("ADDRESS", nic.ip ?? notChosen),
    numbered("SUBNET", nic.subnet ?? notChosen),
    numbered("SUBNET_PARAMETER", byMode(nic.ip === undefined ? notChosen : names.subnetParameter)),
    numbered("POOL", nic.pool ?? notChosen),
    numbered("POOL_PARAMETER", byMode(isFloating ? names.poolParameter : notChosen)),
    numbered("FLOATING_IP_PARAMETER", byMode(isFloating ? names.floatingIpParameter : notChosen)),
    numbered("FLOATING_IP_ID", nic.floatingIpId ?? notChosen),
    numbered("VNIC_TYPE", nic.vnicType ?? notChosen),
    numbered("PORT_NAME", nic.portName),
  ];
}

function variable(name: string, value: Val): Variable {
  return { name: derive([value], () => name), value };
}

function numberedVariable(prefix: string, number: Val<number>, name: string, value: Val): Variable {
  return { name: derive([number], (position) => `${prefix}_${position}_${name}`), value };
}

/** Properties are sorted by name, so each one's position comes from those before it. */
function assignments(prefix: string, properties: readonly Property[]): readonly Variable[] {
  const numbers = positions(properties.map((property) => property.value));
  return properties.map((property, index) => ({
    name: derive([numbers[index] as Val<number>], (number) => `${prefix}_${number}`),
    value: derive([property.name, property.value], (key, value) => `${key}=${value}`),
  }));
}

function count(name: string, of: readonly Val[]): Variable {
  const [first, ...rest] = [...new Set(of.flatMap((each) => each.origins))].sort() as readonly Origin[];
  return variable(name, first === undefined ? val(0, "constant:not-chosen") : val(of.length, first, ...rest));
}
