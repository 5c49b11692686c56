/** A cloudlet spec after reading: validated, defaults filled in. `schemas/cloudlet.schema.json` describes what a user writes. */

import type { JsonObject } from "../core/json.ts";

export interface Spec {
  readonly apiVersion: "cloudlet-bundle/v1";
  readonly kind: "Cloudlet";
  readonly name: string;
  readonly organization: string;
  readonly region: string;
  readonly federatedOrganization?: string;
  /** Default: the cloudlet's name. */
  readonly physicalName: string;
  /** Degrees (WGS 84); altitude in metres. */
  readonly location: { readonly latitude: number; readonly longitude: number; readonly altitude?: number };
  readonly access: "restricted" | "direct";
  readonly ipSupport: "dynamic";
  readonly dynamicIps: number;
  readonly deployment: "docker" | "kubernetes";
  readonly versions: {
    readonly container?: string;
    readonly vmImage?: string;
    readonly overridePolicyContainerVersion: boolean;
  };
  /** `parameters` obey the platform's own schema (`schemas/platform-<type>.schema.json`), defaults filled in. */
  readonly platform: { readonly type: string; readonly parameters: JsonObject };
  readonly compute: {
    /** The IaaS flavor of the PlatformVM; mandatory when Restricted. */
    readonly flavor?: string;
    readonly platformVm: Resources;
    readonly tenant: Resources;
  };
  readonly networks: {
    /** In the order of the PlatformVM's NICs. */
    readonly external: readonly ExternalNetwork[];
    readonly internal?: { readonly name: string; readonly cidr: string };
    readonly dns: readonly string[];
    readonly ntp: readonly string[];
  };
  readonly firewall: {
    /** SSH to the PlatformVM is allowed from these CIDRs only; none by default. */
    readonly ssh: { readonly from: readonly string[] };
    readonly ingress: readonly FirewallRule[];
    readonly egress: readonly FirewallRule[];
  };
  readonly users: readonly { readonly name: string; readonly sshAuthorizedKeys: readonly string[]; readonly sudo: boolean }[];
  readonly trust: {
    /** PEM certificates that the guest trusts besides the image's own. */
    readonly caCertificates: readonly string[];
    /** Public keys of SSH certificate authorities (TrustedUserCAKeys). */
    readonly sshUserCaKeys: readonly string[];
  };
  readonly policies: {
    readonly trustPolicy?: string;
    readonly quotas: readonly { readonly name: string; readonly value: number; readonly alertThreshold?: number }[];
    readonly defaultAlertThreshold: number;
    readonly allianceOrganizations: readonly string[];
    readonly singleKubernetesClusterOwner?: string;
    readonly defaultServerlessCluster: boolean;
    readonly maintenance: "normal" | "start" | "start-no-failover";
    /** Seconds; 0 leaves it to the controller. */
    readonly timeLimits: Readonly<Record<string, number>>;
  };
  /** The password is a secret slot. */
  readonly kafka?: { readonly cluster: string; readonly user?: string };
  readonly gpu?: {
    readonly driver: { readonly name: string; readonly organization: string };
    readonly properties: Readonly<Record<string, string>>;
    readonly licenseConfigMd5?: string;
  };
  readonly resourceTags: Readonly<Record<string, { readonly name: string; readonly organization: string }>>;
  readonly vmPool?: string;
  readonly crm: {
    /** Two PlatformVMs. */
    readonly highAvailability: boolean;
    readonly notifySrvAddr: string;
    /** Where two CRMs agree who is the active one; with highAvailability only, and then always. */
    readonly redisAddress?: string;
  };
  /** Variables of the CRM, without the secret ones. */
  readonly environment: Readonly<Record<string, string>>;
  /** Values that travel apart from the bundle. */
  readonly secrets: readonly SecretSlot[];
  readonly audit: { readonly waivers: readonly Waiver[] };
}

/** What an audit rule finds and somebody has let pass. */
export interface Waiver {
  /** Id of the rule. */
  readonly rule: string;
  readonly reason: string;
  /** The last day on which it holds, in UTC: 2027-06-30. */
  readonly expires: string;
  /** A field of the spec, as a pointer, or a file of the bundle; left out, wherever the rule finds something. */
  readonly place?: string;
}

export interface Resources {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly gpus: number;
}

export interface ExternalNetwork {
  /** Name or id of the network in the IaaS. */
  readonly name: string;
  readonly purpose: "ue" | "internet" | "management";
  readonly address: NetworkAddress;
  /** Bytes; absent leaves it to the network. */
  readonly mtu?: number;
  /** Exactly one external network holds the default route: the first unless said otherwise. */
  readonly defaultRoute: boolean;
  /** `binding:vnic_type` of Neutron; a platform without such a thing refuses it by name. */
  readonly vnicType?: "normal" | "direct" | "direct-physical" | "macvtap" | "vdpa" | "virtio-forwarder" | "baremetal" | "remote-managed" | "accelerator-direct" | "accelerator-direct-physical" | "smart-nic";
}

export type NetworkAddress =
  | { readonly mode: "dhcp" }
  | { readonly mode: "static"; readonly ip: string; readonly secondaryIp?: string; readonly prefix: number; readonly gateway?: string; readonly subnet?: string }
  /** The PlatformVM takes the first address of the ranges, the CRM gives the others to its VMs. */
  | { readonly mode: "range"; readonly ranges: readonly string[]; readonly prefix: number; readonly gateway?: string }
  /** A port on `name` and a floating IP of `pool` (an external network) associated with it. */
  | { readonly mode: "floating"; readonly pool: string; readonly floatingIpId?: string; readonly secondaryFloatingIpId?: string };

export interface FirewallRule {
  readonly protocol: "tcp" | "udp" | "icmp" | "any";
  readonly ports?: { readonly from: number; readonly to: number };
  readonly cidr: string;
  readonly description?: string;
}

/** Where a secret's value goes in the guest. Its value is never in a spec, release, lock or bundle. */
export interface SecretSlot {
  /** `^[A-Z][A-Z0-9_]{0,62}$`; ACCESS_KEY and the slots made of secret variables are added by `spec`. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Most bytes its value may have; counts into the user-data limit. */
  readonly maxBytes: number;
  readonly target: { readonly kind: "file"; readonly path: string } | { readonly kind: "environment"; readonly name: string };
}
