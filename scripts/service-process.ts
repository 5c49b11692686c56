/** The service as a process of its own, asked over its socket: for what is measured of it, and for tests under load. */

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { JsonObject } from "../src/core/json.ts";

export interface ServiceProcess {
  /** Starts it and waits until it says where it listens; gives the invitation, where there is one. */
  readonly start: () => Promise<string | undefined>;
  /** Makes the first administrator and an organization, and asks as that administrator from then on; gives the token. */
  readonly enter: (invitation: string, password: string) => Promise<string>;
  /** Throws where the answer is a problem. */
  readonly ask: (method: string, path: string, body?: unknown, type?: string) => Promise<JsonObject>;
  /** Gives the release's id. */
  readonly upload: (release: string, lock: string) => Promise<string>;
  /** Asks for a bundle until it is ready, or has failed. */
  readonly ready: (id: string) => Promise<JsonObject>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: () => Promise<{ readonly status: number | null; readonly signal: string | null }>;
  readonly pid: () => number;
  /** Where it listens now: `http://ADDRESS:PORT`. */
  readonly base: () => string;
  readonly headers: () => Readonly<Record<string, string>>;
}

/** `program` is the file that Node runs; what it logs is added to the file `log`. */
export function serviceProcess({ program, folder, log, words = [] }: { readonly program: string; readonly folder: string; readonly log: string; readonly words?: readonly string[] }): ServiceProcess {
  let child: ChildProcess | undefined;
  let base = "";
  let token = "";
  const headers = (): Readonly<Record<string, string>> => (token === "" ? {} : { authorization: `Bearer ${token}` });

  const start = async (): Promise<string | undefined> => {
    const errors = openSync(log, "a");
    const started = spawn(process.execPath, [program, "serve", "--state", folder, "--listen", "127.0.0.1:0", "--drain", "5", ...words], { stdio: ["ignore", "pipe", errors] });
    closeSync(errors);
    child = started;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      started.stdout?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (/fingerprint .*\n/.test(said)) setTimeout(resolve, 30);
      });
      started.once("exit", (status) => reject(new Error(`it ended with ${String(status)}: ${readFileSync(log, "utf8").slice(-2_000)}`)));
    });
    started.removeAllListeners("exit");
    base = /https?:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "";
    return /cbi_\S+/.exec(said)?.[0];
  };

  const ask: ServiceProcess["ask"] = async (method, path, body, type = "application/json") => {
    const answer = await fetch(`${base}${path}`, {
      method, headers: { ...headers(), ...(body === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as JsonObject);
  };

  const enter = async (invitation: string, password: string): Promise<string> => {
    await ask("POST", "/v1/setup", { token: invitation, name: "root", password });
    token = String((await ask("POST", "/v1/sessions", { name: "root", password }))["token"]);
    await ask("POST", "/v1/organizations", { name: "ExampleTel" });
    return token;
  };

  const upload = async (release: string, lock: string): Promise<string> => {
    const id = String((await ask("POST", "/v1/releases", release, "application/yaml"))["id"]);
    await ask("PUT", `/v1/releases/${id}/lock`, lock);
    return id;
  };

  const ready = async (id: string): Promise<JsonObject> => {
    for (let tries = 0; tries < 500; tries += 1) {
      const bundle = await ask("GET", `/v1/bundles/${id}`);
      if (bundle["state"] === "ready" || bundle["state"] === "failed") return bundle;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error("it does not get ready");
  };

  return {
    start, enter, ask, upload, ready, headers,
    kill: (signal) => void child?.kill(signal),
    ended: () => new Promise((resolve) => child?.once("exit", (status, signal) => resolve({ status, signal }))),
    pid: () => child?.pid ?? 0,
    base: () => base,
  };
}

/** A line of /proc/PID/status in MiB: VmRSS is what is resident, VmHWM the most that ever was. */
export function residentMiB(pid: number, line: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
