/** The variables of site.env that only a VM pool has: the machine, what is written to it, what it is looked at for. */

import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { OwnFile } from "../guest/files.ts";
import { enabledUnits, firewallUnit } from "../guest/files.ts";
import type { ContainerPlan } from "../plan/crm.ts";
import type { Plan } from "../plan/plan.ts";
import { hostKeyAlias, platformMachine } from "./vmpool-parameters.ts";

/** A type alias, because only these are views as well. */
export type Variable = {
  readonly name: Val<string>;
  readonly value: Val;
};

/** In the order in which they stand in the file. */
export function vmpoolVariables(plan: Plan, guest: Guest): readonly Variable[] {
  const machine = platformMachine(plan);
  const { containers, slots } = guest.machine;
  const units = [...(guest.files.some(({ path }) => path.endsWith(`/${firewallUnit}`)) ? [firewallUnit] : []), ...enabledUnits];
  return [
    ...numbered("CB_SECRET", slots, (slot) => ({
      NAME: slot.name,
      PARAMETER: slot.parameter,
      REQUIRED: derive([slot.required], (required) => (required ? "yes" : "no")),
      MAX_BYTES: slot.maxBytes,
      DESCRIPTION: slot.description,
      PATH: slot.path,
    })),
    variable("CB_VP_MACHINE", machine.name),
    variable("CB_VP_ADDRESS", machine.internalIp),
    variable("CB_VP_USER", machine.ssh.user),
    variable("CB_VP_PORT", machine.ssh.port),
    variable("CB_VP_HOST_KEY_ALIAS", hostKeyAlias(plan)),
    variable("CB_VP_KNOWN_HOSTS", machine.hostKeys.length === 0 ? val("", "constant:not-chosen") : derive([...machine.hostKeys] as unknown as [Val<string>], () => knownHostsPath)),
    variable("CB_VP_ARCHITECTURE", containers[0]?.architecture ?? val("", "constant:not-chosen")),
    ...numbered("CB_GUEST_FILE", guest.files, (file) => ({
      FILE: constant(guestFilePath(file)),
      PATH: constant(file.path),
      MODE: constant(file.mode.toString(8).padStart(4, "0")),
    })),
    ...numbered("CB_VP_UNIT", units, (unit) => ({ NAME: constant(unit) })),
    ...numbered("CB_VP_CONTAINER", containers, ({ role, imageId }) => ({ ROLE: role, IMAGE: imageId })),
    ...numbered("CB_VP_FOLDER", unique(containers.flatMap(({ volumes }) => volumes)), (path) => ({ PATH: path })),
    ...numbered("CB_VP_LISTEN", unique([...containers.flatMap(containerPorts), ...crmPorts(plan)]), (port) => ({ PORT: port })),
  ];
}

export const knownHostsPath = "site/known_hosts";

/**
 * Where the bundle holds a file of the guest's own: below site/guest/, as on the machine. Paths of a bundle have letters,
 * digits and `. _ -` only; anything else becomes `_`, and site.env has the real path.
 */
export function guestFilePath({ path }: OwnFile): string {
  return `site/guest${path.replace(/[^A-Za-z0-9._/-]/g, "_")}`;
}

/** TCP ports of this machine that the container takes, as far as the plan knows. */
function containerPorts({ health, arguments: words }: ContainerPlan): readonly Val<number>[] {
  const listens = words.flatMap((word) => {
    const port = /^--web\.listen-address=:(\d+)$/.exec(word.value)?.[1];
    return port === undefined ? [] : [derive([word], () => Number(port))];
  });
  return health === undefined ? listens : [health.port, ...listens];
}

function crmPorts(plan: Plan): readonly Val<number>[] {
  const port = derive([plan.spec.crm.notifySrvAddr], (address) => Number(address.slice(address.lastIndexOf(":") + 1)));
  // 0: a free one.
  return port.value > 0 ? [port] : [];
}

/** The first of those that are equal. */
function unique<T extends Val>(values: readonly T[]): readonly T[] {
  return values.filter((each, index) => values.findIndex((other) => other.value === each.value) === index);
}

function variable(name: string, value: Val): Variable {
  return { name: constant(name), value };
}

function constant(value: string): Val<string> {
  return val(value, "constant:guest-files");
}

/** PREFIX_COUNT, and for each item PREFIX_<number>_<key>. The count comes from whatever the items come from. */
function numbered<T>(prefix: string, items: readonly T[], fields: (item: T) => Readonly<Record<string, Val>>): readonly Variable[] {
  const rows = items.map(fields);
  const origins = [...new Set(rows.flatMap((row) => Object.values(row).flatMap((each) => each.origins)))].sort() as readonly Origin[];
  const [first, ...rest] = origins;
  const count = first === undefined ? val(0, "constant:not-chosen") : val(items.length, first, ...rest);
  return [
    variable(`${prefix}_COUNT`, count),
    ...rows.flatMap((row, index) => Object.entries(row).map(([key, value]) => ({ name: derive([value], () => `${prefix}_${index + 1}_${key}`), value }))),
  ];
}
