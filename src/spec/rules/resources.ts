/** The sizes told to operators. */

import { below } from "../../core/pointer.ts";
import type { Draft } from "../draft.ts";
import type { Resources } from "../spec.ts";
import type { Rule } from "./rule.ts";
import { error, warning } from "./rule.ts";

/** MobiledgeX's "Cloudlet Management" flavor, also its minimum for Restricted access; below it the CRM does not start. */
export const PLATFORM_VM_MINIMUM = { vcpus: 2, memoryMiB: 4096, diskGiB: 40 } as const;

/** MobiledgeX's minimum for a tenant; a smaller one works for a trial, so it is a warning. */
export const TENANT_MINIMUM = { vcpus: 32, memoryMiB: 131_072, diskGiB: 500 } as const;

const NAMES = { vcpus: "vCPU", memoryMiB: "MiB of memory", diskGiB: "GiB of disk" } as const;

export const resources: Rule = ({ compute }) => [
  ...tooSmall(compute?.platformVm, PLATFORM_VM_MINIMUM).map(([key, given, least]) =>
    error(
      "spec/platform-vm-too-small",
      below("/compute/platformVm", key),
      `the PlatformVM needs at least ${least} ${NAMES[key]}, not ${given}`,
      "raise it; the flavor must offer as much",
    ),
  ),
  ...tooSmall(compute?.tenant, TENANT_MINIMUM).map(([key, given, least]) =>
    warning(
      "spec/tenant-small",
      below("/compute/tenant", key),
      `${given} ${NAMES[key]} for the tenant is below the recommended minimum of ${least}`,
      "enough for a trial; plan more for service",
    ),
  ),
];

type Size = keyof typeof NAMES;

function tooSmall(
  given: Draft<Resources> | undefined,
  least: Readonly<Record<Size, number>>,
): readonly (readonly [Size, number, number])[] {
  return (Object.keys(NAMES) as Size[]).flatMap((key) => {
    const value = given?.[key];
    return value !== undefined && value < least[key] ? [[key, value, least[key]] as const] : [];
  });
}
