/** A PostgreSQL cluster of the tests' own: a folder, a user that is not root, loopback, a password, and an end. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Cluster {
  readonly port: number;
  readonly password: string;
  /** Without a password in it. */
  readonly url: (database: string) => string;
  readonly createDatabase: (name: string) => void;
  readonly sql: (database: string, text: string) => string;
  /** `fast` cuts every connection, as an operator's restart does. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const bin = binaries();
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-postgres-"));
  const owner = postgresUser();
  const as = owner === undefined ? {} : { uid: owner.uid, gid: owner.gid };
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const password = randomBytes(12).toString("hex");
  writeFileSync(join(folder, "password"), password, { mode: 0o600 });
  chmodSync(folder, 0o755);
  if (owner !== undefined) for (const path of [data, join(folder, "password")]) chownSync(path, owner.uid, owner.gid);
  const environment = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", PGPASSWORD: password };
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "bundles", "-A", "scram-sha-256", `--pwfile=${join(folder, "password")}`, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], { ...as, cwd: "/", env: environment, stdio: "ignore" });
  const port = await freePort();
  let server: ChildProcess | undefined;
  const sql = (database: string, text: string): string =>
    execFileSync(join(bin, "psql"), ["-h", "127.0.0.1", "-p", String(port), "-U", "bundles", "-d", database, "-XAtqc", text], { cwd: "/", env: environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const start = async (): Promise<void> => {
    // Nothing here has to outlive a power cut.
    const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "fsync=off", "max_connections=60", "shared_buffers=32MB", "log_min_messages=panic"];
    server = spawn(join(bin, "postgres"), ["-D", data, ...settings.flatMap((each) => ["-c", each])], { ...as, cwd: "/", env: environment, stdio: "ignore" });
    for (let tries = 0; spawnSync(join(bin, "pg_isready"), ["-q", "-h", "127.0.0.1", "-p", String(port)], { cwd: "/" }).status !== 0; tries += 1) {
      if (tries > 200) throw new Error("PostgreSQL does not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const stop = async (): Promise<void> => {
    const running = server;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGINT");
    await ended;
  };
  await start();
  return {
    port, password, sql, start, stop,
    url: (database) => `postgres://bundles@127.0.0.1:${port}/${database}`,
    createDatabase: (name) => void sql("postgres", `create database "${name}"`),
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Debian keeps every version in a folder of its own; the newest is taken. */
function binaries(): string {
  const versions = readdirSync("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a));
  if (versions[0] === undefined) throw new Error("PostgreSQL is not installed: run test/conformance/scaled/setup");
  return join("/usr/lib/postgresql", versions[0], "bin");
}

/** PostgreSQL refuses to run as root. */
function postgresUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
