/** A real machine: boots a lab image under QEMU, reads its consoles, asks it things, cuts its power, boots it again. */

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { GuestInfo } from "./guest-info.ts";

/** Where test/labs/vm/build-image leaves the images. */
export const lab = process.env["CLOUDLET_VM_LAB"] ?? "/var/tmp/cloudlet-vm-lab";

/**
 * Emulation takes over where there is no KVM, or where CLOUDLET_VM_ACCEL=tcg asks for it. A /dev/kvm on a processor without
 * VMX or SVM is a paravirtual one (PVM), under which a plain kernel does not get beyond its first pages.
 */
export const accelerator: "kvm" | "tcg" = process.env["CLOUDLET_VM_ACCEL"] !== "tcg" && canVirtualize() ? "kvm" : "tcg";

/** How much longer everything may take under emulation, on machines that are busy besides. */
export const patience = accelerator === "kvm" ? 1 : 6;

export type Engine = "podman" | "docker";

export interface Status {
  readonly stage: string;
  readonly detail: string;
}

export interface Hardware {
  /** Raw disks, ISO images and VMDKs (by the name's end), read-only, in this order: vdb, vdc, … */
  readonly disks: readonly string[];
  /** Hardware addresses of the network cards. Each card has a cable to a network of its own on which nobody answers. */
  readonly cards?: readonly string[];
  /** As VMware makes a machine: paravirtual SCSI (so sda, sdb, …), vmxnet3, SMBIOS, a CD-ROM drive, guestinfo. Else virtio. */
  readonly vmware?: { readonly guestInfo: GuestInfo; readonly cdrom?: string };
}

/** What its disk is at first: a lab image, or a streamOptimized VMDK, to which QEMU can't write. */
export type Image = Engine | { readonly vmdk: string };

export interface Answer {
  readonly status: number;
  /** Standard output and standard error. */
  readonly text: string;
}

export interface Machine {
  readonly name: string;
  /** Switches it on, and waits until its kernel has started systemd. One machine at a time: they share two CPUs. */
  readonly boot: (hardware: Hardware) => Promise<Running>;
  /** Makes the disk larger while the machine is off. */
  readonly grow: (mebibytes: number) => void;
}

export interface Running {
  /** What it has said of itself since it was switched on. */
  readonly statuses: () => readonly Status[];
  /**
   * Waits for one of the stages, from the first status line on; gives that status. Throws with the end of what was said
   * when the machine goes down or says nothing of it for three minutes, times `patience`.
   */
  readonly until: (...stages: readonly string[]) => Promise<Status>;
  /** Runs a script of `sh` as root in the guest. Throws when nobody answers for a minute, times `patience`. */
  readonly ask: (script: string) => Promise<Answer>;
  /** As `ask`, for what must succeed: standard output. */
  readonly read: (script: string) => Promise<string>;
  /** A power cut: what was not written to the disk by now is lost. */
  readonly cut: () => Promise<void>;
  /** Shuts down in order. */
  readonly powerOff: () => Promise<void>;
  /** Both consoles, for whoever looks at a failure. */
  readonly said: () => string;
}

/** A machine of this image with a disk of its own in `folder`, which is there already. Bigger than the image by default. */
export function machine(folder: string, name: string, image: Image, diskMiB = 4096): Machine {
  const disk = join(folder, `${name}.qcow2`);
  rmSync(disk, { force: true });
  const behind = typeof image === "string" ? ["-F", "qcow2", "-b", join(lab, `${image}.qcow2`)] : ["-F", "vmdk", "-b", image.vmdk];
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...behind, disk, `${diskMiB}M`]);
  let boots = 0;
  return {
    name,
    boot: async (hardware) => {
      for (let attempt = 1; ; attempt += 1) {
        boots += 1;
        const running = boot(disk, join(folder, `${name}-${boots}`), hardware);
        if (await running.began()) return running;
        // On a host that is very busy, an emulated kernel may stop while it counts its processors. The disk is untouched.
        const text = running.said();
        await running.cut();
        if (attempt === 3) throw new Error(`${name}: does not start\n${text}`);
      }
    },
    grow: (mebibytes) => {
      execFileSync("qemu-img", ["resize", "-q", "-f", "qcow2", disk, `${mebibytes}M`]);
    },
  };
}

function boot(disk: string, prefix: string, hardware: Hardware): Running & { readonly began: () => Promise<boolean> } {
  const journal = `${prefix}.journal`;
  const port = `${prefix}.agent`;
  const infoPort = `${prefix}.guestinfo`;
  for (const path of [journal, port, infoPort]) rmSync(path, { force: true });
  // Ends with this process, however that ends.
  const words = ["--pdeathsig", "KILL", "qemu-system-x86_64", ...qemuWords(hardware, { disk, journal, port, infoPort })];
  const qemu = spawn("setpriv", words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(qemu, "close");
  const isDown = (): boolean => qemu.exitCode !== null || qemu.signalCode !== null;
  let console = "";
  let complaints = "";
  (qemu.stdout as NonNullable<ChildProcess["stdout"]>).setEncoding("latin1").on("data", (piece: string) => (console += piece));
  (qemu.stderr as NonNullable<ChildProcess["stderr"]>).setEncoding("utf8").on("data", (piece: string) => (complaints += piece));
  const said = (): string => {
    const tail = (text: string): string => text.replaceAll("\r", "").split("\n").slice(-40).join("\n");
    return `${complaints}--- console\n${tail(console)}\n--- journal\n${tail(readFileSync(journal, "latin1"))}`;
  };
  const statuses = (): readonly Status[] => statusesOf(console);
  const cut = async (): Promise<void> => {
    qemu.kill("SIGKILL");
    await ended;
  };
  const agent = asker(port, isDown);
  // QEMU waits for it before it starts.
  void hardware.vmware?.guestInfo.serve(infoPort, isDown);
  const until = async (...stages: readonly string[]): Promise<Status> => {
    for (const deadline = Date.now() + 180_000 * patience; ; await setTimeout(100)) {
      const status = statuses().find(({ stage }) => stages.includes(stage));
      if (status !== undefined) return status;
      if (!isDown() && Date.now() < deadline) continue;
      const text = said();
      await cut();
      throw new Error(`${prefix}: no ${stages.join(" or ")}\n${text}`);
    }
  };
  const read = async (script: string): Promise<string> => {
    const answer = await agent(script);
    if (answer.status !== 0) throw new Error(`${prefix}: ${script} ended with ${answer.status}\n${answer.text}`);
    return answer.text;
  };
  const powerOff = async (): Promise<void> => {
    // It may be down before it has answered.
    await agent("systemctl --no-block poweroff").catch(() => {});
    const timer = setTimeout(90_000 * patience, "late", { ref: false });
    if ((await Promise.race([ended, timer])) !== "late") return;
    const text = said();
    await cut();
    throw new Error(`${prefix}: does not shut down\n${text}`);
  };
  const began = async (): Promise<boolean> => {
    for (let waited = 0; waited < 20_000 * patience && !isDown(); waited += 100) {
      if (existsSync(journal) && statSync(journal).size > 0) return true;
      await setTimeout(100);
    }
    return false;
  };
  return { began, statuses, until, ask: agent, read, cut, powerOff, said };
}

/**
 * On a busy host, the emulated timer is late when the kernel looks whether it works; a kernel that panics ends at once.
 * A slow machine has written more by the time of a power cut, for ext4 writes names every 5 s, and what a program does not sync
 * 30 s later; so those times are as many times longer.
 */
const kernelWords =
  "console=ttyS0 quiet loglevel=3 mitigations=off nokaslr audit=0 apparmor=0 random.trust_cpu=on systemd.show_status=0 " +
  `no_timer_check panic=-1 rootflags=commit=${5 * patience} sysctl.vm.dirty_expire_centisecs=${3_000 * patience}`;

interface Files {
  readonly disk: string;
  readonly journal: string;
  readonly port: string;
  readonly infoPort: string;
}

function qemuWords(hardware: Hardware, { disk, journal, port, infoPort }: Files): readonly string[] {
  const { disks, cards = [], vmware } = hardware;
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine", "pc", "-m", "1024", "-smp", "2"],
    ...processorWords(vmware !== undefined),
    ...["-kernel", join(lab, "vmlinuz"), "-initrd", join(lab, "initrd.img")],
    ...["-append", kernelWords],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", `file,id=journal,path=${journal}`, "-serial", "chardev:journal"],
    ...["-chardev", `socket,id=agent,path=${port},server=on,wait=off`, "-serial", "chardev:agent"],
    ...["-device", "virtio-rng-pci"],
    ...(vmware === undefined ? [] : vmwareWords(infoPort, vmware.cdrom)),
    ...diskWords(disk, disks, vmware !== undefined),
    ...cards.flatMap((address, index) => [
      ...["-netdev", `hubport,id=net${index},hubid=${index}`],
      ...["-device", `${vmware === undefined ? "virtio-net-pci" : "vmxnet3"},netdev=net${index},mac=${address},romfile=`],
    ]),
    ...(cards.length === 0 ? ["-nic", "none"] : []),
  ];
}

/** VMware is told by SMBIOS alone, so the processor must not name another hypervisor (systemd-detect-virt looks there first). */
function processorWords(isVmware: boolean): readonly string[] {
  if (accelerator === "kvm") return ["-accel", "kvm", "-cpu", isVmware ? "host,kvm=off" : "host"];
  return ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", isVmware ? "max,la57=off,tcg-cpuid=off" : "max,la57=off"];
}

/** SMBIOS as hardware version 14 and later write it; a comma is doubled. */
function vmwareWords(infoPort: string, cdrom: string | undefined): readonly string[] {
  return [
    ...["-smbios", "type=1,manufacturer=VMware,, Inc.,product=VMware7,,1"],
    ...["-chardev", `socket,id=guestinfo,path=${infoPort},server=on,wait=on`, "-serial", "chardev:guestinfo"],
    ...["-device", "pvscsi,id=scsi0"],
    ...(cdrom === undefined ? [] : ["-drive", `if=ide,media=cdrom,format=raw,readonly=on,file=${cdrom}`]),
  ];
}

/** `cache=writeback`: what the guest has flushed is in the file when the process is killed, what it hasn't may be lost. */
function diskWords(disk: string, more: readonly string[], isVmware: boolean): readonly string[] {
  const drives = [
    `format=qcow2,cache=writeback,file=${disk}`,
    ...more.map((path) => `format=${path.endsWith(".vmdk") ? "vmdk" : "raw"},readonly=on,file=${path}`),
  ];
  if (!isVmware) return drives.flatMap((drive) => ["-drive", `if=virtio,${drive}`]);
  return drives.flatMap((drive, index) => [
    ...["-drive", `if=none,id=disk${index},${drive}`],
    ...["-device", `scsi-hd,bus=scsi0.0,scsi-id=${index},drive=disk${index}`],
  ]);
}

function statusesOf(console: string): readonly Status[] {
  // A line that is still being written has no end yet.
  return [...console.matchAll(/(?:^|\n)cloudlet-status (\{.*\})\r*\n/g)].map((match) => JSON.parse(match[1] as string) as Status);
}

/** The host's side of test/labs/vm/guest/usr/local/sbin/lab-agent: one question at a time. */
function asker(port: string, isDown: () => boolean): Running["ask"] {
  let number = 0;
  let received = "";
  let socket: Socket | undefined;
  const connect = async (): Promise<Socket> => {
    const made = createConnection(port);
    await once(made, "connect");
    made.setEncoding("latin1").on("data", (piece: string) => (received += piece));
    made.on("error", () => {});
    return made;
  };
  return async (script) => {
    number += 1;
    socket ??= await connect();
    const request = `${number} ${Buffer.from(script).toString("base64")}\n`;
    socket.write(request);
    const answered = new RegExp(`(?:^|\\n)${number} (\\d+) ([\\w+/=]*)\\n`);
    // A guest whose shell is not there yet throws away what it is sent, so it is asked again.
    for (let waited = 0; waited < 60_000 * patience && !isDown(); waited += 50) {
      const match = answered.exec(received);
      if (match !== null) return { status: Number(match[1]), text: Buffer.from(match[2] as string, "base64").toString("utf8") };
      await setTimeout(50);
    }
    throw new Error(`the guest does not answer: ${script}`);
  };
}

function canVirtualize(): boolean {
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"))) return false;
  try {
    closeSync(openSync("/dev/kvm", "r+"));
    return true;
  } catch {
    return false;
  }
}
