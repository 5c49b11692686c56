/** Every code of an issue that plan, guest or a platform finds: what it means and what to do. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** In the order in which a bundle is planned. Codes are never renamed. */
export const PLAN_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "plan/container-version": { meaning: "The spec insists on a container version that the release doesn't have.", remedy: "Take a release of that version, or leave `versions.container` out." },
  "plan/vm-image-version": { meaning: "The spec insists on a VM image version that the release doesn't have.", remedy: "Take a release of that version, or leave `versions.vmImage` out." },
  "plan/lock-differs": { meaning: "The lock answers another release than the one given.", remedy: "Make the lock again: `cloudlet-bundle lock`." },
  "plan/reserved-text": { meaning: "A text holds `@@CLOUDLET-`, by which user-data marks what only the site knows.", remedy: "Write it otherwise." },
  "plan/image-does-not-fit": { meaning: "The VM image needs more disk or memory than the spec gives the PlatformVM.", remedy: "Raise `compute.platformVm`, and take a flavor that offers it." },
  "plan/tenant-too-small": { meaning: "The tenant has less of something than the PlatformVM, which runs in it.", remedy: "Raise `compute.tenant`: it is what is set aside for the whole cloudlet." },
  "plan/name-too-long": { meaning: "A name made of the cloudlet's and the organization's is longer than an IaaS holds.", remedy: "Choose a shorter name." },
  "plan/name-not-unique": { meaning: "Spaces and `& , !` are dropped from the PlatformVM's name, so another cloudlet could get the same one.", remedy: "A warning. Don't install two cloudlets whose names differ in these characters only in one project." },
  "guest/path-taken": { meaning: "Two secrets, or a secret and a file of the guest's own, would be written to one path.", remedy: "Give the secret a path of its own." },
  "guest/user-data-too-long": { meaning: "With every secret at its longest, user-data is longer than the IaaS takes.", remedy: "Lower `maxBytes` of the secrets, or list fewer certificates, users and keys." },
  "platform/kubernetes": { meaning: "The platform can't run the CRM in Kubernetes.", remedy: "Write `deployment: docker`." },
  "platform/high-availability": { meaning: "The platform can't run two CRMs.", remedy: "Write `crm.highAvailability: false`." },
  "platform/no-flavor": { meaning: "Without a flavor there is no PlatformVM to describe.", remedy: "Name the flavor in `compute.flavor`." },
  "platform/no-external-network": { meaning: "Without an external network the PlatformVM reaches nobody.", remedy: "List at least one network in `networks.external`." },
  "platform/vnic-type": { meaning: "The platform has no such kind of virtual network card.", remedy: "Take one of those that the message names." },
  "platform/root-volume-too-small": { meaning: "The root volume is smaller than the VM image or than the disk that the spec gives the PlatformVM.", remedy: "Raise `rootVolumeGiB`, or write 0 for the flavor's own disk." },
  "platform/gateway": { meaning: "The IaaS gives the subnet's own gateway, not the one that the spec names.", remedy: "A warning. See that the subnet has that gateway, or leave it out." },
  "platform/floating-without-route": { meaning: "A floating IP belongs to a network that does not hold the default route, so answers may leave by another way than questions came.", remedy: "A warning. Give that network the default route." },
  "platform/internal-network": { meaning: "The CRM makes the internal network itself, from the variable MEX_NETWORK_SCHEME; the spec's addresses are not handed over.", remedy: "A warning. Set `environment.MEX_NETWORK_SCHEME` where the addresses matter." },
  "platform/gpu-unnamed": { meaning: "The spec wants GPUs, but doesn't say how the flavor offers them, so preflight can't look.", remedy: "A warning. Name the flavor's properties in `platform.parameters.extraFlavorProperties`." },
};
