/** The service as a process on the KVM host, asked over HTTP, killed and started again. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { addCloudlet, addOrganization, bundleOf, fillStore, releaseText, root, startService, type Method } from "../../unit/service/running.ts";
import { releaseOf, specOf, type Choice } from "./cloudlets.ts";
import { virsh } from "./host.ts";

export interface Prepared {
  readonly cloudlet: string;
  /** By the number of the release, from 1. */
  readonly bundles: readonly string[];
}

export interface Asked {
  readonly status: number;
  readonly json: JsonObject;
}

/** 600 requests a minute are answered. */
const pollMs = 250;

/** One state folder, and the process that has it. */
export class HostService {
  readonly folder: string;
  readonly log: string;
  private readonly work: string;
  private child: ChildProcess | undefined;
  private base = "";
  private token = "";
  private readonly prepared = new Map<string, Prepared>();

  private constructor(t: Test) {
    this.work = mkdtempSync(join(tmpdir(), "cloudlet-host-"));
    this.folder = join(this.work, "state");
    this.log = join(this.work, "log");
    t.teardown(() => {
      this.child?.kill("SIGKILL");
      rmSync(this.work, { recursive: true, force: true });
    });
  }

  /** With these cloudlets, and a bundle of each with the release of each of the others' numbers. */
  static async prepare(t: Test, releases: readonly Pick<Choice, "image" | "sequence" | "stage">[], choices: readonly Omit<Choice, "sequence" | "image">[]): Promise<HostService> {
    const made = new HostService(t);
    mkdirSync(made.folder, { mode: 0o700 });
    const running = await startService(t, { folder: made.folder });
    await addOrganization(running, "ExampleTel");
    const text = releaseText.replaceAll("../../out/inputs/", `${join(root, "out/inputs")}/`);
    const ids: string[] = [];
    for (const release of releases) {
      const edited = releaseOf(text, release);
      const lock = await fillStore(made.folder, { text: edited });
      const id = String((await running.ask("POST", "/v1/releases", { token: running.admin, yaml: edited })).json["id"]);
      await running.ask("PUT", `/v1/releases/${id}/lock`, { token: running.admin, body: lock, headers: { "content-type": "application/json" } });
      ids.push(id);
    }
    for (const choice of choices) {
      const cloudlet = await addCloudlet(running, running.admin, specOf({ access: "direct", ...choice, sequence: 1, image: "sector" }));
      const bundles: string[] = [];
      for (const id of ids) {
        const bundle = await bundleOf(running, running.admin, cloudlet, id);
        if (bundle["state"] !== "ready") throw new Error(JSON.stringify(bundle));
        bundles.push(String(bundle["id"]));
      }
      made.prepared.set(choice.name, { cloudlet, bundles });
    }
    made.token = running.admin;
    await running.close();
    return made;
  }

  of(name: string): Prepared {
    const found = this.prepared.get(name);
    if (found === undefined) throw new Error(`there is no cloudlet ${name}`);
    return found;
  }

  /** `host` is the file of --libvirt; without one the machine is nobody's host. */
  async start(host: string | undefined, ...words: readonly string[]): Promise<void> {
    // Of a test that broke off.
    await this.end("SIGKILL");
    const file = join(this.work, "host.yaml");
    if (host !== undefined) writeFileSync(file, host);
    const started = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--state", this.folder, "--listen", "127.0.0.1:0", "--drain", "1", ...(host === undefined ? [] : ["--libvirt", file]), ...words], {
      stdio: ["ignore", "pipe", "pipe"], env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: this.work },
    });
    this.child = started;
    started.stderr?.on("data", (piece: Buffer) => writeFileSync(this.log, piece, { flag: "a" }));
    let said = "";
    await new Promise<void>((resolve, reject) => {
      started.stdout?.on("data", (piece: Buffer) => {
        said += piece.toString();
        if (/fingerprint .*\n/.test(said)) resolve();
      });
      started.once("exit", (status) => reject(new Error(`it ended with ${String(status)}: ${said}${readFileSync(this.log, "utf8").slice(-1_000)}`)));
    });
    this.base = /http:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "";
  }

  /** SIGKILL is a crash. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async ask(method: Method, path: string, json?: unknown): Promise<Asked> {
    const answer = await fetch(`${this.base}/v1${path}`, { method, headers: { authorization: `Bearer ${this.token}`, ...(json === undefined ? {} : { "content-type": "application/json" }) }, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith("{") ? (JSON.parse(text) as JsonObject) : { text } };
  }

  /** The id of the installation. Throws where it is refused. */
  async begin(name: string, action: string, more: object = {}, sequence = 1): Promise<string> {
    const { status, json } = await this.asked(name, action, more, sequence);
    if (status !== 202) throw new Error(JSON.stringify(json));
    return String(json["id"]);
  }

  async asked(name: string, action: string, more: object = {}, sequence = 1): Promise<Asked> {
    const { cloudlet, bundles } = this.of(name);
    return this.ask("POST", "/installations", { cloudlet, bundle: bundles[sequence - 1], action, ...more });
  }

  async retry(id: string): Promise<void> {
    const { status, json } = await this.ask("POST", `/installations/${id}/retry`, {});
    if (status !== 202) throw new Error(JSON.stringify(json));
  }

  /** Waits until it is in one of these states, or has ended in another; gives it with its log. */
  async until(id: string, ...states: readonly string[]): Promise<JsonObject & { readonly log: string }> {
    for (let tries = 0; ; tries += 1) {
      const { json } = await this.ask("GET", `/installations/${id}`);
      const state = String(json["state"]);
      const isThere = states.includes(state);
      if (isThere || tries > 8_000 || !["queued", "running"].includes(state)) {
        const log = String((await this.ask("GET", `/installations/${id}/log`)).json["text"] ?? "");
        if (isThere) return { ...json, log };
        throw new Error(`it is ${state}, not ${states.join(", ")}: ${log.slice(-2_000)}`);
      }
      await sleep(pollMs);
    }
  }

  /** Waits until its log has it. */
  async says(id: string, what: RegExp): Promise<void> {
    for (let tries = 0; !what.test(String((await this.ask("GET", `/installations/${id}/log`)).json["text"] ?? "")); tries += 1) {
      if (tries > 600) throw new Error(`it does not say ${String(what)}`);
      await sleep(pollMs);
    }
  }

  journal(name: string): string {
    try {
      return readFileSync(join(this.folder, "installations", this.of(name).cloudlet, "journal"), "utf8");
    } catch {
      return "";
    }
  }

  async receipt(name: string, { receipt }: JsonObject): Promise<JsonObject> {
    return (await this.ask("GET", `/cloudlets/${this.of(name).cloudlet}/receipts/${String(receipt)}`)).json;
  }
}

/** Domains of cloudlets; only where something went wrong there is still one. */
export function removeLeft(): void {
  for (const domain of virsh("list", "--all", "--name").split("\n").filter((each) => each.includes("-ExampleTel-pf"))) {
    for (const words of [["destroy", domain], ["undefine", "--nvram", domain]]) spawnSync("virsh", ["--connect", "qemu:///system", ...words]);
  }
}
