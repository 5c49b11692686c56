/** The variables of site.env whose number depends on the spec, and those that only OpenStack has. */

import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { Slot } from "../plan/secrets.ts";
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
    ...plan.slots.flatMap((slot, index) => slotVariables(slot, `CB_SECRET_${index + 1}`)),
    count("CB_NETWORK_COUNT", plan.nics.map((nic) => nic.network)),
    ...plan.nics.flatMap((nic, index) => nicVariables(nic, `CB_NETWORK_${index + 1}`)),
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
    ...parameters.imageProperties.map((property, index) => assignment(`CB_OS_IMAGE_PROPERTY_${index + 1}`, property)),
    count("CB_OS_FLAVOR_PROPERTY_COUNT", parameters.extraFlavorProperties.map((property) => property.value)),
    ...parameters.extraFlavorProperties.map((property, index) => assignment(`CB_OS_FLAVOR_PROPERTY_${index + 1}`, property)),
  ];
}

function slotVariables(slot: Slot, prefix: string): readonly Variable[] {
  return [
    variable(`${prefix}_NAME`, slot.name),
    variable(`${prefix}_PARAMETER`, slot.parameter),
    variable(`${prefix}_REQUIRED`, derive([slot.required], (required) => (required ? "yes" : "no"))),
    variable(`${prefix}_MAX_BYTES`, slot.maxBytes),
    variable(`${prefix}_DESCRIPTION`, slot.description),
  ];
}

function nicVariables(nic: Nic, prefix: string): readonly Variable[] {
  const isFloating = nic.mode.value === "floating";
  const numbered = (name: string): Val<string> => derive([nic.number], (number) => `${name}_${number}`);
  return [
    variable(`${prefix}_NAME`, nic.network),
    variable(`${prefix}_PURPOSE`, nic.purpose),
    variable(`${prefix}_MODE`, nic.mode),
    variable(`${prefix}_PARAMETER`, numbered("external_network")),
    variable(`${prefix}_ADDRESS`, nic.ip ?? notChosen),
    variable(`${prefix}_SUBNET`, nic.subnet ?? notChosen),
    variable(`${prefix}_POOL`, nic.pool ?? notChosen),
    variable(`${prefix}_POOL_PARAMETER`, isFloating ? numbered("floating_network") : notChosen),
    variable(`${prefix}_FLOATING_IP_PARAMETER`, isFloating ? numbered("floating_ip_id") : notChosen),
    variable(`${prefix}_FLOATING_IP_ID`, nic.floatingIpId ?? notChosen),
    variable(`${prefix}_VNIC_TYPE`, nic.vnicType ?? notChosen),
    variable(`${prefix}_PORT_NAME`, nic.portName),
  ];
}

function variable(name: string, value: Val): Variable {
  return { name: derive([value], () => name), value };
}

function count(name: string, of: readonly Val[]): Variable {
  const [first, ...rest] = [...new Set(of.flatMap((each) => each.origins))].sort() as readonly Origin[];
  return variable(name, first === undefined ? val(0, "constant:not-chosen") : val(of.length, first, ...rest));
}

function assignment(name: string, property: { readonly name: Val<string>; readonly value: Val<string> }): Variable {
  return variable(name, derive([property.name, property.value], (key, value) => `${key}=${value}`));
}
