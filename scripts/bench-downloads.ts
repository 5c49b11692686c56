/** Who gives a bundle to a client: the service, and nginx with the same bytes as a file. */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { BenchInputs } from "./bench-inputs.ts";
import { serviceProcess } from "./service-process.ts";

export interface Giver {
  readonly url: string;
  /** Words for curl. */
  readonly words: readonly string[];
  readonly stop: () => Promise<void>;
}

/** The service in `folder`, with a bundle of these inputs, whose store it takes: it is gone from its place. */
export async function serviceGiving(folder: string, program: string, { release, store }: BenchInputs, spec: string): Promise<Giver> {
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  renameSync(store, join(state, "blobs"));
  const service = serviceProcess({ program, folder: state, log: join(folder, "log") });
  await service.enter((await service.start()) ?? "", "a password that nobody else has");
  const id = await service.upload(readFileSync(release, "utf8"), readFileSync(release.replace(/\.yaml$/, ".lock.json"), "utf8"));
  const cloudlet = await service.ask("POST", "/v1/cloudlets", readFileSync(spec, "utf8"), "application/yaml");
  const asked = await service.ask("POST", "/v1/bundles", { cloudlet: cloudlet["id"] ?? "", release: id });
  const { state: outcome } = await service.ready(String(asked["id"]));
  if (outcome !== "ready") throw new Error(`the service's bundle is ${String(outcome)}`);
  return {
    url: `${service.base()}/v1/bundles/${String(asked["id"])}/download`,
    words: ["-H", `authorization: ${service.headers()["authorization"] ?? ""}`],
    stop: async () => {
      const ended = service.ended();
      service.kill("SIGTERM");
      await ended;
    },
  };
}

/** nginx as Debian has it, with a process for each core and the kernel's sendfile, for files of `folder`. */
export async function nginxGiving(folder: string, name: string): Promise<Giver> {
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((each) => `  ${each}_temp_path ${folder}/${each};\n`);
  // As whoever runs it: the folder may be nobody else's to read.
  writeFileSync(join(folder, "nginx.conf"), `daemon off;
user root;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 512; }
http {
${temporary.join("")}  access_log off;
  sendfile on;
  tcp_nopush on;
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`);
  const child = spawn("/usr/sbin/nginx", ["-e", join(folder, "nginx.log"), "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()).once("error", () => resolve()));
  const url = `http://127.0.0.1:${port}/${name}`;
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  for (let tries = 0; tries < 100; tries += 1) {
    const status = await fetch(url, { method: "HEAD" }).then((answer) => answer.status, () => 0);
    if (status === 200) return { url, words: [], stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error(`nginx does not answer: ${readFileSync(join(folder, "nginx.log"), "utf8")}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
