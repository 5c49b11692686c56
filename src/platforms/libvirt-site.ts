/** The variables of site.env that only libvirt has. */

import { derive } from "../core/origin.ts";
import type { Val } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import type { LibvirtParameters } from "./libvirt-parameters.ts";
import { attachmentOf, domainUuid, libvirtParameters, machineFiles, nothing } from "./libvirt-parameters.ts";
import type { SiteVariable } from "./site-variables.ts";
import { countVariable, numberedVariable, secretVariables, siteVariable, yesOrNo } from "./site-variables.ts";

/** In the order in which they stand in the file. */
export function siteVariables(plan: Plan, machine: Machine): readonly SiteVariable[] {
  const parameters = libvirtParameters(plan);
  const { nics, slots } = machine;
  const gpuNumbers = positions(parameters.gpus);
  return [
    ...secretVariables(plan.slots, slots),
    countVariable("CB_NETWORK_COUNT", nics.map((nic) => nic.network)),
    ...nics.flatMap((nic) => nicVariables(parameters, nic)),
    ...machineVariables(plan, machine),
    siteVariable("CB_LV_DRIVER", parameters.driver),
    siteVariable("CB_LV_URI", parameters.uri),
    siteVariable("CB_LV_STORAGE", parameters.storage),
    siteVariable("CB_LV_MACHINE", parameters.machine),
    siteVariable("CB_LV_FIRMWARE", parameters.firmware),
    siteVariable("CB_LV_CPU", parameters.cpu),
    siteVariable("CB_LV_ROOT_DISK_GIB", parameters.rootDiskGiB),
    siteVariable("CB_LV_AUTOSTART", derive([parameters.autostart], yesOrNo)),
    siteVariable("CB_LV_EMULATION", derive([parameters.emulation], yesOrNo)),
    countVariable("CB_LV_GPU_COUNT", parameters.gpus),
    ...parameters.gpus.map((address, index) => numberedVariable("CB_LV_GPU", gpuNumbers[index] as Val<number>, "", address)),
  ];
}

/** Whose files are whose, and where there are two machines, which is the other: that one goes to another host. */
function machineVariables(plan: Plan, machine: Machine): readonly SiteVariable[] {
  const other = plan.machines.find((each) => each.number.value !== machine.number.value);
  const files = machineFiles(machine);
  return [
    siteVariable("CB_LV_ROLE", machine.role ?? nothing),
    siteVariable("CB_LV_DOMAIN", files.domain),
    siteVariable("CB_LV_USER_DATA", files.userData),
    siteVariable("CB_LV_META_DATA", files.metaData),
    siteVariable("CB_LV_NETWORK_CONFIG", files.networkConfig),
    siteVariable("CB_LV_UUID", domainUuid(plan, machine)),
    siteVariable("CB_LV_OTHER_NAME", other?.name ?? nothing),
    siteVariable("CB_LV_OTHER_UUID", other === undefined ? nothing : domainUuid(plan, other)),
  ];
}

function nicVariables(parameters: LibvirtParameters, nic: Nic): readonly SiteVariable[] {
  const { kind, source } = attachmentOf(parameters, nic);
  const numbered = (name: string, value: Val): SiteVariable => numberedVariable("CB_NETWORK", nic.number, name, value);
  return [
    numbered("NAME", nic.network),
    numbered("PURPOSE", nic.purpose),
    numbered("MODE", nic.mode),
    numbered("ADDRESS", nic.ip ?? nothing),
    numbered("MAC", nic.mac),
    numbered("MTU", nic.mtu ?? nothing),
    numbered("KIND", kind),
    numbered("SOURCE", source),
  ];
}
