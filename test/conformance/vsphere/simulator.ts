/** vcsim, a simulated vCenter, and what it holds, seen past install.sh by the govc of its own version. */

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const lab = process.env["LAB_DIR"] ?? "/var/tmp/lab-vsphere";
const run = promisify(execFile);

export type Version = "0.24.2" | "0.46.3";

/** 0.24.2 is the oldest that install.sh takes; 0.46.3 writes JSON in the other casing, and reads values from files. */
export const versions: readonly Version[] = existsSync(join(lab, "current/bin/govc")) ? ["0.24.2", "0.46.3"] : ["0.24.2"];

export interface Vm {
  readonly path: string;
  readonly name: string;
  readonly isOn: boolean;
  readonly notes: string;
  /** Advanced parameters. */
  readonly extra: Readonly<Record<string, string>>;
  /** Hardware address of each network card and the network that it is attached to, by name. The simulator's order is chance. */
  readonly cards: readonly { readonly mac: string; readonly network: string }[];
  /** Bytes, the largest first. */
  readonly disks: readonly number[];
}

export class Simulator {
  readonly url: string;
  /** Folder of its govc, to go into PATH. */
  readonly bin: string;
  readonly #process: ChildProcess;

  private constructor(url: string, bin: string, process: ChildProcess) {
    this.url = url;
    this.bin = bin;
    this.#process = process;
  }

  /** Empty but for a datacenter DC0, a cluster DC0_C0 of two hosts, a datastore and three networks. */
  static async start(version: Version): Promise<Simulator> {
    const bin = version === "0.24.2" ? join(lab, "bin") : join(lab, "current/bin");
    const words = ["-l", "127.0.0.1:0", "-username", "lab", "-password", "lab-pass", "-dc", "1", "-cluster", "1", "-host", "2", "-vm", "0", "-pg", "2"];
    const child = spawn(join(bin, "vcsim"), words, { stdio: ["ignore", "pipe", "ignore"] });
    const said = await new Promise<string>((resolve, reject) => {
      child.stdout?.setEncoding("utf8").on("data", (text: string) => resolve(text));
      child.on("exit", (code) => reject(new Error(`vcsim ended with ${code}`)));
    });
    const url = /https:\/\/(?:[^@\s]*@)?([^\s/]+)/.exec(said)?.[1];
    if (url === undefined) throw new Error(`vcsim said no address: ${said}`);
    return new Simulator(`https://${url}/sdk`, bin, child);
  }

  stop(): void {
    this.#process.kill();
  }

  async govc(...words: readonly string[]): Promise<string> {
    const environment = { PATH: `${this.bin}:/usr/bin:/bin`, HOME: "/nonexistent", GOVC_URL: this.url, GOVC_USERNAME: "lab", GOVC_PASSWORD: "lab-pass", GOVC_INSECURE: "1", GOVC_PERSIST_SESSION: "false" };
    return (await run(join(this.bin, "govc"), words, { env: environment, maxBuffer: 64 * 1024 * 1024 })).stdout;
  }

  /** Everything that a bundle can make. */
  async inventory(): Promise<{ readonly vms: readonly string[]; readonly pools: readonly string[]; readonly categories: readonly string[]; readonly tags: readonly string[] }> {
    const lines = async (...words: readonly string[]): Promise<readonly string[]> => (await this.govc(...words)).split("\n").filter((line) => line !== "").sort();
    return { vms: await lines("find", "/", "-type", "m"), pools: await lines("find", "/", "-type", "p"), categories: await lines("tags.category.ls"), tags: await lines("tags.ls") };
  }

  async vms(): Promise<readonly Vm[]> {
    const paths = (await this.govc("find", "/", "-type", "m")).split("\n").filter((line) => line !== "").sort();
    return Promise.all(paths.map((path) => this.vm(path)));
  }

  async vm(path: string): Promise<Vm> {
    const escaped = path.replace(/[[\]*?]/g, "\\$&");
    const text = await this.govc("object.collect", "-json", escaped, "name", "runtime.powerState", "config.annotation", "config.extraConfig", "config.hardware.device");
    const rows = small(JSON.parse(text)) as readonly { readonly name: string; readonly val: unknown }[];
    const value = (name: string): unknown => rows.find((row) => row.name === name)?.val;
    const list = (name: string): readonly Readonly<Record<string, unknown>>[] => Object.values((value(name) ?? {}) as object).find(Array.isArray) ?? [];
    const devices = list("config.hardware.device");
    return {
      path,
      name: String(value("name")),
      isOn: value("runtime.powerState") === "poweredOn",
      notes: String(value("config.annotation") ?? ""),
      extra: Object.fromEntries(list("config.extraConfig").map(({ key, value: of }) => [String(key), String(of)])),
      cards: await Promise.all(
        devices
          .filter((device) => device["macaddress"] !== undefined)
          .map(async (device) => ({ mac: String(device["macaddress"]).toLowerCase(), network: await this.#attachedTo(device["backing"] as Readonly<Record<string, unknown>>) })),
      ),
      disks: devices.filter((device) => device["capacityinkb"] !== undefined).map((device) => Number(device["capacityinkb"]) * 1024).toSorted((a, b) => b - a),
    };
  }

  /** A distributed port group is told by its key. */
  async #attachedTo(backing: Readonly<Record<string, unknown>>): Promise<string> {
    const key = (backing["port"] as Readonly<Record<string, unknown>> | undefined)?.["portgroupkey"];
    return key === undefined ? String(backing["devicename"]) : (await this.govc("object.collect", "-s", `DistributedVirtualPortgroup:${String(key)}`, "name")).trim();
  }
}

/** The same with every member's name in small letters, whichever govc has written it. */
function small(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(small);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name.toLowerCase(), small(of)]));
}
