/** `platform.parameters` of a VM pool's spec, as the schema of that name lets them be. */

import type { Sourced, Val } from "../core/origin.ts";
import type { Plan } from "../plan/plan.ts";

/** A machine of the pool, as the spec has it. */
export interface PoolMachine {
  readonly name: string;
  readonly internalIp: string;
  readonly externalIp?: string;
  readonly group?: string;
  readonly role?: "platform" | "worker";
  readonly ssh: { readonly user: string; readonly port: number };
  readonly hostKeys: readonly string[];
}

/** In the spec's order. Empty where the spec has no parameters at all, which the schema can't see. */
export function poolMachines(plan: Plan): readonly Sourced<PoolMachine>[] {
  // The schema has checked names and types; the spec's own type is that of any platform.
  return (plan.spec.platform.parameters as unknown as { readonly machines?: readonly Sourced<PoolMachine>[] }).machines ?? [];
}

/** The places in the list of those that could be the PlatformVM: of the role `platform`, or the only machine there is. */
export function platformMachines(machines: readonly Sourced<PoolMachine>[]): readonly number[] {
  const chosen = machines.flatMap((machine, index) => (machine.role?.value === "platform" ? [index] : []));
  return chosen.length === 0 && machines.length === 1 && machines[0]?.role === undefined ? [0] : chosen;
}

/** The machine that becomes the PlatformVM. Throws unless there is exactly one: `check` has refused it. */
export function platformMachine(plan: Plan): Sourced<PoolMachine> {
  const machines = poolMachines(plan);
  const [index, ...more] = platformMachines(machines);
  const machine = index === undefined ? undefined : machines[index];
  if (machine === undefined || more.length > 0) throw new Error("the pool has not exactly one PlatformVM");
  return machine;
}

/** What a host key is called in site/known_hosts, whatever address it is reached by. */
export function hostKeyAlias(plan: Plan): Val<string> {
  return plan.machines[0].host;
}
