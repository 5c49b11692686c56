/** Secret slots: where each value will land in the guest, and what stands for it until then. */

import type { Sourced, Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { SecretSlot, Spec } from "../spec/spec.ts";
import { positions } from "./positions.ts";

export interface Slot {
  /** Position among the slots, from 1. */
  readonly number: Val<number>;
  readonly name: Val<string>;
  /** One line. */
  readonly description: Val<string>;
  readonly required: Val<boolean>;
  readonly maxBytes: Val<number>;
  /** Stands in user-data for the base64 of the value. */
  readonly placeholder: Val<string>;
  /** Name of the template's parameter that holds the base64 of the value. */
  readonly parameter: Val<string>;
  /** Characters of base64 that the longest value has. */
  readonly maxEncoded: Val<number>;
  /** File in the guest that gets the value; root's, 0600. */
  readonly path: Val<string>;
  /** Variable of the CRM that gets the value, besides. */
  readonly variable: Val<string> | undefined;
  /** Number of the one machine that gets it; undefined: all do. */
  readonly machine: number | undefined;
}

export function slotsOf(spec: Sourced<Spec>): readonly Slot[] {
  const numbers = positions(spec.secrets.map((slot) => slot.name));
  const isTwo = spec.crm.highAvailability.value;
  return spec.secrets.map((slot, index) => ({
    ...slotOf(slot, numbers[index] as Val<number>),
    machine: isTwo ? ofOneMachine.get(slot.name.value) : undefined,
  }));
}

/** An access key is good for one machine. */
const ofOneMachine: ReadonlyMap<string, number> = new Map([
  ["ACCESS_KEY", 1],
  ["ACCESS_KEY_SECONDARY", 2],
]);

function slotOf(slot: Sourced<SecretSlot>, number: Val<number>): Omit<Slot, "machine"> {
  // The kind is inside a Val, so the compiler can't narrow the union by it.
  const target = slot.target as { readonly kind: Val<string>; readonly path?: Val<string>; readonly name?: Val<string> };
  return {
    number,
    name: slot.name,
    description: derive([slot.description], (text) => text.replace(/\s+/g, " ").trim()),
    required: slot.required,
    maxBytes: slot.maxBytes,
    placeholder: derive([slot.name], (name) => `@@CLOUDLET-SECRET:${name}@@`),
    parameter: derive([slot.name], (name) => `secret_${name.toLowerCase()}`),
    maxEncoded: derive([slot.maxBytes], (bytes) => 4 * Math.ceil(bytes / 3)),
    path: target.path ?? derive([slot.name], (name) => `/etc/cloudlet/secrets/${name}`),
    variable: target.name,
  };
}
