/** The VMs of a cloudlet: one PlatformVM, or with high availability two, the second taking over from the first. */

import type { Sourced, Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Lock } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { Spec } from "../spec/spec.ts";
import type { ContainerPlan } from "./crm.ts";
import { containersOf } from "./crm.ts";
import { hostName } from "./names.ts";
import type { Nic } from "./networks.ts";
import { nicsOf } from "./networks.ts";
import type { Slot } from "./secrets.ts";

export interface Machine {
  /** From 1. */
  readonly number: Val<number>;
  /** Undefined where there is one only. */
  readonly role: Val<HaRole> | undefined;
  /** In the IaaS. */
  readonly name: Val<string>;
  /** Its own host name. */
  readonly host: Val<string>;
  readonly nics: readonly Nic[];
  /** The secrets that it gets. */
  readonly slots: readonly Slot[];
  readonly containers: readonly ContainerPlan[];
}

/** As crmserver's --HARole. */
export type HaRole = "primary" | "secondary";

const haRoles: readonly HaRole[] = ["primary", "secondary"];

/** One machine with the PlatformVM's name; or two, called after their roles. */
export function machinesOf(
  spec: Sourced<Spec>,
  release: Sourced<Release>,
  lock: Sourced<Lock>,
  platformVm: Val<string>,
  slots: readonly Slot[],
): readonly Machine[] {
  const { highAvailability } = spec.crm;
  const roles = highAvailability.value ? haRoles : [undefined];
  return roles.map((word, index) => {
    const role = word === undefined ? undefined : derive([highAvailability], () => word);
    const name = role === undefined ? platformVm : derive([platformVm, role], (pf, which) => `${pf}-${which}`);
    const own = slots.filter((slot) => slot.machine === undefined || slot.machine === index + 1);
    const nics = nicsOf(spec, name, index);
    return {
      number: derive([highAvailability], () => index + 1),
      role,
      name,
      host: derive([name], hostName),
      nics,
      slots: own,
      containers: containersOf(spec, release, lock, nics, own, role),
    };
  });
}
