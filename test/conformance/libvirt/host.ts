/** The KVM host: libvirt's daemons where none run, a bridge, and what is left on it of a VM. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Where setup has left the guest that boots, and where the tests have their VMs' disks. */
export const lab = "/var/tmp/cloudlet-libvirt";
export const bridge = "cbconf0";
/** Of the bridge, the host's own; its network has 24 bits. */
export const hostAddress = "10.98.7.1";

export interface Host {
  /** Stops what was started, and takes the bridge away. */
  readonly close: () => Promise<void>;
}

/** As a host of an operator's is: root, libvirtd with virtlogd, one bridge. There is no systemd here. */
export async function openHost(): Promise<Host> {
  const daemons: ChildProcess[] = [];
  for (const folder of ["/run/libvirt", "/var/log/libvirt/qemu"]) mkdirSync(folder, { recursive: true });
  if (!isAnswering()) {
    for (const name of ["virtlogd", "libvirtd"]) {
      daemons.push(spawn(name, [], { stdio: "ignore" }));
      await sleep(500);
    }
  }
  for (let tries = 0; !isAnswering(); tries += 1) {
    if (tries > 60) throw new Error("libvirtd does not answer");
    await sleep(500);
  }
  if (!existsSync(`/sys/class/net/${bridge}`)) {
    ip("link", "add", bridge, "type", "bridge");
    ip("addr", "add", `${hostAddress}/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
  }
  return {
    close: async () => {
      ip("link", "delete", bridge);
      rmSync(`${lab}/storage`, { recursive: true, force: true });
      for (const daemon of daemons.reverse()) {
        daemon.kill("SIGTERM");
        for (let tries = 0; daemon.exitCode === null && daemon.signalCode === null && tries < 40; tries += 1) await sleep(250);
      }
    },
  };
}

function isAnswering(): boolean {
  return spawnSync("virsh", ["--connect", "qemu:///system", "version"], { stdio: "ignore" }).status === 0;
}

export function ip(...words: readonly string[]): string {
  return execFileSync("ip", words, { encoding: "utf8" });
}

export function virsh(...words: readonly string[]): string {
  return execFileSync("virsh", ["--connect", "qemu:///system", "--quiet", ...words], { encoding: "utf8" }).trim();
}

/** All that a VM could leave: domains, UEFI variables, processes, devices on the bridge, files. */
export function leftOvers(name: string, uuid: string): readonly string[] {
  const nvram = "/var/lib/libvirt/qemu/nvram";
  const processes = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && commandLine(entry).includes(uuid));
  return [
    ...virsh("list", "--all", "--name").split("\n").filter((each) => each === name),
    ...(existsSync(nvram) ? readdirSync(nvram).filter((file) => file.startsWith(name)) : []),
    ...processes.map((number) => `process ${number}`),
    ...readdirSync(`/sys/class/net/${bridge}/brif`).map((device) => `device ${device}`),
    ...(existsSync(`${lab}/storage`) ? [`${lab}/storage`] : []),
  ];
}

/** The command line of the VM's process, whoever runs it. */
export function processOf(uuid: string): string | undefined {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).find((entry) => commandLine(entry).includes(uuid));
}

export function commandLine(number: string): readonly string[] {
  try {
    return readFileSync(`/proc/${number}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
