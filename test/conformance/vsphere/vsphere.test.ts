/** install.sh against a simulated vCenter, with the oldest govc that it takes and with a current one. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { Test } from "tap";
import { load } from "js-yaml";
import type { BuiltBundle } from "../bundle.ts";
import { cloudlet } from "./cloudlets.ts";
import { Front } from "./front.ts";
import { digestOf, Guests, readByCloudInit } from "./guest.ts";
import type { Told } from "./guest.ts";
import { Operator, secretsOf, site, watchProcesses } from "./operator.ts";
import { Simulator, versions } from "./simulator.ts";
import type { Version, Vm } from "./simulator.ts";

const out = join(import.meta.dirname, "../../../out/conformance");
const check = join(import.meta.dirname, "../../labs/cloud-init/check");

interface Site {
  readonly simulator: Simulator;
  readonly front: Front;
  readonly operator: Operator;
  guests(...bundles: readonly BuiltBundle[]): Guests;
}

/** A test with a vCenter of its own. Whatever is made has to be gone when it ends. */
function at(title: string, name: string, version: Version, body: (t: Test, site: Site) => Promise<void>): void {
  t.test(title, { timeout: 600_000 }, async (t) => {
    const simulator = await Simulator.start(version);
    const front = await Front.open(simulator.url, join(out, "vsphere", name));
    const living: Guests[] = [];
    t.teardown(async () => {
      for (const guests of living) await guests.stop();
      front.close();
      simulator.stop();
    });
    const before = await simulator.inventory();
    await body(t, {
      simulator,
      front,
      operator: new Operator(`vsphere-${name}`, simulator, front),
      guests: (...bundles) => {
        const guests = new Guests(simulator, bundles);
        living.push(guests);
        return guests;
      },
    });
    t.strictSame(await simulator.inventory(), before, "vCenter is as it was before");
  });
}

/** What changes something, of the API's methods. */
const changing = /_Task$|ImportVApp|CreateResourcePool|^Destroy$|HttpNfc|ShutdownGuest/;

t.setTimeout(1_200_000);
const single = await cloudlet("vsphere-single", { name: "cb vsphere" });

/** What takes minutes is done with one of the two, by the commit; --full does all. */
const turn = versions[(Number.parseInt((process.env["CONFORMANCE_SEED"] ?? "").slice(0, 6), 16) || 0) % versions.length];

for (const version of versions) {
  const isTurn = process.env["CONFORMANCE_FULL"] === "1" || version === turn;
  at(`install with govc ${version}`, `install-${version}`, version, async (t, { simulator, front, operator, guests }) => {
    const alive = guests(single);
    const run = operator.install(single);
    const [installed, seen] = await Promise.all([run, watchProcesses(run, secretsOf(single), /guestinfo\.userdata=[^/]/)]);
    t.equal(installed.status, 0, installed.text);
    t.strictSame(seen, [], "no process had a secret, or what holds them, among its words");

    const name = site(single, "CB_NAME");
    const [vm] = await simulator.vms();
    t.equal(vm?.path, `/DC0/vm/${name}`);
    t.ok(vm?.isOn);
    t.strictSame(vm?.disks, [40 * 2 ** 30, Number(site(single, "CB_OVF_PAYLOAD_CAPACITY"))], "the root disk is grown, the payload's is not");
    t.strictSame(vm?.cards.map((card) => card.network).toSorted(), ["DC0_DVPG0", "VM Network"]);
    t.strictSame((await simulator.inventory()).pools.filter((pool) => pool.endsWith(`/${name}`)), [`/DC0/host/DC0_C0/Resources/${name}`]);

    const booted = alive.booted.get(digestOf(single)) as Vm;
    isToldAsMeant(t, single, booted);
    withoutSecrets(t, booted, vm as Vm);
    for (const secret of secretsOf(single).filter((text) => text.length >= 8)) {
      t.notOk(`${installed.text}${operator.traces()}`.includes(secret), "no log, journal, receipt or debug file has a secret");
    }
    t.match(operator.receipt(), { result: "complete", vm: { path: `/DC0/vm/${name}`, state: "poweredOn" }, guest: "healthy crmserver,shepherd" });
    t.match(operator.receipt()["addresses"], [{ network: "DC0_DVPG0", fixed: "203.0.113.10/24", mac: macsOf(single, booted)[0] }, { network: "VM Network", fixed: "dhcp" }]);

    const until = front.calls.length;
    const again = await operator.install(single);
    t.equal(again.status, 0, again.text);
    t.match(again.text, /nothing to do/);
    t.strictSame(front.calls.slice(until).filter((method) => changing.test(method)), [], "the second run changes nothing");
    t.match((await operator.run(single, ["--status"])).text, /guest +healthy/);

    byHand(t, single, booted);
    const removed = await operator.uninstall(single);
    t.equal(removed.status, 0, removed.text);
    t.match(removed.text, /nothing is left/);
    t.equal((await operator.run(single, ["--status"])).status, 1, "then there is nothing");
  });

  if (isTurn) at(`SIGKILL at every line of the journal with govc ${version}`, `kill-${version}`, version, async (t, { simulator, front, operator, guests }) => {
    guests(single);
    const done = await operator.killedAtEach(single, operator.words(single));
    t.equal(done.status, 0, done.text);
    const events = ["pool", "import", "disk", "guestinfo", "vm", "guest", "scrub"].flatMap((step) => [`begin ${step}`, `done ${step}`]);
    // A guest that is quick is well before anybody begins to wait for it.
    t.strictSame(events.filter((event) => !done.kills.includes(event) && event !== "begin guest"), [], "killed at each");
    t.equal((await simulator.vms()).length, 1, "and nothing is there twice");
    t.equal((await operator.uninstall(single)).status, 0);

    // Slow enough that the disks are on their way when the run dies.
    front.diskBytesPerSecond = 20_000;
    const cut = operator.start(single, operator.words(single));
    while ((await simulator.vms()).length === 0) await sleep(50);
    cut.kill("SIGKILL");
    const [half] = await simulator.vms();
    t.equal(half?.extra["cloudlet-bundle.imported"], undefined, "a VM that is half there");
    t.match(half?.notes, /\[cloudlet-bundle owner=/, "has our mark all the same");
    front.diskBytesPerSecond = Infinity;
    const resumed = await operator.install(single);
    t.equal(resumed.status, 0, resumed.text);
    t.match(resumed.text, /removing what an import that was cut has left/);
    t.equal((await simulator.vms()).length, 1);

    const uninstalling = operator.start(single, ["--uninstall", "--yes"]);
    while (!/start uninstall/.test(operator.journal().split("\n").slice(-3).join("\n"))) await sleep(10);
    uninstalling.kill("SIGKILL");
    const removed = await operator.uninstall(single);
    t.equal(removed.status, 0, removed.text);
  });

  if (!isTurn || process.env["CONFORMANCE_FULL"] === "1") at(`upgrade, rollback and what is kept with govc ${version}`, `upgrade-${version}`, version, async (t, { simulator, operator, guests }) => {
    const bundles = [single, await cloudlet("vsphere-2", { name: "cb vsphere", sequence: 2 }), await cloudlet("vsphere-3", { name: "cb vsphere", sequence: 3 })] as const;
    const [first, second, third] = bundles;
    guests(...bundles);
    const name = site(first, "CB_NAME");
    /** Bundles of the VM that has the name, and of those that are kept. */
    const made = async (): Promise<readonly string[]> => (await simulator.vms()).map((vm) => `${vm.name === name ? "runs" : "kept"} ${vm.isOn ? "on" : "off"} ${bundles.findIndex((bundle) => digestOf(bundle) === vm.extra["cloudlet-bundle.bundle"]) + 1}`).sort();

    t.match((await operator.install(first, ["--upgrade"])).text, /run\/not-installed/);
    t.equal((await operator.install(first)).status, 0);
    t.match((await operator.install(second)).text, /input\/bundle[^]*--upgrade/);
    t.match((await operator.run(second, ["--trust", second.fingerprint, "--upgrade", "--yes"])).text, /secrets\/none/, "a new VM needs a fresh access key");
    const upgraded = await operator.install(second, ["--upgrade"]);
    t.equal(upgraded.status, 0, upgraded.text);
    t.strictSame(await made(), ["kept off 1", "runs on 2"]);
    t.match((await operator.install(second, ["--upgrade"])).text, /nothing to do/);
    t.match((await operator.install(first, ["--upgrade"])).text, /bundle\/older/);

    const back = await operator.run(second, ["--rollback", "--yes"]);
    t.equal(back.status, 0, back.text);
    t.strictSame(await made(), ["kept off 2", "runs on 1"]);
    t.equal(operator.receipt()["release"], "conformance.1");

    const cut = await operator.killedAtEach(third, operator.words(third, ["--upgrade"]));
    t.equal(cut.status, 0, cut.text);
    t.ok(cut.kills.length >= 10, cut.kills.join(", "));
    t.strictSame(await made(), ["kept off 1", "runs on 3"], "and what is not needed to go back is gone");
    const removed = await operator.uninstall(third);
    t.equal(removed.status, 0, removed.text);
  });

  if (isTurn) at(`tags, and names with any character, with govc ${version}`, `names-${version}`, version, async (t, { simulator, operator, guests }) => {
    const portGroup = 'vSwitch [1] & "UE" *$(id)\'s';
    await simulator.govc("dvs.portgroup.add", "-dvs", "DVS0", "-type", "earlyBinding", portGroup);
    await simulator.govc("folder.create", "/DC0/vm/cloud lets");
    await simulator.govc("folder.create", "/DC0/vm/cloud lets/porto [x]");
    const parameters = ["tags: true", "folder: 'cloud lets/porto [x]'", `networks: {DC0_DVPG0: {portGroup: ${JSON.stringify(portGroup)}}}`];
    const bundle = await cloudlet(`vsphere-names`, { name: "cb names", parameters });
    guests(bundle);
    const installed = await operator.install(bundle);
    t.equal(installed.status, 0, installed.text);
    const name = site(bundle, "CB_NAME");
    const [vm] = await simulator.vms();
    t.equal(vm?.path, `/DC0/vm/cloud lets/porto [x]/${name}`);
    const { categories, tags } = await simulator.inventory();
    t.strictSame(categories.map((line) => line.trim()), ["subnet", "vmdomain", "vmip"].map((kind) => `ExampleTel-cbnames-${kind}`));
    const texts = tags.join("\n");
    t.match(texts, `group=${name},vmname=${name},role=mex-agent-node,flavor=m4.medium,domain=platform`);
    t.match(texts, `group=${name},vmname=${name},netname=${portGroup},ip=203.0.113.10,domain=platform`);
    t.match((await operator.install(bundle)).text, /nothing to do/);
    // The CRM's own tag is not ours to remove, nor is its category.
    await simulator.govc("tags.create", "-c", "ExampleTel-cbnames-vmip", "group=other,vmname=app,netname=n,ip=203.0.113.11,domain=compute");
    const removed = await operator.uninstall(bundle);
    t.equal(removed.status, 0, removed.text);
    t.match(removed.text, /tag category ExampleTel-cbnames-vmip stays/);
    t.strictSame((await simulator.inventory()).categories.map((line) => line.trim()), ["ExampleTel-cbnames-vmip"]);
    await simulator.govc("tags.category.rm", "-f", "ExampleTel-cbnames-vmip");
    await simulator.govc("object.destroy", "/DC0/vm/cloud lets/porto \\[x\\]");
    await simulator.govc("object.destroy", "/DC0/vm/cloud lets");
  });
}

at("preflight finds what stands in the way, all at once, and changes nothing", "preflight", "0.24.2", async (t, { simulator, front, operator }) => {
  const look = async (more: Readonly<Record<string, string | undefined>> = {}, ...words: readonly string[]): Promise<string> => {
    const { status, text } = await operator.install(single, ["--check", ...words], more);
    t.equal(status, 1, text);
    return text;
  };
  const clean = await operator.install(single, ["--check"]);
  t.equal(clean.status, 0, clean.text);
  t.notMatch(clean.text, /^finding|permission\/unknown/m);

  t.match(await look({ GOVC_PASSWORD: "wrong-password" }), /credentials\/refused/);
  t.notMatch(await look({ GOVC_PASSWORD: "wrong-password" }), /wrong-password/);
  t.match(await look({ GOVC_URL: undefined }), /credentials\/missing/);
  t.match(await look({ GOVC_URL: "https://127.0.0.1:9/sdk" }), /endpoint\/unreachable/);
  t.match(await look({ GOVC_TLS_CA_CERTS: undefined }), /endpoint\/tls[^]*GOVC_TLS_CA_CERTS/);
  t.match(await look({ PATH: "/usr/bin:/bin" }), /tool\/missing.*\n.*'govc'/);

  const several = await look({}, "--parameter", "network_1=no-such-net", "--parameter", "datastore=elsewhere", "--parameter", "resource_pool=none", "--parameter", "folder=a/b", "--parameter", "colour=red", "--parameter", "network_3=x", "--parameter", "provisioning=thinner");
  for (const code of ["network/missing", "datastore/missing", "pool/missing", "folder/missing", "parameter/value"]) t.match(several, new RegExp(`finding +${code}`));
  t.equal(several.match(/finding +parameter\/unknown/g)?.length, 2);
  t.match(several, /no-such-net[^]*There are: DC0_DVPG0, DC0_DVPG1/);
  t.match(await look({}, "--parameter", "cluster=nowhere"), /cluster\/missing/);
  t.match(await look({}, "--parameter", "datacenter=DC9"), /datacenter\/missing/);

  const changed = async (what: RegExp, to: string, ...words: readonly string[]): Promise<string> => {
    front.changes = [[what, to]];
    return look({}, ...words).finally(() => (front.changes = []));
  };
  const swap = 4096 * 2 ** 20;
  const disks = Number(site(single, "CB_OVF_VM_IMAGE_POPULATED")) + Number(site(single, "CB_OVF_PAYLOAD_POPULATED"));
  const free = /<freeSpace>\d+<\/freeSpace>/g;
  t.match(await changed(free, `<freeSpace>${swap + disks - 1}</freeSpace>`), new RegExp(`datastore/full[^]*has ${swap + disks - 1} bytes free, ${swap + disks} are needed[^]*Free 1 bytes`));
  const thick = swap + 40 * 2 ** 30 + Number(site(single, "CB_OVF_PAYLOAD_CAPACITY"));
  t.match(await changed(free, `<freeSpace>${thick - 7}</freeSpace>`, "--parameter", "provisioning=thick"), new RegExp(`${thick} are needed[^]*Free 7 bytes`));
  front.changes = [[free, `<freeSpace>${swap + disks}</freeSpace>`]];
  const thin = await operator.install(single, ["--check"]);
  front.changes = [];
  t.equal(thin.status, 0, thin.text);
  t.match(thin.text, /note +datastore\/thin/);

  t.match(await changed(/<privileges>Network\.Assign<\/privileges>/g, ""), /permission\/missing[^]*DC0_DVPG0 this account lacks: Network\.Assign/);
  t.match(await changed(/<version>7\.0\.3</g, "<version>6.5.0<"), /vcenter\/too-old[^]*6\.5\.0[^]*6\.7/);
  t.match(await changed(/>68719476736</g, ">4294430720<"), /cluster\/too-small[^]*4095 MiB/);
  t.match(await changed(/<maintenanceMode>normal</g, "<maintenanceMode>inMaintenance<"), /datastore\/unusable/);
  t.match(await changed(/<lastActiveTime>[^<]*</g, "<lastActiveTime>2020-01-01T00:00:00Z<"), /clock\/skew/);

  t.equal(operator.journal(), "", "--check leaves no journal");
  const name = site(single, "CB_NAME");
  await simulator.govc("vm.create", "-on=false", "-pool", "/DC0/host/DC0_C0/Resources", "-net", "VM Network", name);
  t.match(await look(), /vm\/name-taken/);
  t.equal((await operator.uninstall(single)).status, 0, "and uninstalling leaves it alone");
  t.equal((await simulator.vms()).length, 1);
  await simulator.govc("vm.destroy", name);

  const prints = execFileSync("openssl", ["x509", "-noout", "-fingerprint", "-sha1", "-in", join(out, "vsphere/preflight/vc.pem")], { encoding: "utf8" });
  const hosts = join(operator.home, "known_hosts");
  writeFileSync(hosts, `${new URL(front.url).host} ${prints.trim().replace(/.*=/, "")}\n`);
  const pinned = await operator.install(single, ["--check"], { GOVC_TLS_CA_CERTS: undefined, GOVC_TLS_KNOWN_HOSTS: hosts });
  t.equal(pinned.status, 0, pinned.text);
  t.notMatch(pinned.text, /permission\/unknown/, "the calls besides govc's trust the same certificate");
});

at("a guest that fails, then gets well; a VM that was made and never well keeps no name from the next", "unwell", "0.46.3", async (t, { operator, guests }) => {
  const alive = guests(single);
  alive.says = { stage: "failed", detail: "no-payload-disk" };
  const failed = await operator.install(single);
  t.equal(failed.status, 1, failed.text);
  t.match(failed.text, /guest\/failed[^]*no-payload-disk/);
  t.notOk(secretsOf(single).some((secret) => secret.length >= 8 && operator.traces().includes(secret)));
  alive.says = { stage: "healthy", detail: "crmserver" };
  const well = await operator.install(single);
  t.equal(well.status, 0, well.text);
  t.match(well.text, /it had failed/);
  t.equal((await operator.uninstall(single)).status, 0);
});

at("the same in other shells", "shells", "0.24.2", async (t, { operator, guests }) => {
  guests(single);
  for (const shell of [["busybox", "ash"], ["bash"], ["ksh"]] as const) {
    operator.shell = shell;
    const installed = await operator.install(single);
    t.equal(installed.status, 0, `${shell.join(" ")}: ${installed.text}`);
    const removed = await operator.uninstall(single);
    t.equal(removed.status, 0, `${shell.join(" ")}: ${removed.text}`);
  }
});

/** cloud-init's own code finds in guestinfo the rendered texts, with addresses and secrets where their places were. */
function isToldAsMeant(t: Test, bundle: BuiltBundle, vm: Vm): void {
  const { metadata, userdata, network } = readByCloudInit(vm);
  t.equal(userdata, filled(bundle, "site/user-data", vm, secretsIn(bundle)), "user-data is what was rendered");
  const config = filled(bundle, "site/network-config", vm, {});
  t.strictSame(network, load(config), "network-config is what was rendered");
  t.strictSame(metadata, load(readFileSync(join(bundle.folder, "site/meta-data"), "utf8")));
  const folder = mkdtempSync(join(tmpdir(), "network-"));
  const file = join(folder, "network-config");
  writeFileSync(file, config);
  const checked = spawnSync(check, ["--network", file], { encoding: "utf8" });
  t.equal(checked.status, 0, checked.stderr);
  rmSync(folder, { recursive: true });
}

/** When it is well the secrets are gone, and all else is as it was: the instance's id above all. */
function withoutSecrets(t: Test, before: Vm, after: Vm): void {
  const was: Told = readByCloudInit(before);
  const is: Told = readByCloudInit(after);
  t.strictSame(is.metadata, was.metadata);
  t.strictSame(is.network, was.network);
  t.equal(after.extra["guestinfo.userdata"], "---", "cloud-init's word for what was taken away");
  t.equal(is.userdata, "", "and cloud-init reads nothing there");
}

/** What an operator makes by hand is what install.sh tells the VM. */
function byHand(t: Test, bundle: BuiltBundle, vm: Vm): void {
  const folder = join(out, "vsphere/by-hand");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const script = join(bundle.folder, "lib/vsphere-by-hand.sh");
  const macs = macsOf(bundle, vm).map((mac) => mac.toUpperCase());
  const run = spawnSync("sh", [script, bundle.secrets, folder, ...macs], { encoding: "utf8" });
  t.equal(run.status, 0, run.stderr);
  for (const name of ["metadata", "userdata"]) t.equal(readFileSync(join(folder, name), "utf8"), vm.extra[`guestinfo.${name}`]);
  t.equal(spawnSync("sh", [script, bundle.secrets, folder, ...macs.slice(1)]).status, 2, "an address too few");
}

function filled(bundle: BuiltBundle, file: string, vm: Vm, secrets: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(bundle.folder, file), "utf8").replace(/@@CLOUDLET-SECRET:(\w+)@@/g, (_all, name: string) => secrets[name] ?? "");
  return macsOf(bundle, vm).reduce((now, mac, index) => now.replaceAll(`@@CLOUDLET-PORT-MAC:${index + 1}@@`, mac), text);
}

/** Hardware addresses in the order of the spec's networks, each of its own. */
function macsOf(bundle: BuiltBundle, vm: Vm): readonly string[] {
  return Array.from({ length: Number(site(bundle, "CB_NETWORK_COUNT")) }, (_none, index) => {
    const network = site(bundle, `CB_NETWORK_${index + 1}_SITE_NAME`);
    return vm.cards.find((card) => card.network === network)?.mac ?? `no card on ${network}`;
  });
}

/** As base64, by name. */
function secretsIn(bundle: BuiltBundle): Readonly<Record<string, string>> {
  const lines = readFileSync(bundle.secrets, "utf8").split("\n").filter((line) => /^[A-Z]/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^base64:/, "")]));
}
