/**
 * What an IaaS has to say for itself. Adding one: a file beside this one, a folder of templates, a schema, a line of the
 * registry and of src/plan/traits.ts.
 */

import type { Assets } from "../core/assets.ts";
import type { Issue } from "../core/issue.ts";
import type { Guests } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import type { Draft } from "./draft.ts";

export interface Platform {
  /** As `platform.type` of a spec names it. */
  readonly name: string;
  /** How START-HERE.md speaks of it. */
  readonly startHere: {
    /** Where the PlatformVM is made: "in your …". */
    readonly place: string;
    /** What the operator does so that this machine has access. */
    readonly access: string;
  };
  /** Most bytes of user-data that it takes, secrets filled in; undefined: as many as there are. */
  readonly userDataBytes: number | undefined;
  /** The schema of `platform.parameters`, a file of `schemas/`. */
  readonly parameterSchema: string;
  readonly requirements: readonly Requirement[];
  /** What the plan asks for and this IaaS can't do, by name (`platform/…`); warnings for what it does in its own way. */
  check(plan: Plan): readonly Issue[];
  /** The files of the bundle that are this platform's, in the order in which they are rendered. */
  draft(plan: Plan, guests: Guests, assets: Assets): readonly Draft[];
}

/** What the site must have; documents list it, preflight looks for it. */
export interface Requirement {
  readonly what: string;
  readonly why: string;
}
