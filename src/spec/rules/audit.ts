/** Waivers of audit rules. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { entries } from "../draft.ts";
import { show } from "../show.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

export const waivers: Rule = ({ audit }) =>
  entries(audit?.waivers).flatMap(([index, { expires }]): readonly Issue[] => {
    if (expires === undefined || isDay(expires)) return [];
    return [error("spec/waiver-date", below("/audit/waivers", index, "expires"), `there is no day ${show(expires)}`, "write year, month and day: 2027-06-30")];
  });

/** RFC 3339 full-date, of a day that exists. */
function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  // Some engines take 30 February for 2 March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
