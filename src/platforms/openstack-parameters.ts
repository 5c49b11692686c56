/** `platform.parameters` of an OpenStack spec, as the schema of that name lets them be. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Plan } from "../plan/plan.ts";

export interface OpenstackParameters {
  readonly availabilityZone: Val<string>;
  /** Undefined: the flavor's own disk. */
  readonly rootVolumeGiB: Val<number> | undefined;
  /** False for 0: then the server boots from the flavor's own disk. */
  readonly bootsFromVolume: Val<boolean> | undefined;
  readonly volumeType: Val<string> | undefined;
  /** With high availability never undefined. */
  readonly serverGroupPolicy: Val<string> | undefined;
  readonly keyName: Val<string>;
  readonly securityGroupName: Val<string>;
  /** Sorted by name, as the other two. */
  readonly extraFlavorProperties: readonly Property[];
  readonly imageProperties: readonly Property[];
  readonly serverMetadata: readonly Property[];
}

/** A type alias, because only these are views as well. */
export type Property = {
  readonly name: Val<string>;
  readonly value: Val<string>;
};

/** Stands where the spec leaves a choice to the cloud or to the site. */
export const notChosen: Val<string> = val("", "constant:not-chosen");

export function openstackParameters(plan: Plan): OpenstackParameters {
  // The schema has checked names and types; the spec's own type is that of any platform.
  const given = plan.spec.platform.parameters as unknown as Readonly<Record<string, Val<string> | Val<number> | undefined>>;
  const text = (name: string): Val<string> | undefined => given[name] as Val<string> | undefined;
  const properties = (name: string): readonly Property[] => {
    const map = (given[name] ?? {}) as unknown as Readonly<Record<string, Val<string>>>;
    return Object.keys(map)
      .sort()
      .map((key) => ({ name: derive([map[key] as Val<string>], () => key), value: map[key] as Val<string> }));
  };
  const root = given["rootVolumeGiB"] as Val<number> | undefined;
  return {
    availabilityZone: text("availabilityZone") ?? notChosen,
    rootVolumeGiB: root === undefined || root.value === 0 ? undefined : root,
    bootsFromVolume: root === undefined ? undefined : derive([root], (gib) => gib > 0),
    volumeType: text("volumeType"),
    serverGroupPolicy: text("serverGroupPolicy") ?? groupOfTwo(plan),
    keyName: text("keyName") ?? notChosen,
    securityGroupName: text("securityGroupName") ?? derive([plan.names.platformVm], (name) => `${name}-sg`),
    extraFlavorProperties: properties("extraFlavorProperties"),
    imageProperties: properties("imageProperties"),
    serverMetadata: properties("serverMetadata"),
  };
}

/** Two PlatformVMs on one host would fail together, so they are kept apart unless the spec names a policy. */
function groupOfTwo(plan: Plan): Val<string> | undefined {
  const { highAvailability } = plan.spec.crm;
  return highAvailability.value ? derive([highAvailability], () => "anti-affinity") : undefined;
}
