/** What the outside world answered when a release was resolved. With it a bundle is made without asking anybody. */

import type { Digest } from "../core/digest.ts";

export interface Lock {
  readonly apiVersion: "cloudlet-bundle/v1";
  readonly kind: "Lock";
  /** The release this lock answers: its name, and the digest of its canonical JSON. */
  readonly release: { readonly name: string; readonly digest: Digest };
  readonly vmImage: LockedBlob & {
    readonly format: "qcow2" | "raw" | "vmdk";
    /** What the guest sees; bytes. */
    readonly virtualSize: number;
    /** What is installed in it; left out where the release names no list and its own files don't tell. */
    readonly software?: {
      /** Out of its own file system. Left out where it is the list that the release names. */
      readonly from?: "image";
      /** Always there with a list. */
      readonly system?: { readonly id: string; readonly version?: string };
      readonly packages: readonly LockedPackage[];
    };
  };
  readonly containers: readonly LockedContainer[];
  /** The archive made of the containers, as `src/pack/payload.ts` lays it out. */
  readonly payload: LockedBlob;
  /** Both disks as streamOptimized VMDK, for hypervisors that take no other: only where they were asked for. */
  readonly vmdk?: { readonly vmImage: LockedDisk; readonly payload: LockedDisk };
}

export interface LockedDisk extends LockedBlob {
  /** 40 hexadecimal digits; OVF manifests for older tools hold it. */
  readonly sha1: string;
  /** What the guest sees; bytes, whole MiB for the payload. */
  readonly capacity: number;
  /** Bytes of the grains that are there: ovf:populatedSize. */
  readonly populated: number;
}

export interface LockedBlob {
  readonly digest: Digest;
  /** 128 hexadecimal digits; Glance names images by SHA-512. */
  readonly sha512: string;
  readonly size: number;
  /** Left out in locks of older versions. */
  readonly pieces?: LockedPieces;
}

/** Digests of stretches, by which a part of a bundle is proven without the rest of it. */
export interface LockedPieces {
  /** Bytes of each but the last; a multiple of 512. */
  readonly size: number;
  /** 64 hexadecimal digits each, in order. */
  readonly sha256: readonly string[];
}

export interface LockedContainer {
  readonly role: "crmserver" | "shepherd" | "prometheus";
  readonly image: string;
  readonly architecture: string;
  readonly config: { readonly digest: Digest; readonly size: number };
  /** In order from the base; uncompressed tars, so that digest is also the diff ID. */
  readonly layers: readonly { readonly digest: Digest; readonly size: number }[];
  /** What is installed in it; left out where nobody looked, or a layer could not be read. */
  readonly software?: LockedSoftware;
}

export interface LockedSoftware {
  /** Of its os-release, where it has one. */
  readonly system?: { readonly id: string; readonly version?: string };
  /** The package databases that its files hold; none of a kind that is not named. `too-long`: not told, for its length. */
  readonly databases: readonly { readonly kind: "apk" | "dpkg" | "rpm"; readonly state: "read" | "unreadable" | "too-long" }[];
  /** By purl. */
  readonly packages: readonly LayerPackage[];
}

export interface LayerPackage extends LockedPackage {
  /** Index of the layer that brought it. */
  readonly layer: number;
}

export interface LockedPackage {
  /** Package URL, with architecture, distribution and source package as qualifiers. */
  readonly purl: string;
  /** As the package states it. */
  readonly licence?: string;
  /** Its maintainer or vendor, as the package states it. */
  readonly supplier?: string;
}
