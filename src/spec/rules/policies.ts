/** Policies of the controller, and the GPU. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { entries } from "../draft.ts";
import { nearest } from "../nearest.ts";
import { show } from "../show.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

/** Resources that every platform counts; values are in MB, count, GB, count, count. */
const QUOTAS: readonly string[] = ["RAM", "vCPUs", "Disk", "GPUs", "External IPs"];
const QUOTAS_BY_PLATFORM: Readonly<Record<string, readonly string[]>> = { openstack: ["Instances", "Floating IPs"] };

/** Names of the quotas of a platform. */
export function quotaNames(platform: string): readonly string[] {
  return [...QUOTAS, ...(Object.hasOwn(QUOTAS_BY_PLATFORM, platform) ? (QUOTAS_BY_PLATFORM[platform] ?? []) : [])];
}

export const quotas: Rule = ({ policies, platform }) => {
  const seen = new Set<string>();
  return entries(policies?.quotas).flatMap(([index, { name }]): readonly Issue[] => {
    if (name === undefined) return [];
    const pointer = below("/policies/quotas", index, "name");
    const known = quotaNames(platform?.type ?? "");
    if (platform?.type !== undefined && !known.includes(name)) {
      const near = nearest(name, known);
      return [
        error(
          "spec/unknown-quota",
          pointer,
          `${show(name)} is no quota of ${platform.type}`,
          `${near === undefined ? "" : `did you mean ${show(near)}? `}Known: ${known.join(", ")}`,
        ),
      ];
    }
    if (seen.has(name)) {
      return [error("spec/quota-twice", pointer, `there is another quota ${show(name)}`, "keep one of the two")];
    }
    seen.add(name);
    return [];
  });
};

export const alliance: Rule = ({ policies, organization }) => {
  const seen = new Set<string>();
  return entries(policies?.allianceOrganizations).flatMap(([index, name]): readonly Issue[] => {
    const pointer = below("/policies/allianceOrganizations", index);
    if (name === organization) {
      return [
        error("spec/alliance", pointer, "the cloudlet's own organization needs no alliance with itself", "delete it"),
      ];
    }
    if (seen.has(name)) return [error("spec/alliance", pointer, `${show(name)} is named twice`, "keep one of the two")];
    seen.add(name);
    return [];
  });
};

export const gpuDriver: Rule = ({ gpu, organization }) => {
  const owner = gpu?.driver?.organization;
  return owner !== undefined && owner !== "" && organization !== undefined && owner !== organization
    ? [
        error(
          "spec/gpu-driver",
          "/gpu/driver/organization",
          `a driver of ${show(owner)} can't be used by ${show(organization)}`,
          "leave it empty for MobiledgeX's own drivers, or give the cloudlet's organization",
        ),
      ]
    : [];
};
