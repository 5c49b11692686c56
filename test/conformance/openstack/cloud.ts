/** The lab as a test sees it: as the project's user, as the administrator, and what is left in the project. */

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const labDir = process.env["LAB_DIR"] ?? "/var/tmp/openstack-lab";

export type Environment = Readonly<Record<string, string>>;

/** The client is Debian's, so Debian's Python has to come first. */
const PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** The variables of an openrc file, with nothing else of this process's environment. */
export function login(file: "openrc" | "openrc-admin"): Environment {
  const text = execFileSync("/bin/sh", ["-c", `. "$1" && env -0`, "sh", join(labDir, file)], { encoding: "utf8", env: { PATH } });
  const entries = text.split("\0").map((line): readonly [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return { PATH, LANG: "C.UTF-8", ...Object.fromEntries(entries.filter(([name]) => /^(OS_|no_proxy)/.test(name))) };
}

export const member = login("openrc");
export const administrator = login("openrc-admin");

/** What the client prints, without the last newline. Throws with its error. */
export function openstack(words: readonly string[], environment: Environment = member): string {
  const done = spawnSync("openstack", words, { encoding: "utf8", env: environment });
  if (done.status !== 0) throw new Error(`openstack ${words.join(" ")}: ${done.stderr}`);
  return done.stdout.trimEnd();
}

export function openstackJson(words: readonly string[], environment: Environment = member): unknown {
  return JSON.parse(openstack([...words, "-f", "json"], environment));
}

export function projectId(): string {
  return openstack(["token", "issue", "-f", "value", "-c", "project_id"]);
}

/** Stacks and images of ours that a run left behind when it was cut off: they would count against the quota of the next. */
export function clear(): void {
  const ids = (...words: readonly string[]): readonly string[] => openstack([...words, "-f", "value", "-c", "ID"]).split("\n").filter((line) => line !== "");
  const stacks = ids("stack", "list", "--tags", "cloudlet-bundle");
  if (stacks.length > 0) openstack(["stack", "delete", "--yes", "--wait", ...stacks]);
  const images = ids("image", "list", "--private").filter((id) => openstack(["image", "show", id, "-c", "properties"]).includes("cloudlet_bundle"));
  if (images.length > 0) openstack(["image", "delete", ...images]);
}

export interface Inventory {
  readonly [kind: string]: readonly string[];
}

/** Everything of the project that a bundle can make, by kind: ids, sorted. */
export function inventory(): Inventory {
  const project = projectId();
  const list = (...words: readonly string[]): readonly string[] =>
    openstack([...words, "-f", "value", "-c", "ID"]).split("\n").filter((line) => line !== "").sort();
  return {
    stacks: list("stack", "list"),
    servers: list("server", "list"),
    ports: list("port", "list", "--project", project),
    volumes: list("volume", "list"),
    images: list("image", "list", "--private"),
    groups: list("security", "group", "list", "--project", project),
    floating: list("floating", "ip", "list", "--project", project),
  };
}

/** The stack and its server as Heat and Nova date them: equal before and after, nothing was touched. */
export function stamp(stack: string): unknown {
  return [
    openstackJson(["stack", "show", stack, "-c", "id", "-c", "creation_time", "-c", "updated_time", "-c", "stack_status"]),
    openstackJson(["stack", "resource", "list", stack]),
    openstackJson(["server", "list", "--long", "-c", "ID", "-c", "Name", "-c", "Status"]),
    openstackJson(["image", "list", "--private", "-c", "ID", "-c", "Name", "-c", "Status"]),
  ];
}

/** How the lab plays a guest; see test/labs/openstack/lib/pylib/lab_nova.py. */
export interface GuestWish {
  /** Seconds from one stage to the next. */
  readonly pace?: number;
  readonly fail?: string;
  readonly silent?: true;
  readonly refuse?: true;
  readonly rotated?: true;
}

/** Until the next call; by the server's name. Without one, every guest becomes healthy. */
export function guestsDo(wishes: Readonly<Record<string, GuestWish>> = {}): void {
  const path = join(labDir, "data/nova/guests.json");
  if (Object.keys(wishes).length === 0) rmSync(path, { force: true });
  else writeFileSync(path, JSON.stringify(wishes), { mode: 0o644 });
}

/** A file of the server's config drive, as Nova made it. */
export function configDrive(server: string, path: string): string {
  return readFileSync(join(labDir, "data/nova/config-drives", server, path), "utf8");
}
