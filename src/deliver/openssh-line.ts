/** A line by the system's own `ssh`, for what the library does not do: certificates, FIDO keys, GSSAPI, ProxyJump of ssh_config. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import { shWord } from "../core/sh-word.ts";
import { LineCut, remoteProcess, type Line } from "./line.ts";
import { plainText } from "./plain-text.ts";
import { hostAndPort, showTarget, type Target } from "./target.ts";

export interface OpensshWay {
  /** The jump hosts in order, and the host itself as the last. */
  readonly hops: readonly Target[];
  /** Only this file counts, besides the system's. */
  readonly knownHosts: string | undefined;
  readonly identities: readonly string[];
  /** ssh finds its agent, its configuration and the terminal by it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** One connection that all commands share: whoever has to touch a token does it once. */
export async function openOpensshLine(way: OpensshWay): Promise<Line> {
  // Short: the path of a socket has 104 characters at most.
  const folder = await mkdtemp(join(tmpdir(), "cb-"));
  const socket = join(folder, "s");
  const target = way.hops.at(-1);
  if (target === undefined) throw new Error("a way has a host at its end");
  const master = spawn("ssh", ["-M", "-N", "-S", socket, "-o", "ControlPersist=no", ...sshWords(way)], { env: way.environment as NodeJS.ProcessEnv, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  let isGone = false;
  master.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-8192)));
  const gone = new Promise<void>((resolve) => {
    master.on("error", (error) => {
      said = error.message;
      resolve();
    });
    master.on("close", () => resolve());
  }).then(() => void (isGone = true));
  const close = (): void => {
    way.signal.removeEventListener("abort", close);
    master.kill("SIGTERM");
    void rm(folder, { recursive: true, force: true });
  };
  way.signal.addEventListener("abort", close, { once: true });
  while (!isGone && !(await isUp(socket, target, way))) await Promise.race([sleepFor(100), gone]);
  if (isGone) {
    close();
    way.signal.throwIfAborted();
    throw meaning(plainText(said).trim(), target);
  }
  return { exec: async (command) => execOver(socket, target, way, gone, command), close };
}

async function execOver(socket: string, target: Target, way: OpensshWay, gone: Promise<void>, command: string): ReturnType<Line["exec"]> {
  const child = spawn("ssh", ["-S", socket, "-o", "ControlMaster=no", "-T", "-l", target.user, "-p", String(target.port), "--", target.host, command], {
    env: way.environment as NodeJS.ProcessEnv,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.on("error", (error) => reject(new EnvironmentError(`ssh can't be started: ${error.message}`, { cause: error })));
    // 255 is ssh's own: none of our scripts ends with it.
    child.on("close", (status) => (status === 255 || status === null ? reject(new LineCut("the line was cut")) : resolve(status)));
    void gone.then(() => sleepFor(200)).then(() => reject(new LineCut("the line was cut")));
  });
  ended.catch(() => child.kill("SIGKILL"));
  return remoteProcess({ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended });
}

function isUp(socket: string, target: Target, way: OpensshWay): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("ssh", ["-S", socket, "-O", "check", "--", target.host], { env: way.environment as NodeJS.ProcessEnv, stdio: "ignore" });
    child.on("error", () => resolve(false)).on("close", (status) => resolve(status === 0));
  });
}

/** The options before the host, and the host. Exported for the tests. */
export function sshWords(way: OpensshWay): readonly string[] {
  const target = way.hops.at(-1) as Target;
  const jumps = way.hops.slice(0, -1);
  const proxy = jumps.length === 0 ? [] : ["-o", `ProxyCommand=${proxyCommand(jumps, way)}`];
  return [...strictWords(way), ...proxy, "-l", target.user, "-p", String(target.port), "--", target.host];
}

/** Each jump host is asked for its key as strictly as the last: ssh's own -J does not hand these options on. */
function proxyCommand(jumps: readonly Target[], way: OpensshWay): string {
  const last = jumps.at(-1) as Target;
  const before = jumps.slice(0, -1);
  const nested = before.length === 0 ? [] : ["-o", `ProxyCommand=${proxyCommand(before, way)}`];
  const words = ["ssh", ...strictWords(way), ...nested, "-l", last.user, "-p", String(last.port), "-W", "\0", "--", last.host];
  // A percent sign is ssh's; %h and %p are the host's that is to be reached, which only the shell may not see bare.
  return `${words.map((word) => (word === "\0" ? "[%h]:%p" : shWord(word).replaceAll("%", "%%"))).join(" ")}`;
}

function strictWords({ knownHosts, identities }: OpensshWay): readonly string[] {
  return [
    ...["-o", "StrictHostKeyChecking=yes", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "ConnectTimeout=30"],
    // A relative or strange path is one word for ssh only in its own quotes.
    ...(knownHosts === undefined ? [] : ["-o", `UserKnownHostsFile=${optionWord(knownHosts)}`, "-o", "GlobalKnownHostsFile=/dev/null"]),
    ...identities.flatMap((path) => ["-i", path.replaceAll("%", "%%")]),
    ...(identities.length === 0 ? [] : ["-o", "IdentitiesOnly=yes"]),
  ];
}

/** ssh_config(5): arguments may be enclosed in double quotes; a percent sign begins a token. */
function optionWord(path: string): string {
  return `"${path.replaceAll("%", "%%").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** What ssh's last words mean: worth another try, or not. */
function meaning(said: string, target: Target): Error {
  const name = hostAndPort(target);
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known/.test(said)) {
    return new EnvironmentError(`the host key of ${name} is refused: ${said}`, { hint: "nothing was sent. Compare the key with what the host's administrator tells you by another channel; then put it into known_hosts" });
  }
  if (/Permission denied|Too many authentication failures|No more authentication methods/.test(said)) {
    return new EnvironmentError(`${showTarget(target)} does not let us in: ${said}`, { hint: "give a key with --identity, or start an agent (ssh-add)" });
  }
  if (/ENOENT/.test(said)) return new EnvironmentError("there is no ssh on this machine", { hint: "install the OpenSSH client, or use --transport ssh2" });
  if (/Bad configuration option|unknown option|usage: ssh/i.test(said)) return new EnvironmentError(`ssh does not take what it is told: ${said}`);
  const neverThere = /Connection refused|No route to host|Could not resolve|Network is unreachable|Name or service not known/.test(said);
  return new LineCut(`${name} can't be reached: ${said || "ssh ended"}`, { neverThere });
}
