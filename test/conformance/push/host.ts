/** A jump host of its own: sshd in a network namespace whose only way is the one to this machine, with a home folder that is empty at first. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";

export const work = join(import.meta.dirname, "../../../out/conformance/push");

export interface JumpHost {
  readonly address: string;
  readonly port: number;
  /** Of root, there. */
  readonly home: string;
  /** The public host key, as known_hosts has it behind the name. */
  readonly hostKey: string;
  /** Runs a script there, without SSH. */
  readonly ask: (script: string) => string;
  /** Gives sshd another host key. */
  readonly changeKey: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The private key that lets root in everywhere. */
export function identity(): string {
  return keyAt(join(work, "identity"));
}

/** Makes an Ed25519 key, with a passphrase or without. */
export function keyAt(path: string, passphrase = ""): string {
  mkdirSync(work, { recursive: true });
  for (const each of [path, `${path}.pub`]) rmSync(each, { force: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path]);
  return path;
}

export interface HostChoice {
  /** Network of the namespace, `10.96.<net>.0/30`. */
  readonly net: number;
  readonly authorized: readonly string[];
  /** Lines of sshd_config besides. */
  readonly more?: readonly string[];
  /** The only folders with programs. */
  readonly path?: string;
}

export async function jumpHost(name: string, { net, authorized, more = [], path }: HostChoice): Promise<JumpHost> {
  const namespace = `cbpush-${name}`;
  const [near, address] = [`10.96.${net}.1`, `10.96.${net}.2`];
  const port = 22;
  const folder = join(work, `host-${name}`);
  const home = join(folder, "home");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  mkdirSync("/run/sshd", { recursive: true });
  remove(namespace, net);
  ip("netns", "add", namespace);
  ip("link", "add", `cbp${net}a`, "type", "veth", "peer", "name", `cbp${net}b`, "netns", namespace);
  ip("address", "add", `${near}/30`, "dev", `cbp${net}a`);
  ip("link", "set", `cbp${net}a`, "up");
  ip("-n", namespace, "link", "set", "lo", "up");
  ip("-n", namespace, "address", "add", `${address}/30`, "dev", `cbp${net}b`);
  ip("-n", namespace, "link", "set", `cbp${net}b`, "up");
  const key = keyAt(join(folder, "host_key"));
  writeFileSync(join(folder, "authorized_keys"), authorized.map((path) => readFileSync(`${path}.pub`, "utf8")).join(""));
  const config = join(folder, "sshd_config");
  writeFileSync(
    config,
    [`Port ${port}`, `ListenAddress ${address}`, `HostKey ${key}`, `PidFile none`, `AuthorizedKeysFile ${join(folder, "authorized_keys")}`, "StrictModes no"]
      .concat(["UsePAM no", "PermitRootLogin prohibit-password", `SetEnv HOME=${home}${path === undefined ? "" : ` PATH=${path}`}`, "MaxStartups 100", "Subsystem sftp /bin/false", ...more, ""])
      .join("\n"),
  );
  let server = await start(namespace, config, { address, port });
  const ask = (script: string): string => execFileSync("ip", ["netns", "exec", namespace, "sh", "-c", script], { encoding: "utf8", env: { ...process.env, HOME: home } });
  return {
    address,
    port,
    home,
    get hostKey() {
      return readFileSync(`${key}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
    },
    ask,
    changeKey: async () => {
      await stop(server);
      keyAt(key);
      server = await start(namespace, config, { address, port });
    },
    close: async () => {
      await stop(server);
      remove(namespace, net);
    },
  };
}

/** Another SSH server than OpenSSH's, on this machine's loopback; it looks for keys in root's home folder, which is one of its own. */
export async function dropbear(name: string, authorized: string): Promise<{ readonly port: number; readonly hostKey: string; readonly close: () => Promise<void> }> {
  const folder = join(work, `dropbear-${name}`);
  const port = 2299;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync("dropbearkey", ["-t", "ed25519", "-f", join(folder, "key")], { stdio: "ignore" });
  const shown = execFileSync("dropbearkey", ["-y", "-f", join(folder, "key")], { encoding: "utf8" });
  const hostKey = /^ssh-ed25519 \S+/m.exec(shown)?.[0] ?? "";
  const script = 'mount --make-rprivate /; mount -t tmpfs -o mode=0700 tmpfs /root; mkdir -m 700 /root/.ssh; cat >/root/.ssh/authorized_keys; exec dropbear -F -E -r "$1" -p "127.0.0.1:$2"';
  const server = spawn("unshare", ["-m", "sh", "-euc", script, "sh", join(folder, "key"), String(port)], { stdio: ["pipe", "ignore", "ignore"] });
  server.stdin.end(readFileSync(`${authorized}.pub`));
  for (let tries = 0; tries < 100 && !(await answers({ address: "127.0.0.1", port })); tries += 1) await sleepFor(50);
  return { port, hostKey, close: () => stop(server) };
}

async function start(namespace: string, config: string, at: { readonly address: string; readonly port: number }): Promise<ChildProcess> {
  const server = spawn("ip", ["netns", "exec", namespace, "/usr/sbin/sshd", "-D", "-e", "-f", config], { stdio: ["ignore", "ignore", "ignore"] });
  for (let tries = 0; tries < 100; tries += 1) {
    if (server.exitCode !== null) throw new Error(`sshd ended with status ${server.exitCode}`);
    if (await answers(at)) return server;
    await sleepFor(50);
  }
  throw new Error("sshd does not listen");
}

function answers({ address, port }: { readonly address: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once("close", resolve));
  server.kill("SIGTERM");
  await ended;
}

/** Also what a run that was killed has left. What still runs in it is ended first; the kernel takes its time to take the wire away. */
function remove(namespace: string, net: number): void {
  const quietly = (act: () => void): void => {
    try {
      act();
    } catch {
      // There is none.
    }
  };
  quietly(() => {
    const pids = execFileSync("ip", ["netns", "pids", namespace], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n").filter((pid) => pid !== "");
    for (const pid of pids) process.kill(Number(pid), "SIGKILL");
  });
  quietly(() => ip("link", "delete", `cbp${net}a`));
  quietly(() => ip("netns", "delete", namespace));
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
}
