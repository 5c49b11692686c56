/** Resource arithmetic: what image and payload need against what the spec grants. */

import type { Issue } from "../core/issue.ts";
import { bytesPerGiB } from "../core/limits.ts";
import type { Sourced, Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Lock } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { Spec } from "../spec/spec.ts";
import { traitsOf } from "./traits.ts";

export interface Sizes {
  /** The smallest disk the VM image can live on: what the release says, and what the image itself shows its guest. */
  readonly imageDiskGiB: Val<number>;
  /** The payload's disk: its bytes, rounded up. */
  readonly payloadVolumeGiB: Val<number>;
}

export function sizesOf(release: Sourced<Release>, lock: Sourced<Lock>): Sizes {
  const ceilGiB = (bytes: number): number => Math.max(1, Math.ceil(bytes / bytesPerGiB));
  return {
    imageDiskGiB: derive([release.vmImage.minDiskGiB, lock.vmImage.virtualSize], (least, bytes) => Math.max(least, ceilGiB(bytes))),
    payloadVolumeGiB: derive([lock.payload.size], ceilGiB),
  };
}

/** The PlatformVM must be able to hold the image; the operator's tenant must be able to hold the PlatformVM. */
export function sizeIssues(spec: Sourced<Spec>, release: Sourced<Release>, sizes: Sizes): readonly Issue[] {
  const { platformVm, tenant } = spec.compute;
  const issues: Issue[] = [];
  const demand = (key: "diskGiB" | "memoryMiB", unit: string, least: number): void => {
    if (platformVm[key].value >= least) return;
    issues.push({
      code: "plan/image-does-not-fit",
      severity: "error",
      pointer: `/compute/platformVm/${key}`,
      message: `the VM image of release ${release.name.value} needs ${least} ${unit}, the PlatformVM has ${platformVm[key].value}`,
      hint: `Give the PlatformVM at least ${least} ${unit}, and a flavor that offers them.`,
    });
  };
  if (traitsOf(spec.platform.type.value).makesVms) {
    demand("diskGiB", "GiB of disk", sizes.imageDiskGiB.value);
    demand("memoryMiB", "MiB of memory", release.vmImage.minMemoryMiB.value);
  }
  const isTwo = spec.crm.highAvailability.value;
  for (const key of ["vcpus", "memoryMiB", "diskGiB", "gpus"] as const) {
    const needed = platformVm[key].value * (isTwo ? 2 : 1);
    if (tenant[key].value >= needed) continue;
    issues.push({
      code: "plan/tenant-too-small",
      severity: "error",
      pointer: `/compute/tenant/${key}`,
      message: isTwo
        ? `the tenant (${tenant[key].value}) is smaller than the two PlatformVMs (${needed}), which run in it`
        : `the tenant (${tenant[key].value}) is smaller than the PlatformVM (${needed}), which runs in it`,
      hint: "The tenant is what is set aside for the whole cloudlet, the PlatformVM included.",
    });
  }
  return issues;
}
