/** What site.env says on every IaaS: the values that its template names, and how a variable is made whose number depends. */

import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import type { Slot } from "../plan/secrets.ts";
import { traitsOf } from "../plan/traits.ts";
import type { View } from "./draft.ts";

/** A type alias, because only these are views as well. */
export type SiteVariable = {
  readonly name: Val<string>;
  readonly value: Val;
};

/** The leaves of templates/common/site.env but for `name`, `host` and `variables`; runbooks use them too. */
export function siteView(plan: Plan): View {
  const { spec, release } = plan;
  return {
    cloudlet: spec.name,
    organization: spec.organization,
    region: spec.region,
    platform: spec.platform.type,
    release: release.name,
    sequence: release.sequence,
    created: release.created,
    createdSeconds: plan.createdSeconds,
    need: plan.need,
    tenant: plan.tenant,
    vmImage: traitsOf(spec.platform.type.value).makesVms ? { ...plan.vmImage } : undefined,
    payload: { ...plan.payload },
  };
}

/** The secrets that install.sh takes from the operator's file, with their number; needed are those of `own` only. */
export function secretVariables(
  slots: readonly Slot[],
  own: readonly Slot[],
  more: (slot: Slot) => Readonly<Record<string, Val>> = () => ({}),
): readonly SiteVariable[] {
  const isNeeded = (slot: Slot): boolean => slot.required.value && own.some((each) => each.number.value === slot.number.value);
  return listVariables("CB_SECRET", slots, (slot) => slot.name, (slot) => ({
    NAME: slot.name,
    REQUIRED: derive([slot.required], () => yesOrNo(isNeeded(slot))),
    MAX_BYTES: slot.maxBytes,
    DESCRIPTION: slot.description,
    ...more(slot),
  }));
}

/** `PREFIX_COUNT`, and of each item `PREFIX_<number>_<KEY>`; it has its number by what it is there for, and by those before it. */
export function listVariables<T>(
  prefix: string,
  items: readonly T[],
  cause: (item: T) => Val,
  fields: (item: T) => Readonly<Record<string, Val>>,
): readonly SiteVariable[] {
  const causes = items.map(cause);
  const numbers = positions(causes);
  return [
    countVariable(`${prefix}_COUNT`, causes),
    ...items.flatMap((item, index) =>
      Object.entries(fields(item)).map(([key, value]) => numberedVariable(prefix, numbers[index] as Val<number>, key, value)),
    ),
  ];
}

/** As shell scripts read a choice of two. */
export function yesOrNo(value: boolean): "yes" | "no" {
  return value ? "yes" : "no";
}

export function siteVariable(name: string, value: Val): SiteVariable {
  return { name: derive([value], () => name), value };
}

/** `CB_NETWORK_2_NAME`; without a last part, `CB_GPU_2`. */
export function numberedVariable(prefix: string, number: Val<number>, name: string, value: Val): SiteVariable {
  return { name: derive([number], (position) => `${prefix}_${position}${name === "" ? "" : `_${name}`}`), value };
}

/** How many there are; of none, nobody has chosen any. */
export function countVariable(name: string, of: readonly Val[]): SiteVariable {
  const [first, ...rest] = [...new Set(of.flatMap((each) => each.origins))].sort() as readonly Origin[];
  return siteVariable(name, first === undefined ? val(0, "constant:not-chosen") : val(of.length, first, ...rest));
}
