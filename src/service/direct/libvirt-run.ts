/** What a run of install.sh on the service's own KVM host has otherwise than one that logs in to a site. */

import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import type { InstallationRow } from "../state/tables.ts";
import { usualProcessLimits, type ProcessLimits } from "./confined.ts";
import { hostParameters, type LibvirtHost } from "./libvirt-host.ts";
import type { SiteValues } from "./libvirt-limits.ts";

const GiB = 1_024 ** 3;

/** As somebody asked for it, and where the VMs of this host are; of what is there already, where it was put, which the state folder knows. */
export async function libvirtParameters(host: LibvirtHost, action: InstallationRow["action"], asked: Readonly<Record<string, string>>, state: string): Promise<Readonly<Record<string, string>>> {
  const isKnown = action === "rollback" || (action === "uninstall" && (await readdir(join(state, "bundles")).catch(() => [])).length > 0);
  return isKnown ? asked : { ...asked, ...hostParameters(host) };
}

/**
 * What install.sh would take over where no parameter is given: those of what is there or was begun, as journal.sh and run.sh find
 * them. As the host's own always are given, it takes over none by itself.
 */
export async function savedParameters(host: LibvirtHost, state: string): Promise<Readonly<Record<string, string>>> {
  let key: string | undefined;
  for (const line of (await readOr(join(state, "journal"))).split("\n")) {
    const [, bundle, parameters] = /^\S+ (?:start|end) (?:install|upgrade|rollback) bundle=([0-9a-f]{64}) parameters=([0-9a-f]{64}) /.exec(line) ?? [];
    if (bundle !== undefined && parameters !== undefined) key = `${bundle}.${parameters}`;
    else if (/^\S+ end uninstall /.test(line)) key = undefined;
  }
  const lines = key === undefined ? [] : (await readOr(join(state, "bundles", key, "parameters"))).split("\n").filter((line) => line.includes("="));
  const own = hostParameters(host);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]).filter(([name]) => !Object.hasOwn(own, name)));
}

async function readOr(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

/**
 * The root disk is a file that install.sh writes, larger than what is written for other platforms: as large as the disk is to be, and
 * qcow2's own tables. With QEMU alone the VM is a process of install.sh's, which inherits its limits, and is to run for years.
 */
export function libvirtLimits({ driver }: LibvirtHost, asked: Readonly<Record<string, string>>, machines: readonly SiteValues[], { files }: StoredLayout): ProcessLimits {
  if (driver === "qemu") return { cpuSeconds: undefined, fileBytes: undefined };
  const disks = machines.map((site) => Number(asked["root_disk_gib"] ?? site["CB_LV_ROOT_DISK_GIB"]) * GiB).filter(Number.isSafeInteger);
  return { cpuSeconds: usualProcessLimits.cpuSeconds, fileBytes: Math.max(...disks, ...files.map(({ size }) => size), 0) + usualProcessLimits.fileBytes };
}

/** Of two machines a state folder remembers which one is here; when none is any more, the other may come. */
export async function forgetMachine(state: string): Promise<void> {
  for (const role of ["primary", "secondary"]) await rm(join(state, role), { force: true });
}
