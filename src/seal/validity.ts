/** The last rung, of a bundle with a trust policy: does the policy still hold today? */

import type { Policy } from "./policy.ts";
import { refusal } from "./verdict.ts";
import type { Rung, VerifyIssue } from "./verdict.ts";

/**
 * `created` is when the release was made, `now` what the clock says, undefined where there is none: RFC 3339, UTC, whole
 * seconds. A clock before the release is wrong, and proves nothing: what the policy says of its end is then done as well.
 */
export function validityRung({ version, end }: Policy, created: string, now: string | undefined): Rung {
  const rung = (status: Rung["status"], says: string, issues: readonly VerifyIssue[] = []): Rung => ({ name: "validity", status, says, issues });
  if (end === undefined) return rung("proven", `trust policy ${version} has no end`);
  const { time, afterwards } = end;
  // Times of this form are ordered as their texts are.
  const hasEnded = created >= time || (now !== undefined && now >= time);
  if (!hasEnded && now !== undefined && now >= created) return rung("proven", `trust policy ${version} holds until ${time}; the clock says ${now}`);
  const clock = now === undefined ? "there is no clock" : `the clock says ${now}, before the release was made (${created})`;
  const says = hasEnded ? `trust policy ${version} ended at ${time}` : `${clock}: nobody can tell whether trust policy ${version} has ended (${time})`;
  if (afterwards === "warn") return rung("warned", says);
  return rung("refused", says, [refusal(hasEnded ? "verify/expired" : "verify/clock", says)]);
}
