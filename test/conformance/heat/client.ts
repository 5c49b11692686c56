/** The official client, as the lab's unprivileged user. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const lab = process.env["LAB_DIR"] ?? "/var/tmp/openstack-lab";

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The client's Python is Debian's, so nothing else may be on the path before it. */
export function openstack(...words: readonly string[]): Answer {
  return spawnSync("/usr/bin/openstack", words, {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", HOME: lab, LC_ALL: "C.UTF-8", OS_CLIENT_CONFIG_FILE: join(lab, "clouds.yaml"), OS_CLOUD: "cloudlet" },
  });
}
