/** The service installs on its own host, asked through its API: a whole guest whose CRM runs, from nothing and back to nothing; and of two machines one. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { bridge, lab, leftOvers, openHost } from "./host.ts";
import { HostService, removeLeft } from "./service.ts";

t.setTimeout(3_600_000);
const hostFile = `cloudlets: [ExampleTel/whole, ExampleTel/double]\nnetworks: [bridge:${bridge}]\nstorage: ${lab}/storage\nlargest: {vcpus: 2, memoryMiB: 4096, diskGiB: 40}\n`;
const parameters = ["emulation: true", `networks: {ue: {kind: bridge, source: ${bridge}}}`];
const host = await openHost();
t.teardown(async () => {
  removeLeft();
  await host.close();
});

function uuidOf(receipt: JsonObject): string {
  return String((receipt["vm"] as JsonObject)["uuid"]);
}

t.test("a whole guest", async (t) => {
  const service = await HostService.prepare(t, [{ image: "guest", sequence: 1 }], [{ name: "whole", parameters }]);
  await service.start(hostFile);
  const done = await service.until(await service.begin("whole", "install"), "done");
  t.match(done.log, /"?healthy crmserver,shepherd,prometheus/);
  const receipt = await service.receipt("whole", done);
  t.match(receipt, { action: "install", result: "complete", trust: "signature", guest: "healthy crmserver,shepherd,prometheus", vm: { driver: "libvirt", state: "running" } });
  const console = readFileSync(join(String(receipt["folder"]), "serial.log"), "latin1");
  t.match(console, /"stage":"healthy"/);
  t.match((await service.ask("GET", `/cloudlets/${service.of("whole").cloudlet}`)).json, { state: "installed" });
  const again = await service.until(await service.begin("whole", "install", { accessKey: "keep" }), "done");
  t.match(again.log, /nothing to do/);
  await service.until(await service.begin("whole", "uninstall"), "done");
  t.strictSame(leftOvers("whole-ExampleTel-pf", uuidOf(receipt)), []);
  await service.end("SIGTERM");
});

t.test("of two machines one: never both on this host", async (t) => {
  const networks = ["{name: ue, address: {mode: static, ip: 10.98.7.11, secondaryIp: 10.98.7.12, prefix: 24}}"];
  const service = await HostService.prepare(t, [{ image: "sector", sequence: 1 }], [{ name: "double", parameters, networks, crm: '{highAvailability: true, redisAddress: "10.98.7.1:6379"}' }]);
  await service.start(hostFile);
  t.match((await service.until(await service.begin("double", "check"), "failed")).log, /usage\/machine|two machines for two hosts/);
  const primary = { parameters: { machine: "primary" } };
  const installed = await service.until(await service.begin("double", "install", primary), "done");
  const receipt = await service.receipt("double", installed);
  t.match(receipt, { vm: { name: "double-ExampleTel-pf-primary" } });
  t.match((await service.until(await service.begin("double", "check", { parameters: { machine: "secondary" } }), "findings")).log, /domain\/same-host/);
  await service.until(await service.begin("double", "uninstall"), "done");
  // The other way round: which one is here is asked anew.
  const secondary = await service.until(await service.begin("double", "install", { parameters: { machine: "secondary" }, accessKey: "reissue" }), "done");
  t.match(await service.receipt("double", secondary), { vm: { name: "double-ExampleTel-pf-secondary" } });
  await service.until(await service.begin("double", "uninstall"), "done");
  t.strictSame(leftOvers("double-ExampleTel-pf-secondary", uuidOf(receipt)), []);
  t.match((await service.ask("GET", "/audit/verification")).json, { good: true });
  await service.end("SIGTERM");
});
