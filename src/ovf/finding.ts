/** How the checks of an OVF package say what is wrong: an issue of its text, at a place. */

import type { Issue } from "../core/issue.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An error with a code of `issue-codes.ts`, whose remedy is the hint; `span` where it is one of a text. */
export function finding(code: `ovf/${string}`, message: string, hint: string, span?: Range): Issue {
  return { code, severity: "error", pointer: "", message, hint, ...(span === undefined ? {} : { span }) };
}

export function remark(code: `ovf/${string}`, message: string, hint: string, span?: Range): Issue {
  return { ...finding(code, message, hint, span), severity: "warning" };
}
