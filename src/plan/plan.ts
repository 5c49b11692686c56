/** Spec, release and lock to a plan: every choice made, each with its origins. Nothing is left for a template. */

import { hexOf } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import { openstackNameLength } from "../core/limits.ts";
import type { Sourced, Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Lock, LockedDisk } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { Resources, Spec } from "../spec/spec.ts";
import { disagreements } from "./agreement.ts";
import type { Machine } from "./machines.ts";
import { machinesOf } from "./machines.ts";
import { keepsEveryCharacter, platformVmName } from "./names.ts";
import type { Rule } from "./networks.ts";
import { rulesOf } from "./networks.ts";
import type { Slot } from "./secrets.ts";
import { slotsOf } from "./secrets.ts";
import { sizeIssues, sizesOf } from "./sizes.ts";
import { traitsOf } from "./traits.ts";

export interface Plan {
  /** What the user wrote: for a platform's own parameters, and for what it refuses. */
  readonly spec: Sourced<Spec>;
  readonly release: Sourced<Release>;
  readonly names: {
    /** Also of the stack and of the group of VMs. */
    readonly platformVm: Val<string>;
  };
  /** Seconds since the Epoch; every time in the bundle is this one. */
  readonly createdSeconds: Val<number>;
  readonly vmImage: ImagePlan & { readonly diskGiB: Val<number>; readonly memoryMiB: Val<number>; readonly format: Val<string> };
  readonly payload: ImagePlan & { readonly volumeGiB: Val<number> };
  /** The disks of the OVF package; undefined where the bundle carries image and payload as they are. */
  readonly disks: { readonly vmImage: DiskPlan; readonly payload: DiskPlan } | undefined;
  /** Undefined where the access is direct and nobody chose one. */
  readonly flavor: Val<string> | undefined;
  readonly need: Sourced<Resources>;
  readonly tenant: Sourced<Resources>;
  readonly rules: readonly Rule[];
  /** Who holds to them: the IaaS, or the guest itself where the IaaS has no firewall for VMs. */
  readonly firewall: Val<"iaas" | "guest">;
  /** Of all machines. */
  readonly slots: readonly Slot[];
  /** One, or two with high availability. */
  readonly machines: readonly [Machine, ...Machine[]];
}

/** A blob of the bundle, and the image that the IaaS makes of it. */
export interface ImagePlan {
  /** Path in the bundle. */
  readonly file: Val<string>;
  /** Name in the IaaS; holds the first 12 digits of the digest, so that another image can't be taken for it. */
  readonly name: Val<string>;
  /** Bytes. */
  readonly size: Val<number>;
  readonly digest: Val<string>;
  /** 64 and 128 hexadecimal digits. */
  readonly sha256: Val<string>;
  readonly sha512: Val<string>;
}

/** A disk as a VMDK. */
export interface DiskPlan {
  /** Path in the bundle. */
  readonly file: Val<string>;
  /** Bytes of the file. */
  readonly size: Val<number>;
  /** Bytes that the guest sees. */
  readonly capacity: Val<number>;
  /** Bytes of what is in it. */
  readonly populated: Val<number>;
  /** 64 and 40 hexadecimal digits. */
  readonly sha256: Val<string>;
  readonly sha1: Val<string>;
}

/**
 * Plans a bundle. Issues: whatever of spec, release and lock does not fit together (`plan/…`), all at once; what a single
 * document can say wrong was found when it was read.
 */
export function plan(spec: Sourced<Spec>, release: Sourced<Release>, lock: Sourced<Lock>): Outcome<Plan> {
  const platformVm = derive([spec.name, spec.organization], platformVmName);
  const sizes = sizesOf(release, lock);
  const vmImage = imagePlan(
    derive([lock.vmImage.format], (format) => `blobs/vm-image.${format}`),
    derive([release.vmImage.name, lock.vmImage.digest, platformVm], (name, digest, pf) => `${name}-${shortHex(digest)}-${pf}`),
    lock.vmImage,
  );
  const payload = imagePlan(
    derive([lock.payload.digest], () => "blobs/payload.tar"),
    derive([platformVm, lock.payload.digest], (pf, digest) => `${pf}-payload-${shortHex(digest)}`),
    lock.payload,
  );
  const slots = slotsOf(spec);
  const machines = machinesOf(spec, release, lock, platformVm, slots) as readonly [Machine, ...Machine[]];
  const issues = [
    ...disagreements(spec, release, lock),
    ...diskIssues(spec, lock),
    ...sizeIssues(spec, release, sizes),
    ...nameIssues(spec, [
      { name: platformVm, pointer: "/name" },
      { name: vmImage.name, pointer: "/name" },
      { name: payload.name, pointer: "/name" },
      ...machines.flatMap(({ nics }) =>
        nics.map(({ portName }, index) => ({ name: portName, pointer: `/networks/external/${index}/name` })),
      ),
    ]),
  ];
  return outcome(issues, () => ({
    spec,
    release,
    names: { platformVm },
    createdSeconds: derive([release.created], (time) => Date.parse(time) / 1000),
    vmImage: { ...vmImage, format: lock.vmImage.format, diskGiB: sizes.imageDiskGiB, memoryMiB: release.vmImage.minMemoryMiB },
    payload: { ...payload, volumeGiB: sizes.payloadVolumeGiB },
    disks: disksOf(spec, lock),
    flavor: spec.compute.flavor,
    need: spec.compute.platformVm,
    tenant: spec.compute.tenant,
    rules: rulesOf(spec),
    firewall: derive([spec.platform.type], (type) => traitsOf(type).firewall),
    slots,
    machines,
  }));
}

function imagePlan(file: Val<string>, name: Val<string>, blob: Sourced<Lock["payload"]>): ImagePlan {
  const digest: Val<string> = blob.digest;
  return { file, name, size: blob.size, digest, sha256: derive([blob.digest], hexOf), sha512: blob.sha512 };
}

function disksOf(spec: Sourced<Spec>, lock: Sourced<Lock>): Plan["disks"] {
  const { vmdk } = lock;
  if (vmdk === undefined || traitsOf(spec.platform.type.value).disks !== "vmdk") return undefined;
  return { vmImage: diskPlan("ovf/vm-image.vmdk", vmdk.vmImage), payload: diskPlan("ovf/payload.vmdk", vmdk.payload) };
}

function diskPlan(path: string, disk: Sourced<LockedDisk>): DiskPlan {
  const { size, capacity, populated, sha1 } = disk;
  return { file: derive([disk.digest], () => path), size, capacity, populated, sha256: derive([disk.digest], hexOf), sha1 };
}

/** Reading release and spec can't see it: the lock was made for a platform that takes the disks as they are. */
function diskIssues(spec: Sourced<Spec>, lock: Sourced<Lock>): readonly Issue[] {
  const { type } = spec.platform;
  if (lock.vmdk !== undefined || traitsOf(type.value).disks !== "vmdk") return [];
  return [
    {
      code: "plan/lock-without-vmdk",
      severity: "error",
      pointer: "/platform/type",
      message: `${type.value} takes disks as VMDK, and the lock has none`,
      hint: "Make them: cloudlet-bundle lock --vmdk.",
    },
  ];
}

function shortHex(digest: Sourced<Lock>["payload"]["digest"]["value"]): string {
  return hexOf(digest).slice(0, 12);
}

/** A name that is made, and where the user wrote what makes it too long. */
interface MadeName {
  readonly name: Val<string>;
  readonly pointer: string;
}

function nameIssues(spec: Sourced<Spec>, names: readonly MadeName[]): readonly Issue[] {
  const issues: Issue[] = names
    .filter(({ name }) => name.value.length > openstackNameLength)
    .map(({ name, pointer }) => ({
      code: "plan/name-too-long",
      severity: "error",
      pointer,
      message: `the name ${name.value} has ${name.value.length} characters, an IaaS holds ${openstackNameLength}`,
      hint: "Choose a shorter name; the cloudlet's and its organization's are in it as well.",
    }));
  if (!keepsEveryCharacter(spec.name.value, spec.organization.value)) {
    const made = platformVmName(spec.name.value, spec.organization.value);
    issues.push({
      code: "plan/name-not-unique",
      severity: "warning",
      pointer: "/name",
      message: `the PlatformVM is called ${made}: spaces and & , ! are dropped, as MobiledgeX does it`,
      hint: "Another cloudlet whose name differs in these characters only gets the same name; don't install both in one project.",
    });
  }
  return issues;
}
