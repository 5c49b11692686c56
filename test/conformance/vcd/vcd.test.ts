/**
 * install.sh into a vCloud Director of our own (server.ts): killed after each step and run again, upgraded, taken back, removed;
 * with a server that fails in each way that we know of.
 */

import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { Operator } from "../libvirt/operator.ts";
import { certificateFiles, cloudlet, login, loginTo, openServer, site } from "./cloudlets.ts";
import { toldTo } from "./guest.ts";
import { sentDigest } from "./server.ts";
import type { VcdServer } from "./server.ts";
import { watchCommandLines } from "./watch.ts";

t.setTimeout(900_000);
const first = await cloudlet({ name: "steps", sequence: 1 });
const second = await cloudlet({ name: "steps", sequence: 2 });
const name = site(first, "CB_NAME");
const accessKey = /^ACCESS_KEY=base64:(.+)$/m.exec(readFileSync(first.secrets, "utf8"))?.[1] ?? "";
const steps = ["template", "vapp", "settings", "properties", "power"];
const quick = ["settle_seconds=0", "tools_seconds=20"];

/** Requests that change something, but for logging in and out. */
function changes(server: VcdServer, from = 0): readonly string[] {
  return server.requests.slice(from).filter((line) => !line.startsWith("GET ") && !/sessions|\/api\/session/.test(line));
}

/** What it holds but for sessions, which killed runs leave behind. */
function things(server: VcdServer): readonly string[] {
  return server.leftOvers().filter((line) => !line.startsWith("session"));
}

t.test("from nothing to gone", async (t) => {
  const server = await openServer();
  t.teardown(() => server.close());
  const operator = (shell: string): Operator => new Operator(`vcd-${shell.split(" ")[0] ?? ""}`, shell.split(" "), quick, loginTo(server));
  // One home for all shells: they go on where another was.
  const dash = operator("dash");
  const inShell = (shell: string): Operator => Object.assign(Object.create(Operator.prototype) as Operator, dash, { shell: shell.split(" ") });

  await t.test("killed after each step, run again each time", async (t) => {
    const watch = watchCommandLines([login.password, accessKey.slice(0, 40)]);
    const run = await dash.killedAtEach(first, dash.installWords(first));
    t.equal(run.status, 0, run.text);
    for (const step of steps) t.ok(run.kills.includes(`done ${step}`), `killed after ${step} was done`);
    t.strictSame(watch.stop(), [], "no secret in any process's arguments");
    t.ok(watch.looks() > 20, `${watch.looks()} looks`);
    t.strictSame(server.violations, []);
    t.equal(server.vapps.length, 1);
    t.equal(server.templates.length, 1);
    t.equal(server.vapps[0]?.starts, 1, "started once");
    t.notOk(dash.traces().includes(accessKey) || dash.traces().includes(login.password), "no secret is left with the operator");
  });

  await t.test("the server has what the bundle has", (t) => {
    const [vapp] = server.vapps;
    const digest = (path: string): string => createHash("sha256").update(readFileSync(join(first.folder, path))).digest("hex");
    const files = server.templates[0]?.files ?? [];
    t.strictSame(
      files.map((file) => [file.name, sentDigest(file)]),
      [["descriptor.ovf", digest("ovf/platformvm.ovf")], ["vm-image.vmdk", digest("ovf/vm-image.vmdk")], ["payload.vmdk", digest("ovf/payload.vmdk")]],
    );
    t.strictSame([...(vapp?.networks ?? [])], [["ue", "ue <routed> & co"], ["management", "mgmt"]]);
    t.strictSame(vapp?.cards.map(({ mode, address, isConnected }) => [mode, address, isConnected]), [["MANUAL", "203.0.113.10", true], ["DHCP", "", true]]);
    t.equal(vapp?.disks[0], 40 * 1024);
    t.equal(vapp?.isCustomized, false);
    t.strictSame(vapp?.lease, { deployment: 0, storage: 0 });
    t.match(vapp?.metadata.get("cloudlet-bundle"), new RegExp(`^cloudlet-bundle ${name} bundle=[0-9a-f]{64} inputs=[0-9a-f]{16} lease=never$`));
    t.end();
  });

  await t.test("what the VM was told, as cloud-init reads it; and what is left of it", (t) => {
    const [vapp] = server.vapps;
    const told = toldTo(vapp?.environment ?? []);
    t.match(told.metadata["instance-id"], new RegExp(`^${name}-[0-9a-f]{12}$`));
    t.equal(told.metadata["local-hostname"], site(first, "CB_HOSTNAME"));
    const [ue = "", management = ""] = vapp?.cards.map((card) => card.mac) ?? [];
    t.match(told.metadata["network-config"], {
      version: 2,
      ethernets: { nic1: { match: { macaddress: ue }, addresses: ["203.0.113.10/24"] }, nic2: { match: { macaddress: management }, dhcp4: true } },
    });
    t.ok(told.userData.startsWith("#cloud-config\n") && told.userData.includes(accessKey), "user-data with the access key");
    t.ok(told.userData.includes(`CB_NIC_2_MAC='${management}'`));
    t.notMatch(told.userData, /@@CLOUDLET-(SECRET|PORT)/);
    const left = toldTo(vapp?.properties ?? []);
    t.strictSame({ ...left, userData: "" }, { ...told, userData: "" }, "the instance stays the same");
    t.equal(left.userData, "", "the secrets are gone");
    t.end();
  });

  await t.test("a second run changes nothing, in each shell, and ends its session", async (t) => {
    for (const shell of ["busybox sh", "bash --posix", "ksh", "dash"]) {
      server.sessions.clear();
      const from = server.requests.length;
      const run = await inShell(shell).install(first);
      t.equal(run.status, 0, run.text);
      t.match(run.text, /nothing to do: release conformance\.1 is installed and well/);
      t.strictSame(changes(server, from), [], shell);
      t.equal(server.sessions.size, 0, "logged out");
    }
    t.match(dash.receipt(), {
      result: "complete",
      vapp: { status: "powered on", lease: "never" },
      vm: { tools: "11360" },
      addresses: [{ network: "ue", attached: "ue <routed> & co", fixed: "203.0.113.10" }, { network: "mgmt", fixed: "dhcp" }],
    });
    const status = await dash.run(first, "--status");
    t.equal(status.status, 0, status.text);
    t.match(status.text, /^tools {4}11360$/m);
  });

  await t.test("one that was stopped is started, and told nothing anew", async (t) => {
    const [vapp] = server.vapps;
    Object.assign(vapp ?? {}, { status: 8, isDeployed: false, tools: "" });
    const status = await dash.run(first, "--status");
    t.equal(status.status, 1, status.text);
    const from = server.requests.length;
    const run = await dash.install(first);
    t.equal(run.status, 0, run.text);
    t.strictSame(changes(server, from).map((line) => line.replace(/vapp-[^/]+/, "vapp")), ["POST /api/vApp/vapp/power/action/powerOn"]);
  });

  await t.test("an upgrade wants the secrets, takes the address, keeps the former vApp", async (t) => {
    t.match((await dash.install(second)).text, /input\/bundle/);
    const without = await dash.run(second, "--trust", second.fingerprint, "--yes", "--upgrade");
    t.match(without.text, /secrets\/none/);
    const run = await inShell("bash --posix").killedAtEach(second, ["--trust", second.fingerprint, "--secrets", first.secrets, "--yes", "--upgrade"]);
    t.equal(run.status, 0, run.text);
    t.strictSame(server.violations, []);
    t.strictSame(server.vapps.map((vapp) => [vapp.status, vapp.cards[0]?.mode, vapp.cards[0]?.address]), [[8, "NONE", ""], [4, "MANUAL", "203.0.113.10"]]);
    t.equal(server.templates.length, 2);
    t.match(toldTo(server.vapps[1]?.environment ?? []).userData, /CB_RELEASE='conformance\.2'/);
  });

  await t.test("rollback goes to the vApp of before, as it was left", async (t) => {
    const run = await inShell("busybox sh").run(second, "--rollback", "--yes");
    t.equal(run.status, 0, run.text);
    t.strictSame(server.vapps.map((vapp) => [vapp.status, vapp.cards[0]?.mode]), [[4, "MANUAL"], [8, "NONE"]]);
    t.match(dash.receipt(), { action: "rollback", sequence: 1, result: "complete" });
    const status = await dash.run(first, "--status");
    t.equal(status.status, 0, status.text);
  });

  await t.test("what neither runs nor is needed to go back is removed by the next upgrade", async (t) => {
    for (const sequence of [2, 3]) {
      const next = sequence === 2 ? second : await cloudlet({ name: "steps", sequence });
      const run = await dash.run(next, "--trust", next.fingerprint, "--secrets", first.secrets, "--yes", "--upgrade");
      t.equal(run.status, 0, run.text);
    }
    t.equal(server.vapps.length, 2);
    t.equal(server.templates.length, 2);
  });

  await t.test("uninstall leaves nothing, cut on its way or not, and nobody else's is touched", async (t) => {
    server.addForeign("vapp", "somebody");
    server.addForeign("template", `${name}-by-hand`);
    for (const afterMs of [0, 200, 500]) {
      const child = dash.start(first, ["--uninstall", "--yes"]);
      await new Promise((resolve) => setTimeout(resolve, 700 + afterMs));
      child.kill("SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const run = await inShell("ksh").run(first, "--uninstall", "--yes");
    t.equal(run.status, 0, run.text);
    t.strictSame(things(server), ["vApp somebody", `template ${name}-by-hand`]);
    t.equal((await dash.run(first, "--uninstall", "--yes")).status, 0, "once more");
    t.strictSame(server.violations, []);
  });
});

t.test("a state directory that is lost: what is there is found by its mark", async (t) => {
  const server = await openServer({ prefix: "ns7" });
  t.teardown(() => server.close());
  const before = await new Operator("vcd-lost", ["dash"], quick, loginTo(server)).install(first);
  t.equal(before.status, 0, before.text);
  // Somebody has tidied up the description.
  for (const vapp of server.vapps) Object.assign(vapp, { description: "the CRM" });
  const operator = new Operator("vcd-lost", ["dash"], quick, loginTo(server));
  const from = server.requests.length;
  const run = await operator.install(first);
  t.equal(run.status, 0, run.text);
  t.match(run.text, /state\/lost/);
  t.strictSame(changes(server, from), []);
  const other = await operator.install(second, "--check");
  t.match(other.text, /state\/other-bundle/);
  t.equal((await operator.run(first, "--uninstall", "--yes")).status, 0);
  t.strictSame(things(server), []);
});

t.test("faults of the server and of the way to it", async (t) => {
  const install = async (t: Test, name: string, server: VcdServer, parameters: readonly string[] = quick, environment = loginTo(server)) => {
    const operator = new Operator(`vcd-${name}`, ["dash"], parameters, environment);
    const run = await operator.install(first);
    t.strictSame(server.violations, []);
    return { operator, run };
  };

  await t.test("a connection cut in the middle of a disk: it goes on at that byte", async (t) => {
    const server = await openServer();
    server.faults.cutUploadAfter = 3000;
    const { run } = await install(t, "cut", server);
    t.equal(run.status, 0, run.text);
    t.equal(server.requests.filter((line) => line.startsWith("PUT /transfer/") && line.endsWith("/vm-image.vmdk")).length, 2);
    const sent = server.templates[0]?.files.find((file) => file.name === "vm-image.vmdk");
    t.equal(sent === undefined ? "" : sentDigest(sent), createHash("sha256").update(readFileSync(join(first.folder, "ovf/vm-image.vmdk"))).digest("hex"));
    await server.close();
  });

  await t.test("a session that expires again and again", async (t) => {
    const server = await openServer();
    server.faults.requestsOfSession = 9;
    const { run } = await install(t, "expires", server);
    t.equal(run.status, 0, run.text);
    t.ok(server.requests.filter((line) => line === "POST /cloudapi/1.0.0/sessions").length > 3);
    await server.close();
  });

  for (const what of ["import", "instantiate", "properties"]) {
    await t.test(`a task that fails (${what}): said, and made good by the next run`, async (t) => {
      const server = await openServer();
      server.faults.failing.set(what, { message: "The <host> is \"full\" & busy", times: 1 });
      const { operator, run } = await install(t, "fails", server);
      t.equal(run.status, 3, run.text);
      t.match(run.text, /The <host> is "full" & busy/);
      const next = await operator.install(first);
      t.equal(next.status, 0, next.text);
      t.equal(server.vapps.length, 1);
      t.equal(server.templates.length, 1);
      await server.close();
    });
  }

  await t.test("tasks that take their time", async (t) => {
    const server = await openServer();
    server.faults.taskMs = 1200;
    const { run } = await install(t, "slow", server);
    t.equal(run.status, 0, run.text);
    await server.close();
  });

  for (const fault of ["refusesLease", "capsLease"] as const) {
    await t.test(`leases that can't be turned off (${fault}): a warning, and the receipt says so`, async (t) => {
      const server = await openServer();
      server.faults[fault] = true;
      const { operator, run } = await install(t, "lease", server);
      t.equal(run.status, 0, run.text);
      t.match(run.text, /warning: the organization doesn't let the leases/);
      t.match(operator.receipt(), { vapp: { lease: "kept" } });
      const from = server.requests.length;
      t.equal((await operator.install(first)).status, 0);
      t.strictSame(changes(server, from), [], "and it isn't tried again");
      await server.close();
    });
  }

  await t.test("a guest without VMware Tools, and one that doesn't shut down", async (t) => {
    const server = await openServer();
    server.faults.isMute = true;
    const { operator, run } = await install(t, "mute", server, ["settle_seconds=0", "tools_seconds=1"]);
    t.equal(run.status, 1, run.text);
    t.match(run.text, /guest\/no-tools/);
    t.not(toldTo(server.vapps[0]?.properties ?? []).userData, "", "what it was told is still there");
    server.faults.failing.set("undeploy shutdown", { message: "no VMware Tools", times: 1 });
    const gone = await operator.run(first, "--uninstall", "--yes");
    t.equal(gone.status, 0, gone.text);
    t.strictSame(things(server), []);
    await server.close();
  });

  await t.test("an API token; a server with the older login only; no check of the certificate when asked for", async (t) => {
    const server = await openServer();
    const { VCD_PASSWORD: _, VCD_USER: __, ...others } = loginTo(server) as Record<string, string>;
    const watch = watchCommandLines([login.token]);
    const byToken = await install(t, "token", server, quick, { ...others, VCD_TOKEN: login.token });
    t.equal(byToken.run.status, 0, byToken.run.text);
    t.strictSame(watch.stop(), []);
    server.faults.hasNoCloudapi = true;
    const { VCD_CACERT: ___, ...insecure } = loginTo(server) as Record<string, string>;
    const older = await new Operator("vcd-token-older", ["dash"], quick, { ...insecure, VCD_INSECURE: "true" }).install(first, "--check");
    t.equal(older.status, 0, older.text);
    t.match(older.text, /endpoint\/insecure/);
    await server.close();
  });
});

t.test("what stands in the way is told before anything is made, all at once", async (t) => {
  const server = await openServer({ storage: { limitMiB: 20_000, usedMiB: 1000 }, memory: { limitMiB: 8192, usedMiB: 6000 }, networks: ["mgmt"] });
  t.teardown(() => server.close());
  server.addForeign("vapp", name);
  server.faults.lacksRights = true;
  const codes = async (environment: Readonly<Record<string, string>>, parameters: readonly string[] = []): Promise<readonly [readonly string[], string]> => {
    const { text, status } = await new Operator("vcd-wrong", ["dash"], parameters, environment).install(first, "--check");
    t.equal(status, 1, text);
    return [[...new Set([...text.matchAll(/^finding {2}(\S+)$/gm)].map((match) => match[1] ?? ""))].sort(), text];
  };
  const good = loginTo(server);
  const [all, text] = await codes(good, ["nonsense=1", "network_3=x", "driver=pigeon", "settle_seconds=soon"]);
  t.strictSame(all, ["credentials/forbidden", "network/missing", "parameter/unknown", "parameter/value", "quota/memory", "quota/storage", "vapp/name-taken"], text);
  const need = 2 * Number(site(first, "CB_OVF_PAYLOAD_CAPACITY")) + Number(site(first, "CB_OVF_VM_IMAGE_CAPACITY")) + (40 * 1024 + 4096) * 1048576;
  t.match(text, `limit ${20_000 * 1048576}, used ${1000 * 1048576}, needed ${need}; ${need - 19_000 * 1048576} too many`);
  t.equal((text.match(/credentials\/forbidden/g) ?? []).length, 2, "catalog and vApps");

  t.strictSame((await codes(good, ["catalog=none", "storage_profile=none", "network_1=of a group"]))[0], ["catalog/missing", "credentials/forbidden", "quota/memory", "storage/missing", "vapp/name-taken"]);
  t.strictSame((await codes(good, ["vdc=none"]))[0], ["vdc/missing"]);
  t.strictSame((await codes({ ...good, VCD_PASSWORD: "wrong" }))[0], ["credentials/refused"]);
  t.strictSame((await codes({ ...good, VCD_ORG: "Other" }))[0], ["credentials/refused"]);
  t.strictSame((await codes({ ...good, VCD_CACERT: "/nowhere" }))[0], ["endpoint/tls"]);
  const { VCD_CACERT: _, ...untrusting } = good as Record<string, string>;
  t.strictSame((await codes(untrusting))[0], ["endpoint/tls"]);
  t.strictSame((await codes({ ...good, VCD_URL: "https://127.0.0.1:1" }))[0], ["endpoint/unreachable"]);
  t.strictSame((await codes({ ...good, VCD_URL: "http://127.0.0.1" }))[0], ["parameter/value"]);
  t.strictSame((await codes({}))[0], ["credentials/missing"]);
  const future = await openServer({ versions: ["5.1", "32.0", "41.0"] });
  t.strictSame((await codes(loginTo(future)))[0], ["vcd/version"]);
  await future.close();

  t.strictSame(changes(server), [], "nothing was made");
  t.strictSame(things(server), [`vApp ${name}`]);
  const uninstall = await new Operator("vcd-wrong", ["dash"], [], good).run(first, "--uninstall", "--yes");
  t.match(uninstall.text, /vapp\/not-ours/);
  t.strictSame(things(server), [`vApp ${name}`], "and somebody else's is not removed");
  t.ok(existsSync(certificateFiles().certificate));
  t.strictSame(server.violations, []);
});

t.test("a template of our name that somebody else has made", async (t) => {
  const server = await openServer();
  t.teardown(() => server.close());
  const digest = createHash("sha256").update(readFileSync(join(first.folder, "SHA256SUMS"))).digest("hex");
  server.addForeign("template", `${name}-${digest.slice(0, 12)}`);
  const run = await new Operator("vcd-template", ["dash"], quick, loginTo(server)).install(first);
  t.equal(run.status, 1, run.text);
  t.match(run.text, /template\/name-taken/);
});

t.test("ovftool sends the package where the site has it", async (t) => {
  const server = await openServer();
  t.teardown(() => server.close());
  const folder = join(import.meta.dirname, "../../../out/conformance/vcd/ovftool");
  mkdirSync(folder, { recursive: true });
  const call = join(folder, "call");
  const program = join(folder, "ovftool");
  // It notes how it is called, and waits until the test has done its work.
  writeFileSync(program, `#!/bin/sh\nIFS= read -r password\n{ printf '%s\\n' "$password"; for word in "$@"; do printf '%s\\n' "$word"; done; } >"${call}.new"\nmv "${call}.new" "${call}"\nprintf 'Opening OVF source\\rDisk progress: 40%%\\r'\nwhile [ -e "${call}" ]; do sleep 1; done\nprintf 'Completed successfully\\n'\n`);
  chmodSync(program, 0o755);
  let noted: readonly string[] = [];
  const worker = setInterval(() => {
    if (!existsSync(call)) return;
    noted = readFileSync(call, "utf8").trimEnd().split("\n");
    const locator = new URL((noted.at(-1) ?? "").replace("vcloud:", "https:"));
    server.addSent(locator.searchParams.get("vappTemplate") ?? "", readFileSync(noted.at(-2) ?? "", "utf8"));
    rmSync(call);
  }, 100);
  t.teardown(() => clearInterval(worker));
  const { VCD_CACERT: _, ...environment } = loginTo(server) as Record<string, string>;
  const watch = watchCommandLines([login.password]);
  const operator = new Operator("vcd-ovftool", ["dash"], quick, { ...environment, VCD_INSECURE: "true", PATH: `${folder}:${process.env["PATH"] ?? ""}` });
  const run = await operator.install(first);
  t.equal(run.status, 0, run.text);
  t.strictSame(watch.stop(), [], "the password is in no argument");
  const [password, ...words] = noted;
  t.equal(password, login.password, "it is on standard input");
  t.equal(words.at(-2), join(first.folder, "ovf/platformvm.ovf"));
  // OVF Tool User's Guide, "Command-Line Options": those that install.sh may use.
  const documented = ["--acceptAllEulas", "--overwrite", "--vCloudTemplate=true", "--noSSLVerify"];
  t.strictSame(words.slice(0, -2).filter((word) => !documented.includes(word)), []);
  t.match(words.at(-1), new RegExp(`^vcloud://operator@127\\.0\\.0\\.1:\\d+\\?org=ExampleTel&vdc=edge%20%26%20vdc&catalog=cloudlets&vappTemplate=${name}-[0-9a-f]{12}$`));
  t.equal(server.requests.filter((line) => line.includes("/transfer/")).length, 0, "nothing was sent besides");
  t.match(server.templates[0]?.metadata.get("cloudlet-bundle"), `cloudlet-bundle ${name} bundle=`);
  t.equal((await operator.run(first, "--uninstall", "--yes")).status, 0);
  t.strictSame(things(server), []);
  const without = await new Operator("vcd-ovftool-none", ["dash"], [...quick, "driver=ovftool"], loginTo(server)).install(first, "--check");
  t.match(without.text, /tool\/missing/);
  t.strictSame(server.violations, []);
});
