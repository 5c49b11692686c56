/** A machine of a pool: a VM of the lab's image with an SSH server, set up by its site before any bundle knew of it. */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { accelerator, lab, patience } from "../boot/guest.ts";
import type { Engine } from "../boot/guest.ts";

const work = join(import.meta.dirname, "../../../out/conformance/vmpool");

/** Keys of the site: of the operator who logs in, and of the machine's SSH server. The same in every test of a run. */
export interface SiteKeys {
  /** Path of the operator's private key. */
  readonly identity: string;
  /** The machine's public host key, one line. */
  readonly hostKey: string;
  /** Another machine's. */
  readonly otherHostKey: string;
}

export interface PoolVm {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Runs a script as root over SSH, apart from what is tested. Throws when it fails. */
  readonly ask: (script: string) => string;
  /** Restarts it in order, and waits until it can be asked. */
  readonly reboot: () => Promise<void>;
  readonly off: () => Promise<void>;
}

/** Addresses of QEMU's user network: the host that the guest sees, and the guest. */
export const hostAddress = "10.0.2.2";
export const guestAddress = "10.0.2.15";

export function siteKeys(): SiteKeys {
  mkdirSync(work, { recursive: true });
  const made = ["operator", "host", "other"].map((name) => {
    const path = join(work, name);
    rmSync(path, { force: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path]);
    return path;
  });
  const publicOf = (path: string): string => readFileSync(`${path}.pub`, "utf8").trim();
  return { identity: made[0] as string, hostKey: publicOf(made[1] as string), otherHostKey: publicOf(made[2] as string) };
}

/** Boots a fresh machine and waits until it can be asked. Its users: root, `ops` who may sudo, `weak` who may not. */
export async function poolVm(name: string, engine: Engine, keys: SiteKeys): Promise<PoolVm> {
  const disk = join(work, `${name}.qcow2`);
  const console = join(work, `${name}.console`);
  rmSync(disk, { force: true });
  // As big as the smallest PlatformVM; only what is written takes room.
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", join(lab, `${engine}.qcow2`), disk, "40G"]);
  const port = await freePort();
  const qemu = spawn("qemu-system-x86_64", words(disk, seed(name, keys), console, port), { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(qemu, "close");
  const kill = (): boolean => qemu.kill("SIGKILL");
  process.once("exit", kill);
  // A test that takes too long is ended by a signal, which skips what is done at an exit.
  process.once("SIGTERM", () => process.exit(143));
  const ask = (script: string): string =>
    execFileSync("ssh", [...plainSsh(keys, port), "root@127.0.0.1", "sh -s"], { input: script, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  const up = async (): Promise<void> => {
    for (const deadline = Date.now() + 120_000 * patience; ; await setTimeout(500)) {
      try {
        ask("cloud-init status --wait >/dev/null; systemctl is-system-running --wait >/dev/null || :");
        return;
      } catch (error) {
        if (Date.now() > deadline || qemu.exitCode !== null) throw new Error(`${name} does not come up\n${readFileSync(console, "latin1").slice(-3000)}`, { cause: error });
      }
    }
  };
  await up();
  return {
    port,
    ask,
    reboot: async () => {
      const before = ask("cat /proc/sys/kernel/random/boot_id");
      ask("systemctl --no-block reboot");
      for (;;) {
        await setTimeout(1_000);
        await up();
        if (ask("cat /proc/sys/kernel/random/boot_id") !== before) return;
      }
    },
    off: async () => {
      kill();
      await ended;
      process.off("exit", kill);
      rmSync(disk, { force: true });
    },
  };
}

function words(disk: string, image: string, console: string, port: number): readonly string[] {
  const acceleration = accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max,la57=off"];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "4096", "-smp", "2"],
    ...acceleration,
    ...["-kernel", join(lab, "vmlinuz"), "-initrd", join(lab, "initrd.img")],
    ...["-append", "console=ttyS0 quiet loglevel=3 mitigations=off nokaslr audit=0 apparmor=0 random.trust_cpu=on systemd.show_status=0"],
    ...["-serial", `file:${console}`, "-serial", "null", "-serial", "null", "-device", "virtio-rng-pci"],
    ...["-drive", `if=virtio,format=qcow2,cache=writeback,file=${disk}`],
    ...["-drive", `if=virtio,format=raw,readonly=on,file=${image}`],
    // Nothing but the one way in: the machine reaches nobody.
    ...["-netdev", `user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`, "-device", "virtio-net-pci,netdev=net0,romfile="],
  ];
}

/** cloud-init's NoCloud disk of a site that hands out keys. */
function seed(name: string, keys: SiteKeys): string {
  const folder = join(work, `${name}.seed`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const login = readFileSync(`${keys.identity}.pub`, "utf8").trim();
  const user = (each: string, more: object): object => ({ name: each, shell: "/bin/sh", ssh_authorized_keys: [login], lock_passwd: true, ...more });
  const userData = {
    disable_root: false,
    users: [user("root", {}), user("ops", { sudo: "ALL=(ALL) NOPASSWD:ALL" }), user("weak", {})],
    ssh_keys: { ed25519_private: readFileSync(join(work, "host"), "utf8"), ed25519_public: keys.hostKey },
    ssh_pwauth: false,
  };
  writeFileSync(join(folder, "user-data"), `#cloud-config\n${JSON.stringify(userData)}\n`);
  writeFileSync(join(folder, "meta-data"), JSON.stringify({ "instance-id": name, "local-hostname": name }));
  const image = `${folder}.iso`;
  execFileSync("xorriso", ["-as", "mkisofs", "-quiet", "-J", "-R", "-V", "CIDATA", "-o", image, folder], { stdio: ["ignore", "ignore", "pipe"] });
  return image;
}

/** The test's own way in, which asks for no host key: what it is used for proves nothing of that. */
function plainSsh(keys: SiteKeys, port: number): readonly string[] {
  return ["-q", "-F", "/dev/null", "-i", keys.identity, "-p", String(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"];
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
