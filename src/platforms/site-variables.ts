/** The variables of site.env whose number depends on the spec: what every IaaS has of them, and how one is made. */

import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Slot } from "../plan/secrets.ts";

/** A type alias, because only these are views as well. */
export type SiteVariable = {
  readonly name: Val<string>;
  readonly value: Val;
};

/** The secrets that install.sh takes from the operator's file, with their number; needed are those of `own` only. */
export function secretVariables(slots: readonly Slot[], own: readonly Slot[]): readonly SiteVariable[] {
  return [
    countVariable("CB_SECRET_COUNT", slots.map((slot) => slot.name)),
    ...slots.flatMap((slot) => [
      numberedVariable("CB_SECRET", slot.number, "NAME", slot.name),
      numberedVariable("CB_SECRET", slot.number, "REQUIRED", derive([slot.required], (required) => yesOrNo(required && own.some((each) => each.number.value === slot.number.value)))),
      numberedVariable("CB_SECRET", slot.number, "MAX_BYTES", slot.maxBytes),
      numberedVariable("CB_SECRET", slot.number, "DESCRIPTION", slot.description),
    ]),
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
