/** Debian's docker-registry on this machine, images pushed with skopeo, and our own command to pull them. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";

export const root = join(import.meta.dirname, "../../..");
const cli = join(root, "bin/cloudlet-bundle.js");

export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly stop: () => Promise<void>;
}

export interface RegistryHow {
  readonly address?: string;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** A file of `htpasswd -B`. */
  readonly htpasswd?: string;
}

export function workFolder(): string {
  return mkdtempSync(join(tmpdir(), "cloudlet-registry-"));
}

/** Starts a registry that keeps its images below `folder`, and waits until it listens. */
export async function startRegistry(folder: string, how: RegistryHow = {}): Promise<Registry> {
  const address = how.address ?? "127.0.0.1";
  const port = await freePort(address);
  const host = `${address}:${port}`;
  const tls = how.tls === undefined ? {} : { tls: { certificate: how.tls.certificate, key: how.tls.key } };
  const auth = how.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "test", path: how.htpasswd } } };
  mkdirSync(join(folder, "images"), { recursive: true });
  const config = join(folder, `config-${port}.yml`);
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({ version: 0.1, log: { level: "error" }, storage: { filesystem: { rootdirectory: join(folder, "images") } }, http: { addr: host, ...tls }, ...auth }),
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  await untilListening(address, port, child);
  return { host, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const at = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (at === null || typeof at === "string") throw new Error("no port");
  return at.port;
}

async function untilListening(address: string, port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with status ${child.exitCode}`);
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address, () => resolve(true));
      socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
    });
    if (isThere) return;
    await sleepFor(100);
  }
  throw new Error("docker-registry does not listen");
}

/** `more` are options of `skopeo copy`. */
export function push(source: string, destination: string, ...more: readonly string[]): void {
  execFileSync("skopeo", ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", ...more, source, destination], { stdio: ["ignore", "ignore", "inherit"] });
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Of these, how long others had the processor that its first thread was ready for: proc(5), schedstat. */
  readonly waitedSeconds: number;
  /** The most memory that it held at a time: VmHWM of proc(5). */
  readonly peakMiB: number;
}

/** Runs `cloudlet-bundle` with exactly these variables besides PATH and HOME; Ctrl-C is pressed once `until` is so. */
export async function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}, until: () => boolean = () => false): Promise<Ran> {
  const begun = performance.now();
  const child = spawn(process.execPath, [cli, ...words], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let peakMiB = 0;
  let waitedSeconds = 0;
  const watch = setInterval(() => {
    if (until()) child.kill("SIGINT");
    try {
      peakMiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? peakMiB * 1024) / 1024;
      waitedSeconds = Number(readFileSync(`/proc/${child.pid}/schedstat`, "utf8").split(" ")[1]) / 1e9;
    } catch {
      // It has just ended.
    }
  }, 50);
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(watch);
  return { status, stdout, stderr, seconds: (performance.now() - begun) / 1_000, waitedSeconds, peakMiB };
}

/** The reference release with other sources for its containers: `source` gets the role's file name. */
export function writeRelease(path: string, inputs: string, source: (name: string) => string): void {
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replace(/docker-archive:\.\.\/\.\.\/out\/inputs\/(\w+)\.docker\.tar/g, (_, name: string) => source(name))
    .replaceAll("../../out/inputs", inputs);
  writeFileSync(path, text);
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
