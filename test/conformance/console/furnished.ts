/** A service in this process, furnished as after some weeks of work, and always in the same way: clock and randomness are steady. */

import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { delimiter } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { starterSpec } from "../../../src/spec/starter.ts";
import { addCloudlet, addOrganization, bundleOf, startService, uploadRelease, type Answer, type Running } from "../../unit/service/running.ts";
import { login, standIn } from "../service/stand-in.ts";

/** When the tour is walked. */
const today = Date.UTC(2026, 10, 30, 9, 0);
const day = 86_400_000;

export interface Furnished {
  readonly running: Running;
  readonly url: string;
  /** Of whom is signed in, by name. */
  readonly tokens: ReadonlyMap<string, string>;
  /** Of the cloudlets, by name. */
  readonly ids: ReadonlyMap<string, string>;
  /** Of berlin-1: an earlier bundle, and the one of the spec as it is. */
  readonly bundles: { readonly before: JsonObject; readonly after: JsonObject };
  /** An installation that the site has refused. */
  readonly refused: string;
}

const sites = [
  ["berlin-1", "ExampleTel", "openstack", 52.52, 13.405], ["hamburg-1", "ExampleTel", "openstack", 53.55, 9.99], ["munich-1", "ExampleTel", "vsphere", 48.14, 11.58],
  ["frankfurt-edge-2", "ExampleTel", "libvirt", 50.11, 8.68], ["oslo-1", "NordTel", "vcd", 59.91, 10.75], ["bergen-1", "NordTel", "libvirt", 60.39, 5.32],
  ["osaka-1", "KansaiTel", "vsphere", 34.69, 135.5], ["sao-paulo-1", "TelSul", "openstack", -23.55, -46.63],
] as const;

const people = [["ada", "admin", ""], ["audrey", "auditor", ""], ["conny", null, "ExampleTel contributor"], ["maria", null, "ExampleTel manager"], ["otto", null, "NordTel manager"]] as const;
export const password = "correct horse battery staple";

/** `more`: so many cloudlets besides, all over the world. */
export async function furnish(t: Test, more = 0): Promise<Furnished> {
  const clock = clockAt(today - 28 * day);
  const client = standIn(t);
  const running = await startService(t, { now: clock.now, random: steady("furnished"), installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin` }, deliverer: { reach: "any" } });
  const { ask, admin, service } = running;
  for (const name of [...new Set(sites.map(([, organization]) => organization))]) await addOrganization(running, name);
  for (const [name, platformRole, membership] of people) {
    const { invitation } = (await sent(running, "POST", "/v1/users", admin, { json: { name, platformRole } })).json;
    await sent(running, "POST", "/v1/setup", undefined, { json: { token: invitation, name, password } });
    const [organization = "", role = ""] = membership.split(" ");
    if (role !== "") await sent(running, "PUT", `/v1/organizations/${organization}/members/${name}`, admin, { json: { role } });
  }
  const release = await uploadRelease(running);
  const ids = new Map<string, string>();
  for (const [name, organization, platform, latitude, longitude] of [...sites, ...scattered(more)]) {
    clock.set(clock.now() + 3_600_000 / (more + 1));
    ids.set(name, await addCloudlet(running, admin, placed(starterSpec(platform), name, organization, latitude, longitude)));
  }
  /** A session ends after twelve hours. */
  const enter = async (name: string): Promise<string> => String((await sent(running, "POST", "/v1/sessions", undefined, { json: { name, password } })).json["token"]);

  clock.set(today - 7 * day);
  await sent(running, "POST", "/v1/users", await enter("ada"), { json: { name: "newcomer" } });
  const id = ids.get("berlin-1") ?? "";
  let token = await enter("conny");
  const before = await bundleOf(running, token, id, release);
  const receipt = { apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", bundle: before["sums"], started: stamp(clock.now()), finished: stamp(clock.now() + 600_000) };
  clock.set(clock.now() + 3_600_000);
  await sent(running, "POST", `/v1/cloudlets/${id}/receipts`, token, { json: receipt });
  await sent(running, "POST", `/v1/cloudlets/${id}/access-keys`, token, {});

  clock.set(today - day);
  token = await enter("conny");
  const { headers } = await ask("GET", `/v1/cloudlets/${id}`, { token });
  const spec = placed(starterSpec("openstack"), "berlin-1", "ExampleTel", 52.52, 13.405).replace("dynamicIps: 8 ", "dynamicIps: 16 ");
  await sent(running, "PUT", `/v1/cloudlets/${id}`, token, { yaml: spec, headers: { "if-match": headers["etag"] ?? "" } });
  const after = await bundleOf(running, token, id, release);
  await sent(running, "POST", "/v1/tokens", token, { json: { name: "nightly build", scopes: ["cloudlet:read", "bundle:read", "bundle:request"], days: 30, organization: "ExampleTel" } });

  clock.set(today - 2 * 3_600_000);
  token = await enter("conny");
  await sent(running, "PUT", `/v1/cloudlets/${id}/credentials`, token, { json: { name: "berlin", credentials: login } });
  client.set("refuses");
  const refused = await looked(running, token, { cloudlet: id, bundle: String(after["id"]), credentials: login });
  client.set("fine");
  clock.set(clock.now() + 1_200_000);
  await looked(running, token, { cloudlet: id, bundle: String(after["id"]), credential: "berlin" });

  clock.set(today);
  const tokens = new Map<string, string>();
  for (const [name] of people) tokens.set(name, await enter(name));
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  return { running, url: `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`, tokens, ids, bundles: { before, after }, refused };
}

/** Has the service look at the site, and waits until it has; gives the installation's id. */
async function looked(running: Running, token: string, what: object): Promise<string> {
  const { json } = await sent(running, "POST", "/v1/installations", token, { json: { ...what, action: "check" } });
  const path = `/v1/installations/${String(json["id"])}`;
  for (let tries = 0; tries < 1_200; tries += 1) {
    const { state } = (await running.ask("GET", path, { token })).json;
    if (state === "done" || state === "findings" || state === "failed") return String(json["id"]);
    await sleep(50);
  }
  throw new Error(`${path} does not end`);
}

async function sent({ ask }: Running, method: "POST" | "PUT", path: string, token: string | undefined, asked: object): Promise<Answer> {
  const answer = await ask(method, path, { token, ...asked });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer;
}

function placed(spec: string, name: string, organization: string, latitude: number, longitude: number): string {
  return spec.replace("name: berlin-1 ", `name: ${name} `).replace("organization: ExampleTel ", `organization: ${organization} `).replace("latitude: 52.52", `latitude: ${latitude}`).replace("longitude: 13.405", `longitude: ${longitude}`);
}

function scattered(count: number): readonly (readonly [string, string, string, number, number])[] {
  return Array.from({ length: count }, (_, index) => [
    index % 7 === 0 ? `a-cloudlet-with-a-name-that-is-as-long-as-an-operator-likes-them-${index}` : `site-${index}`, sites[index % sites.length]?.[1] ?? "ExampleTel", sites[index % sites.length]?.[2] ?? "openstack",
    Math.round((Math.sin(index * 12.9898) * 55) * 1_000) / 1_000 + 0.001, Math.round((Math.cos(index * 78.233) * 170) * 1_000) / 1_000,
  ] as const);
}

/** The same bytes in the same order each time. */
function steady(seed: string): (bytes: number) => Uint8Array {
  let turn = 0;
  return (bytes) => {
    const parts: Buffer[] = [];
    for (let size = 0; size < bytes; size += 32) parts.push(createHash("sha256").update(`${seed} ${turn++}`).digest());
    return new Uint8Array(Buffer.concat(parts).subarray(0, bytes));
  };
}

/** It goes on from where it is set, for the service waits by it. */
function clockAt(begin: number): { readonly now: () => number; readonly set: (time: number) => void } {
  let [time, since] = [begin, Date.now()];
  return { now: () => time + Date.now() - since, set: (next) => ([time, since] = [next, Date.now()]) };
}

/** As install.sh writes times. */
function stamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
