/** govc, and govmomi's simulator of vCenter on a port of its own. */

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";

const bin = join(process.env["LAB_DIR"] ?? "/var/tmp/lab-vsphere", "bin");

export interface Simulator {
  govc(words: readonly string[]): { readonly status: number; readonly text: string };
  close(): void;
}

/** An empty vCenter with a cluster, a datastore and two port groups; it says where it listens. */
export async function openSimulator(): Promise<Simulator> {
  const child: ChildProcess = spawn(join(bin, "vcsim"), ["-l", "127.0.0.1:0", "-dc", "1", "-cluster", "1", "-host", "1", "-vm", "0", "-pg", "2"], { stdio: ["ignore", "pipe", "ignore"] });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.on("error", reject);
    child.on("close", () => reject(new Error(`vcsim ended: ${said}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /GOVC_URL=(\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const env = {
    PATH: process.env["PATH"], GOVC_URL: url, GOVC_INSECURE: "1", GOVC_PERSIST_SESSION: "false", GOVC_DATACENTER: "DC0", GOVC_DATASTORE: "LocalDS_0", GOVC_RESOURCE_POOL: "/DC0/host/DC0_C0/Resources",
  };
  return {
    govc(words) {
      const run = spawnSync(join(bin, "govc"), words, { encoding: "utf8", env, timeout: 60_000 });
      return { status: run.status ?? 255, text: `${run.stdout}${run.stderr}` };
    },
    close: () => void child.kill(),
  };
}
