/** The podman and the docker that `setup` brought up, as a test drives them. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const environment = join(process.env["LAB_DIR"] ?? "/var/tmp/lab-containers", "env");

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Engine {
  run(...words: readonly string[]): Ran;
  /** What the format says of an image or a container; throws where there is none. */
  inspect(kind: "image" | "container", name: string, format: string): string;
  version(): string;
  /** Removes all containers and images. The engine is the lab's own, so nobody else misses them. */
  clear(): void;
}

export function engineNamed(name: "podman" | "docker"): Engine {
  if (!existsSync(environment)) throw new Error(`no ${environment}: run test/conformance/containers/setup`);
  const run = (...words: readonly string[]): Ran =>
    spawnSync("sh", ["-c", '. "$0" && exec "$@"', environment, name, ...words], { encoding: "utf8", timeout: 120_000 });
  const must = (...words: readonly string[]): string => {
    const ran = run(...words);
    if (ran.status !== 0) throw new Error(`${name} ${words.join(" ")}: ${ran.stderr}`);
    return ran.stdout.trim();
  };
  return {
    run,
    inspect: (kind, subject, format) => must(kind, "inspect", "--format", format, subject),
    version: () => must("version", "--format", name === "docker" ? "{{.Server.Version}}" : "{{.Client.Version}}"),
    clear: () => {
      const containers = must("ps", "-aq").split("\n").filter((id) => id !== "");
      if (containers.length > 0) must("rm", "-f", ...containers);
      const images = must("images", "-q").split("\n").filter((id) => id !== "");
      if (images.length > 0) must("rmi", "-f", ...new Set(images));
    },
  };
}
