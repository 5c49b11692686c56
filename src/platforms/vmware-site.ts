/** The variables of site.env that vSphere and vCloud Director share, and those that only one of them has. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import { ovfNetworkNames } from "./ovf.ts";
import type { SiteVariable } from "./site-variables.ts";
import { listVariables, secretVariables, siteVariable, yesOrNo } from "./site-variables.ts";
import type { VmwareParameters } from "./vmware-parameters.ts";
import { nothing, siteNetworkOf, vcdParameters, vsphereParameters } from "./vmware-parameters.ts";

/** In the order in which they stand in the file. */
export function vsphereVariables(plan: Plan): readonly SiteVariable[] {
  const parameters = vsphereParameters(plan);
  return [
    ...sharedVariables(plan, parameters),
    siteVariable("CB_VS_DATACENTER", parameters.datacenter ?? nothing),
    siteVariable("CB_VS_CLUSTER", parameters.cluster),
    siteVariable("CB_VS_DATASTORE", parameters.datastore),
    siteVariable("CB_VS_FOLDER", parameters.folder ?? nothing),
    siteVariable("CB_VS_RESOURCE_POOL", parameters.resourcePool ?? nothing),
    siteVariable("CB_VS_PROVISIONING", parameters.diskProvisioning),
    siteVariable("CB_VS_TAGS", derive([parameters.tags], yesOrNo)),
    siteVariable("CB_VS_FLAVOR", plan.flavor ?? nothing),
  ];
}

/** In the order in which they stand in the file. */
export function vcdVariables(plan: Plan): readonly SiteVariable[] {
  const parameters = vcdParameters(plan);
  return [
    ...sharedVariables(plan, parameters),
    siteVariable("CB_VCD_URL", parameters.url ?? nothing),
    siteVariable("CB_VCD_ORG", parameters.org ?? nothing),
    siteVariable("CB_VCD_VDC", parameters.vdc ?? nothing),
    siteVariable("CB_VCD_CATALOG", parameters.catalog),
    siteVariable("CB_VCD_STORAGE_PROFILE", parameters.storageProfile ?? nothing),
  ];
}

function sharedVariables(plan: Plan, parameters: VmwareParameters): readonly SiteVariable[] {
  const [machine] = plan.machines;
  const { disks } = plan;
  const ovfNames = ovfNetworkNames(machine.nics);
  if (disks === undefined) throw new Error("a plan for VMware without VMDKs");
  const fixed = (name: string, value: string): SiteVariable => siteVariable(name, val(value, "constant:layout"));
  return [
    ...secretVariables(plan.slots, machine.slots),
    ...listVariables("CB_NETWORK", machine.nics, (nic) => nic.network, (nic) => nicFields(plan, nic, ovfNames[machine.nics.indexOf(nic)] as Val<string>)),
    fixed("CB_OVF_FILE", "ovf/platformvm.ovf"),
    fixed("CB_OVF_MANIFEST", "ovf/platformvm.mf"),
    fixed("CB_USER_DATA", "site/user-data"),
    fixed("CB_META_DATA", "site/meta-data"),
    fixed("CB_NETWORK_CONFIG", "site/network-config"),
    siteVariable("CB_OVF_VM_IMAGE_FILE", disks.vmImage.file),
    siteVariable("CB_OVF_VM_IMAGE_SIZE", disks.vmImage.size),
    siteVariable("CB_OVF_VM_IMAGE_CAPACITY", disks.vmImage.capacity),
    siteVariable("CB_OVF_VM_IMAGE_POPULATED", disks.vmImage.populated),
    siteVariable("CB_OVF_PAYLOAD_FILE", disks.payload.file),
    siteVariable("CB_OVF_PAYLOAD_SIZE", disks.payload.size),
    siteVariable("CB_OVF_PAYLOAD_CAPACITY", disks.payload.capacity),
    siteVariable("CB_OVF_PAYLOAD_POPULATED", disks.payload.populated),
    siteVariable("CB_OVF_ROOT_DISK_GIB", parameters.rootDiskGiB),
    siteVariable("CB_OVF_VERSION", parameters.version),
  ];
}

function nicFields(plan: Plan, nic: Nic, ovfName: Val<string>): Readonly<Record<string, Val>> {
  return {
    NAME: nic.network,
    PURPOSE: nic.purpose,
    OVF_NAME: ovfName,
    SITE_NAME: siteNetworkOf(plan, nic),
    MODE: nic.mode,
    ADDRESS: nic.ip ?? nothing,
    PREFIX: nic.prefix ?? nothing,
    GATEWAY: nic.gateway ?? nothing,
    OTHER_ADDRESSES: nic.otherAddresses ?? nothing,
    DEFAULT_ROUTE: derive([nic.defaultRoute], yesOrNo),
  };
}
