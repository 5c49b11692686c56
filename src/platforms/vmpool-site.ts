/** The variables of site.env that only a VM pool has: the machine, what is written to it, what it is looked at for. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { OwnFile } from "../guest/files.ts";
import { enabledUnits, firewallUnit } from "../guest/files.ts";
import type { ContainerPlan } from "../plan/crm.ts";
import type { Plan } from "../plan/plan.ts";
import type { SiteVariable } from "./site-variables.ts";
import { listVariables, secretVariables, siteVariable } from "./site-variables.ts";
import { hostKeyAlias, platformMachine } from "./vmpool-parameters.ts";

/** In the order in which they stand in the file. */
export function vmpoolVariables(plan: Plan, guest: Guest): readonly SiteVariable[] {
  const machine = platformMachine(plan);
  const { containers, slots } = guest.machine;
  const units = [...(guest.files.some(({ path }) => path.endsWith(`/${firewallUnit}`)) ? [firewallUnit] : []), ...enabledUnits];
  return [
    ...secretVariables(slots, slots, (slot) => ({ PATH: slot.path })),
    siteVariable("CB_VP_MACHINE", machine.name),
    siteVariable("CB_VP_ADDRESS", machine.internalIp),
    siteVariable("CB_VP_USER", machine.ssh.user),
    siteVariable("CB_VP_PORT", machine.ssh.port),
    siteVariable("CB_VP_HOST_KEY_ALIAS", hostKeyAlias(plan)),
    siteVariable("CB_VP_KNOWN_HOSTS", machine.hostKeys.length === 0 ? val("", "constant:not-chosen") : derive([...machine.hostKeys] as unknown as [Val<string>], () => knownHostsPath)),
    siteVariable("CB_VP_ARCHITECTURE", containers[0]?.architecture ?? val("", "constant:not-chosen")),
    ...listVariables("CB_GUEST_FILE", guest.files, ({ path }) => constant(path), (file) => ({
      FILE: constant(guestFilePath(file)),
      PATH: constant(file.path),
      MODE: constant(file.mode.toString(8).padStart(4, "0")),
    })),
    ...listVariables("CB_VP_UNIT", units, constant, (unit) => ({ NAME: constant(unit) })),
    ...listVariables("CB_VP_CONTAINER", containers, ({ role }) => role, ({ role, imageId }) => ({ ROLE: role, IMAGE: imageId })),
    ...listVariables("CB_VP_FOLDER", unique(containers.flatMap(({ volumes }) => volumes)), (path) => path, (path) => ({ PATH: path })),
    ...listVariables("CB_VP_LISTEN", unique([...containers.flatMap(containerPorts), ...crmPorts(plan)]), (port) => port, (port) => ({ PORT: port })),
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

function constant(value: string): Val<string> {
  return val(value, "constant:guest-files");
}
