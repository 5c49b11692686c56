/** A release: which VM image, which containers, which controller. `schemas/release.schema.json` describes what is written. */

import type { Digest } from "../core/digest.ts";

export interface Release {
  readonly apiVersion: "cloudlet-bundle/v1";
  readonly kind: "Release";
  /** Part of the bundle's file name: `^[0-9A-Za-z][0-9A-Za-z._-]{0,62}$`. */
  readonly name: string;
  /** Grows with each release; an upgrade goes to a higher one. */
  readonly sequence: number;
  /** RFC 3339, UTC, whole seconds; every time in a bundle is this one. */
  readonly created: string;
  /** Who put the release together and answers for it; the SBOMs name them. */
  readonly supplier?: { readonly name: string; readonly contact: string };
  readonly vmImage: {
    /** Base name in the IaaS, such as mobiledgex-v5.0.0. */
    readonly name: string;
    readonly version: string;
    readonly format: "qcow2" | "raw" | "vmdk";
    /** A path relative to the release file, or an http(s) URL. */
    readonly source: string;
    readonly digest: Digest;
    /** Bytes; a longer answer is refused while it arrives. */
    readonly sizeLimit: number;
    readonly minDiskGiB: number;
    readonly minMemoryMiB: number;
    /** The packages that are installed in it, as a file that came with it tells. */
    readonly packageList?: {
      /** A path relative to the release file. */
      readonly source: string;
      readonly digest: Digest;
      readonly type: "apk" | "deb" | "rpm";
      readonly system: { readonly id: string; readonly version: string };
    };
  };
  /** By role; crmserver is mandatory. */
  readonly containers: readonly ReleaseContainer[];
  readonly controller: {
    /** host:port, as crmserver's --notifyAddrs. */
    readonly notifyAddresses: readonly string[];
    readonly accessApiAddress: string;
    readonly deploymentTag: string;
    readonly appDnsRoot: string;
    readonly containerVersion: string;
    readonly thanosReceiveAddress?: string;
    readonly commercialCerts: boolean;
    readonly useVaultPki: boolean;
    /** Variables of every CRM of this release, such as JAEGER_ENDPOINT. */
    readonly environment: Readonly<Record<string, string>>;
  };
}

export interface ReleaseContainer {
  readonly role: "crmserver" | "shepherd" | "prometheus";
  /** The name it gets in the guest, such as mobiledgex/edge-cloud-crm:2026-11. */
  readonly image: string;
  /** `docker-archive:PATH`, `oci-archive:PATH` or `oci:PATH`, relative to the release file, or `docker://HOST/REPOSITORY:TAG`. */
  readonly source: string;
  /** The image ID: digest of the image's config. */
  readonly digest: Digest;
  /** How the guest sees that it is well; left out: that it runs and goes on running. */
  readonly health?: { readonly port: number; readonly path?: string };
}
