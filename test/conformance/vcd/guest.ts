/** What the VM is told, read by Debian's own cloud-init. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environmentXml } from "./inventory.ts";
import type { Property } from "./inventory.ts";

const lab = process.env["LAB_DIR"] ?? "/var/tmp/lab-cloud-init";

export interface Told {
  readonly metadata: { readonly "instance-id": string; readonly "local-hostname": string; readonly "network-config": unknown };
  readonly userData: string;
}

export function toldTo(properties: readonly Property[]): Told {
  const run = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "read-ovf-environment.py")], {
    input: environmentXml(properties),
    encoding: "utf8",
    env: { PATH: process.env["PATH"], PYTHONPATH: join(lab, "root/usr/lib/python3/dist-packages"), PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Told;
}
