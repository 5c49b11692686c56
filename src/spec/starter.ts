/** A commented spec to start from. It is a valid one, so that the first `check` succeeds. */

import type { Variable } from "./property-schema.ts";
import { variablesOf } from "./property-schema.ts";

/** The text of a starter spec for a platform of the build. */
export function starterSpec(platform: string): string {
  return [HEAD, platformPart(platform), networksPart(platform), environmentPart(platform), TAIL].join("");
}

const HEAD = `# A cloudlet: where it is, which IaaS it runs in, which networks it has.
# Change what is marked with <-, then: cloudlet-bundle check FILE
# All fields: docs/reference/spec.md

apiVersion: cloudlet-bundle/v1
kind: Cloudlet

name: berlin-1                 # <- unique within the organization
organization: ExampleTel       # <- the operator
region: EU                     # <- the controller's region
location:                      # <- degrees; where the servers stand
  latitude: 52.52
  longitude: 13.405
access: restricted             # nobody outside reaches the IaaS; or: direct
dynamicIps: 8                  # <- addresses that applications may get

`;

function platformPart(platform: string): string {
  const openstack = `platform:
  type: openstack
  parameters: {}
  # parameters:
  #   availabilityZone: nova
  #   rootVolumeGiB: 40        # root volume in Cinder instead of the flavor's local disk
  #   serverGroupPolicy: soft-anti-affinity

compute:
  flavor: m1.medium            # <- at least 2 vCPU, 4096 MiB, 40 GiB

`;
  const other = `platform:
  type: ${platform}

compute:
  flavor: platform-vm          # <- at least 2 vCPU, 4096 MiB, 40 GiB

`;
  return { openstack, vmpool: VM_POOL, libvirt: KVM_HOST, vsphere: VSPHERE, vcd: VCD }[platform] ?? other;
}

const VSPHERE = `platform:
  type: vsphere
  parameters:
    version: "7.0"             # <- the oldest vSphere it has to run on: 6.7, 7.0 or 8.0
    # datacenter: DC1          # left out: the only one that there is
    cluster: compute-cluster   # <-
    datastore: vsanDatastore   # <-
    networks:
      ue-net: {portGroup: DVPG-ue} # <- the port group's name in vCenter
    # firmware: efi            # what the VM image boots with; left out: bios

compute:
  flavor: platform-vm          # <- one of MobiledgeX's; the VM gets 2 vCPU, 4096 MiB, 40 GiB unless platformVm says more

`;

const VCD = `platform:
  type: vcd
  parameters:
    url: https://vcd.example.net # <-
    org: ExampleTel            # <-
    vdc: edge-vdc              # <-
    catalog: cloudlets         # <- it is there already
    nsxType: NSX-T             # <- or NSX-V
    networks:
      ue-net: {network: ue-routed} # <- the organization's network in the virtual datacenter

compute:
  flavor: platform-vm          # <- one of MobiledgeX's; the VM gets 2 vCPU, 4096 MiB, 40 GiB unless platformVm says more

`;

/** Of vSphere: its CRM gives addresses of ranges, and has to know the switch between its VMs. */
const SWITCHES = `networks:
  external:                    # in the order of the PlatformVM's network cards
    - name: ue-net             # <- a name of yours; the parameters say what it is called in vCenter
      purpose: ue
      address:                 # <- the PlatformVM takes the first, the CRM gives the others to its VMs
        {mode: range, ranges: [203.0.113.10-203.0.113.40], prefix: 24, gateway: 203.0.113.1}
    # - name: mgmt-net         # where the PlatformVM has a network of its own
    #   purpose: management
    #   address: {mode: static, ip: 198.51.100.10, prefix: 28, gateway: 198.51.100.1}
  internal: {name: vSwitch-internal, cidr: 10.101.0.0/16} # <- the isolated switch between the cloudlet's VMs
  dns: [192.0.2.53]            # <- at most two
  # ntp: [ntp.example.net]

`;

const KVM_HOST = `platform:
  type: libvirt
  parameters:
    # storage: /srv/cloudlets  # left out: /var/lib/libvirt/images/cloudlets
    # firmware: efi            # what the VM image boots with; left out: bios
    networks:
      ue-net: {kind: bridge, source: br-ue} # <- as the host's \`ip link\` shows it; or macvtap, network
    # gpus:
    #   - address: "0000:3b:00.0"

compute:
  flavor: kvm-host             # <- a name for the size; the VM gets 2 vCPU, 4096 MiB, 40 GiB unless platformVm says more

`;

const VM_POOL = `vmPool: pool-1                 # <- the pool, as the controller knows it
platform:
  type: vmpool
  parameters:
    machines:                  # they exist already; one becomes the PlatformVM
      - name: pool-1-vm-1      # <- at least 2 vCPU, 4096 MiB, 40 GiB; systemd, and docker or podman
        internalIp: 192.0.2.11 # <-
        role: platform
        ssh: {user: root}      # <- root, or one who may sudo without a password
        # hostKeys:            # of /etc/ssh/ssh_host_*_key.pub; left out: install.sh is told
        #   - ssh-ed25519 AAAA…
      # - name: pool-1-vm-2
      #   internalIp: 192.0.2.12

`;

function networksPart(platform: string): string {
  return (platform === "vsphere" ? SWITCHES : NETWORKS) + PEOPLE;
}

const NETWORKS = `networks:
  external:                    # in the order of the PlatformVM's network cards
    - name: ue-net             # <- the mobile network's name in the IaaS
      purpose: ue
      address: {mode: dhcp}
    # - name: dmz-net
    #   purpose: internet
    #   address: {mode: static, ip: 203.0.113.10, prefix: 28, gateway: 203.0.113.1}
    #   defaultRoute: true
    # - name: inner-net
    #   purpose: management
    #   address: {mode: floating, pool: public}
  # dns: [192.0.2.53]          # at most two; left out: the networks' own
  # ntp: [ntp.example.net]

`;

const PEOPLE = `# firewall:
#   ssh:
#     from: [198.51.100.0/24]  # nobody by default

# users:
#   - name: ops
#     sshAuthorizedKeys:
#       - ssh-ed25519 AAAA… ops@example.net
#     sudo: true

`;

/** Said above, in fields. */
const ofFields: ReadonlySet<string> = new Set([
  "MEX_DATASTORE",
  "MEX_EXTERNAL_IP_RANGES",
  "MEX_EXTERNAL_NETWORK_GATEWAY",
  "MEX_EXTERNAL_NETWORK_MASK",
  "MEX_EXTERNAL_VSWITCH",
  "MEX_INTERNAL_VSWITCH",
  "MEX_CATALOG",
  "VCD_NSX_TYPE",
]);

function environmentPart(platform: string): string {
  const mandatory = [...variablesOf(platform).values()].filter(
    (each) => each.mandatory && each.group === "environment" && !ofFields.has(each.name),
  );
  if (mandatory.length === 0) {
    return `# environment:                 # variables of the CRM, by the names that the platform knows\n#   FLAVOR_MATCH_PATTERN: m1.*\n\n`;
  }
  return `environment:                   # variables of the CRM that the platform needs\n${mandatory.map((each) => `  ${each.name}: "${sample(each)}" # <- ${each.description}\n`).join("")}\n`;
}

function sample({ form }: Variable): string {
  switch (form.kind) {
    case "text":
      return "change-me";
    case "integer":
      return String(Math.min(24, form.maximum));
    case "choice":
      return form.values[0] ?? "";
    case "addresses":
      return "192.0.2.1";
  }
}

const TAIL = `# Values that travel apart from the bundle, in a file given to install.sh with --secrets.
# ACCESS_KEY is always among them.
# secrets:
#   - name: OS_PASSWORD
`;
