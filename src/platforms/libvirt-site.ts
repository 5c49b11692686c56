/** The variables of site.env that only libvirt has. */

import { derive, val } from "../core/origin.ts";
import type { Val } from "../core/origin.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import type { LibvirtParameters } from "./libvirt-parameters.ts";
import { attachmentOf, domainUuid, libvirtParameters, nothing } from "./libvirt-parameters.ts";
import type { SiteVariable } from "./site-variables.ts";
import { countVariable, numberedVariable, secretVariables, siteVariable, yesOrNo } from "./site-variables.ts";

/** In the order in which they stand in the file. */
export function siteVariables(plan: Plan): readonly SiteVariable[] {
  const parameters = libvirtParameters(plan);
  const { nics, slots } = plan.machines[0];
  const gpuNumbers = positions(parameters.gpus);
  return [
    ...secretVariables(slots),
    countVariable("CB_NETWORK_COUNT", nics.map((nic) => nic.network)),
    ...nics.flatMap((nic) => nicVariables(parameters, nic)),
    siteVariable("CB_LV_DOMAIN", val("site/domain.xml", "constant:layout")),
    siteVariable("CB_LV_UUID", domainUuid(plan)),
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
