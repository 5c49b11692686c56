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
  "platform/floating-address": { meaning: "The platform has no floating IPs.", remedy: "Write the address mode `static` or `dhcp`." },
  "platform/subnet": { meaning: "The platform knows no subnets by name.", remedy: "Leave `address.subnet` out; `ip` and `prefix` say it all." },
  "platform/network-source": { meaning: "What a network is attached to is not a name that a bridge or network card of a host can have.", remedy: "Name the bridge or card in `platform.parameters.networks`, as `ip link` shows it." },
  "platform/unknown-network": { meaning: "The platform's parameters tell of a network that is none of the external ones.", remedy: "Take it out, or correct the name." },
  "platform/gpu-addresses": { meaning: "The PlatformVM needs another number of GPUs than there are PCI addresses listed.", remedy: "List one address for each GPU in `platform.parameters.gpus`." },
  "platform/gateway": { meaning: "The IaaS gives the subnet's own gateway, not the one that the spec names.", remedy: "A warning. See that the subnet has that gateway, or leave it out." },
  "platform/floating-without-route": { meaning: "A floating IP belongs to a network that does not hold the default route, so answers may leave by another way than questions came.", remedy: "A warning. Give that network the default route." },
  "platform/internal-network": { meaning: "The CRM makes the internal network itself, from the variable MEX_NETWORK_SCHEME; the spec's addresses are not handed over.", remedy: "A warning. Set `environment.MEX_NETWORK_SCHEME` where the addresses matter." },
  "platform/no-machine": { meaning: "A VM pool without machines has none that could become the PlatformVM.", remedy: "List them in `platform.parameters.machines`." },
  "platform/machine-role": { meaning: "It is not clear which machine of the pool becomes the PlatformVM.", remedy: "Give exactly one of them `role: platform`." },
  "platform/machine-address": { meaning: "An address of the pool's machine is none, or not that of one machine: 0.0.0.0, a loopback or a multicast address.", remedy: "Write the address at which others reach the machine." },
  "platform/machine-repeated": { meaning: "Two machines of the pool have the same name, internal or external address.", remedy: "Give each its own." },
  "platform/host-key": { meaning: "A machine's host key is no public SSH key.", remedy: "Copy a line of /etc/ssh/ssh_host_*_key.pub." },
  "platform/no-effect": { meaning: "The spec says something that a machine which is there already decides for itself.", remedy: "A warning. Leave it out, and see that the machine is as wanted." },
  "platform/ssh-from-nowhere": { meaning: "The machine's firewall will let in SSH from nobody, so install.sh can't come by SSH.", remedy: "A warning. List the jump host's network in `firewall.ssh.from`, or install with `--local`." },
  "platform/gpu-unnamed": { meaning: "The spec wants GPUs, but doesn't say how the flavor offers them, so preflight can't look.", remedy: "A warning. Name the flavor's properties in `platform.parameters.extraFlavorProperties`." },
};
