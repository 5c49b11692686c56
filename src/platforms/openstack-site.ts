/** The variables of site.env that only OpenStack has. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import { nicNames } from "./openstack-names.ts";
import type { Property } from "./openstack-parameters.ts";
import { notChosen, openstackParameters } from "./openstack-parameters.ts";
import type { SiteVariable } from "./site-variables.ts";
import { countVariable, listVariables, numberedVariable, secretVariables, siteVariable } from "./site-variables.ts";

/** In the order in which they stand in the file. */
export function siteVariables(plan: Plan): readonly SiteVariable[] {
  const parameters = openstackParameters(plan);
  return [
    ...secretVariables(plan.slots, plan.slots, (slot) => ({ PARAMETER: slot.parameter })),
    ...listVariables("CB_MACHINE", plan.machines, (machine) => machine.name, (machine) => ({ NAME: machine.name })),
    // All cards of the first machine, then all of the second.
    countVariable("CB_NETWORK_COUNT", plan.machines.flatMap(({ nics }) => nics.map((nic) => nic.portName))),
    ...plan.machines.flatMap((machine, index) => {
      const before = plan.machines.slice(0, index).reduce((sum, { nics }) => sum + nics.length, 0);
      return machine.nics.flatMap((nic) => nicVariables(machine, nic, before));
    }),
    siteVariable("CB_OS_TEMPLATE", val("site/heat-template.yaml", "constant:layout")),
    siteVariable("CB_OS_ENVIRONMENT", val("site/heat-environment.yaml", "constant:layout")),
    siteVariable("CB_OS_FLAVOR", plan.flavor ?? notChosen),
    siteVariable("CB_OS_AVAILABILITY_ZONE", parameters.availabilityZone),
    siteVariable("CB_OS_ROOT_VOLUME_GIB", parameters.rootVolumeGiB ?? val(0, "constant:not-chosen")),
    siteVariable("CB_OS_SERVER_GROUP", parameters.serverGroupPolicy ?? notChosen),
    siteVariable("CB_OS_SECURITY_GROUP", parameters.securityGroupName),
    countVariable("CB_OS_RULE_COUNT", plan.rules.map((rule) => rule.cidr)),
    siteVariable("CB_OS_VOLUME_TYPE", parameters.volumeType ?? notChosen),
    siteVariable("CB_OS_KEY_NAME", parameters.keyName),
    countVariable("CB_OS_IMAGE_PROPERTY_COUNT", parameters.imageProperties.map((property) => property.value)),
    ...assignments("CB_OS_IMAGE_PROPERTY", parameters.imageProperties),
    countVariable("CB_OS_FLAVOR_PROPERTY_COUNT", parameters.extraFlavorProperties.map((property) => property.value)),
    ...assignments("CB_OS_FLAVOR_PROPERTY", parameters.extraFlavorProperties),
  ];
}

function nicVariables(machine: Machine, nic: Nic, before: number): readonly SiteVariable[] {
  const isFloating = nic.mode.value === "floating";
  const names = nicNames(machine, nic);
  const byMode = (value: Val<string>): Val<string> => derive([value, nic.mode], (name) => name);
  const position = derive([nic.number, machine.number], (number) => before + number);
  const numbered = (name: string, value: Val): SiteVariable => numberedVariable("CB_NETWORK", position, name, value);
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

/** Properties are sorted by name, so each one's position comes from those before it. */
function assignments(prefix: string, properties: readonly Property[]): readonly SiteVariable[] {
  const numbers = positions(properties.map((property) => property.value));
  return properties.map((property, index) => ({
    name: derive([numbers[index] as Val<number>], (number) => `${prefix}_${number}`),
    value: derive([property.name, property.value], (key, value) => `${key}=${value}`),
  }));
}
