/** What a kind of IaaS and a kind of access demand. */

import type { Issue } from "../../core/issue.ts";
import { isLeftOut } from "../draft.ts";
import { nearest } from "../nearest.ts";
import { show } from "../show.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

/** Platforms that are one Kubernetes cluster. */
const SINGLE_CLUSTER_PLATFORMS: readonly string[] = ["k8sbaremetal"];

export function platformKnown(platforms: readonly string[]): Rule {
  return ({ platform }) => {
    const type = platform?.type;
    if (type === undefined || platforms.includes(type)) return [];
    const near = nearest(type, platforms);
    return [
      error(
        "spec/unknown-platform",
        "/platform/type",
        `this build makes no bundles for ${show(type)}`,
        `${near === undefined ? "" : `did you mean ${near}? `}It makes them for ${platforms.join(", ")}`,
      ),
    ];
  };
}

export const vmPool: Rule = (spec) => {
  const { platform, vmPool: pool } = spec;
  const type = platform?.type;
  if (type === "vmpool" && isLeftOut(spec, "vmPool")) {
    return [
      error(
        "spec/vm-pool",
        "",
        "`vmPool` is missing; the platform vmpool makes the cloudlet of one",
        "name the pool: vmPool: pool-1",
      ),
    ];
  }
  if (type !== undefined && type !== "vmpool" && pool !== undefined) {
    return [
      error(
        "spec/vm-pool",
        "/vmPool",
        "`vmPool` is for the platform vmpool only",
        "delete it, or change platform.type",
      ),
    ];
  }
  return [];
};

/** A VM pool's machines exist already, so there is no flavor to choose and no network to attach. */
export const restricted: Rule = (spec) => {
  if ((spec.access ?? "restricted") !== "restricted" || spec.platform?.type === "vmpool") return [];
  const issues: Issue[] = [];
  if (isLeftOut(spec, "compute") || (spec.compute !== undefined && isLeftOut(spec.compute, "flavor"))) {
    issues.push(
      error(
        "spec/flavor-missing",
        spec.compute === undefined ? "" : "/compute",
        "`compute.flavor` is missing; it is mandatory when access is restricted",
        "name the IaaS's flavor for the PlatformVM: flavor: m1.medium",
      ),
    );
  }
  const { networks } = spec;
  if (
    isLeftOut(spec, "networks") ||
    (networks !== undefined && (isLeftOut(networks, "external") || networks.external?.length === 0))
  ) {
    const pointer = networks?.external !== undefined ? "/networks/external" : networks === undefined ? "" : "/networks";
    issues.push(
      error(
        "spec/network-missing",
        pointer,
        "`networks.external` has no entry; one is mandatory when access is restricted",
        "name the IaaS's external network: external: [{name: ue-net}]",
      ),
    );
  }
  return issues;
};

export const singleCluster: Rule = ({ platform, policies }) =>
  policies?.singleKubernetesClusterOwner !== undefined &&
  platform?.type !== undefined &&
  !SINGLE_CLUSTER_PLATFORMS.includes(platform.type)
    ? [
        error(
          "spec/single-cluster-owner",
          "/policies/singleKubernetesClusterOwner",
          `the platform ${platform.type} is not one Kubernetes cluster, so nobody owns it`,
          `delete it; it is for ${SINGLE_CLUSTER_PLATFORMS.join(", ")}`,
        ),
      ]
    : [];
