/** The service's own machine as a KVM host: what its file may say, what a cloudlet may not have of it, and what install.sh is told. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { hostDefaults, mayHaveVm, readLibvirtHost, type LibvirtHost } from "../../../src/service/direct/libvirt-host.ts";
import { libvirtIssues, type LibvirtWanted, type SiteValues } from "../../../src/service/direct/libvirt-limits.ts";
import { libvirtLimits, libvirtParameters, savedParameters } from "../../../src/service/direct/libvirt-run.ts";
import { valuesIn } from "../../../src/service/jobs/site-values.ts";
import type { StoredLayout } from "../../../src/service/jobs/stored-layout.ts";
import { root } from "./running.ts";

const host: LibvirtHost = { ...hostDefaults, cloudlets: ["ExampleTel/berlin-1"], networks: ["bridge:br-ue", "network:default"], gpus: ["0000:3b:00.0"], largest: { vcpus: 4, memoryMiB: 8192, diskGiB: 60 } };
const site: SiteValues = {
  CB_PLATFORM: "libvirt", CB_NEED_VCPUS: "2", CB_NEED_MEMORY_MIB: "4096", CB_LV_ROOT_DISK_GIB: "40", CB_LV_DRIVER: "auto", CB_LV_URI: "qemu:///system", CB_LV_STORAGE: "/var/lib/libvirt/images/cloudlets", CB_LV_GPU_COUNT: "0",
  CB_NETWORK_COUNT: "1", CB_NETWORK_1_NAME: "ue/net", CB_NETWORK_1_KIND: "bridge", CB_NETWORK_1_SOURCE: "br-ue",
};

t.test("the file: what is left out, and every mistake at its place", (t) => {
  const least = readLibvirtHost("cloudlets: [ExampleTel/berlin-1]\nnetworks: []\n");
  t.strictSame(least, { ok: true, value: { ...hostDefaults, cloudlets: ["ExampleTel/berlin-1"], networks: [] }, issues: [] });
  const { properties } = JSON.parse(readFileSync(join(root, "schemas/libvirt-host.schema.json"), "utf8")) as { readonly properties: Readonly<Record<string, { readonly default?: unknown }>> };
  t.strictSame(Object.fromEntries(Object.entries(properties).flatMap(([name, schema]) => (schema.default === undefined ? [] : [[name, schema.default]]))), { ...hostDefaults });
  for (const [text, pointers] of [
    ["cloudlets: [ExampleTel, ExampleTel/*, /x, a/b/c]\nnetworks: [bridge:br 0, lo, 'user:x']\n", ["/cloudlets/0", "/cloudlets/1", "/cloudlets/2", "/cloudlets/3", "/networks/0", "/networks/1", "/networks/2"]],
    ["cloudlets: []\nnetworks: []\nuri: qemu:///session\nstorage: /a/../b\ndriver: auto\nanything: 1\n", ["/uri", "/storage", "/driver", "/anything"]],
    ["cloudlets: []\nnetworks: []\nuri: qemu+ssh://elsewhere/system\ngpus: [all]\nlargest: {vcpus: 0, cores: 1}\n", ["/uri", "/gpus/0", "/largest/vcpus", "/largest/cores"]],
    ["networks: []\n", [""]],
    ["- x\n", [""]],
    ["cloudlets: [A/b c, A/bc, A/b-c, A-b/c, A/b]\nnetworks: []\n", ["/cloudlets/1"]],
    ["cloudlets: [b/a, c/a-b]\nnetworks: []\n", []],
    ["cloudlets: [c/a-b, b-c/a, b&c/x, bc/x]\nnetworks: []\n", ["/cloudlets/1", "/cloudlets/3"]],
  ] as const) {
    const read = readLibvirtHost(text);
    t.strictSame(read.issues.map((issue) => issue.pointer), pointers, `${text}${JSON.stringify(read.issues)}`);
    t.equal(read.ok, pointers.length === 0);
  }
  t.end();
});

t.test("the page about it: its example is sound, and its table has every key", (t) => {
  const page = /### On its own KVM host\n[^]*/.exec(readFileSync(join(root, "docs/service.md"), "utf8"))?.[0] ?? "";
  const read = readLibvirtHost(/```yaml\n([^]*?)```/.exec(page)?.[1] ?? "");
  t.ok(read.ok, JSON.stringify(read.issues));
  const { properties } = JSON.parse(readFileSync(join(root, "schemas/libvirt-host.schema.json"), "utf8")) as { readonly properties: object };
  t.strictSame([.../\n\| \| \|\n\|---\|---\|\n((?:\|.*\n)*)/.exec(page)?.[1]?.matchAll(/^\| `(\w+)`/gm) ?? []].map((match) => match[1]), Object.keys(properties));
  t.end();
});

t.test("a cloudlet is named whole", (t) => {
  t.ok(mayHaveVm(host, { organization: "ExampleTel", name: "berlin-1" }));
  for (const [organization, name] of [["ExampleTel", "berlin-11"], ["ExampleTel", "Berlin-1"], ["Example", "Tel/berlin-1"], ["", "ExampleTel/berlin-1"], ["ExampleTel/berlin-1", ""]] as const) t.notOk(mayHaveVm(host, { organization, name }), `${organization} ${name}`);
  t.end();
});

const asked = (more: Partial<LibvirtWanted> = {}, values: Readonly<Record<string, string>> = {}): readonly string[] =>
  libvirtIssues(host, { action: "install", parameters: {}, machines: [{ ...site, ...values }], ...more }).map((issue) => issue.pointer);

t.test("what the host does not give", (t) => {
  t.strictSame(asked(), []);
  t.strictSame(asked({ parameters: { network_1: "default" } }), ["/parameters/network_1"], "another bridge");
  t.strictSame(asked({ parameters: { network_1: "network:default", root_disk_gib: "60", emulation: "yes", shutdown_seconds: "1" } }), []);
  t.strictSame(asked({ parameters: { network_1: "" } }), [], "install.sh takes the spec's");
  t.strictSame(asked({ parameters: { network_1: "macvtap:br-ue" } }), ["/parameters/network_1"]);
  t.strictSame(asked({}, { CB_NETWORK_1_KIND: "user", CB_NETWORK_1_SOURCE: "-" }), ["/platform/parameters/networks/ue~1net"], "nor QEMU's own, if it is not named");
  t.strictSame(asked({}, { CB_NETWORK_COUNT: "2", CB_NETWORK_2_NAME: "mgmt", CB_NETWORK_2_KIND: "bridge", CB_NETWORK_2_SOURCE: "br-mgmt" }), ["/platform/parameters/networks/mgmt"]);
  t.strictSame(asked({}, { CB_LV_GPU_COUNT: "2", CB_LV_GPU_1: "0000:3b:00.0", CB_LV_GPU_2: "0000:3c:00.0" }), ["/platform/parameters/gpus/1/address"]);
  for (const root_disk_gib of ["61", "x", "6e1x"]) t.strictSame(asked({ parameters: { root_disk_gib } }), ["/parameters/root_disk_gib"], root_disk_gib);
  t.strictSame(asked({}, { CB_NEED_VCPUS: "5", CB_NEED_MEMORY_MIB: "8193", CB_LV_ROOT_DISK_GIB: "61" }), ["/compute/platformVm/vcpus", "/compute/platformVm/memoryMiB", "/platform/parameters/rootDiskGiB"]);
  t.strictSame(asked({ parameters: { uri: "qemu:///session", storage: "/etc", driver: "qemu" } }), ["/parameters/driver", "/parameters/uri", "/parameters/storage"]);
  const elsewhere = { CB_LV_DRIVER: "qemu", CB_LV_URI: "qemu:///session", CB_LV_STORAGE: "/etc" };
  t.strictSame(asked({}, elsewhere), ["/platform/parameters/driver", "/platform/parameters/uri", "/platform/parameters/storage"]);
  const tooMuch = { CB_NETWORK_1_SOURCE: "br-mgmt", CB_NEED_VCPUS: "64" };
  for (const action of ["uninstall", "rollback"] as const) {
    t.strictSame(asked({ action }, tooMuch), [], "what is there may go");
    t.strictSame(asked({ action }, elsewhere), ["/platform/parameters/driver", "/platform/parameters/uri", "/platform/parameters/storage"], "but nothing elsewhere is touched");
  }
  t.strictSame(asked({ machines: [site, { ...site, ...tooMuch }] }), ["/platform/parameters/networks/ue~1net", "/compute/platformVm/vcpus"], "each of two machines");
  t.strictSame(asked({ machines: [{ ...site, ...tooMuch }, { ...site, ...tooMuch }] }), ["/platform/parameters/networks/ue~1net", "/compute/platformVm/vcpus"], "said once");
  t.end();
});

t.test("site.env is read as install.sh reads it", (t) => {
  const values = valuesIn(readFileSync(join(root, "test/golden/libvirt/expected/site.env"), "utf8"));
  t.match(values, { CB_FORMAT: "1", CB_PLATFORM: "libvirt", CB_NETWORK_COUNT: /^\d+$/, CB_LV_GPU_COUNT: /^\d+$/, CB_LV_STORAGE: /^\//, CB_LV_URI: /^qemu:/, CB_LV_DRIVER: /./, CB_LV_ROOT_DISK_GIB: /^\d+$/, CB_NEED_VCPUS: /^\d+$/, CB_NEED_MEMORY_MIB: /^\d+$/, CB_NETWORK_1_KIND: /./, CB_NETWORK_1_SOURCE: /./ });
  t.strictSame(valuesIn("# x\nCB_A='it'\\''s'\nCB_B=''\nCB_C=x\n"), { CB_A: "it's", CB_B: "" });
  t.end();
});

t.test("install.sh is told where the VMs of this host are; of what is there, where it was put", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "cloudlet-state-"));
  t.teardown(() => rmSync(state, { recursive: true, force: true }));
  const own = { driver: "libvirt", uri: "qemu:///system", storage: "/var/lib/libvirt/images/cloudlets" };
  const told = { network_1: "network:default" };
  t.strictSame(await libvirtParameters(host, "install", told, state), { ...told, ...own });
  t.strictSame(await libvirtParameters(host, "uninstall", {}, state), own, "what another state folder has installed");
  t.strictSame(await libvirtParameters(host, "rollback", {}, state), {});
  mkdirSync(join(state, "bundles/x"), { recursive: true });
  writeFileSync(join(state, "bundles/x/parameters"), "storage=/elsewhere\n");
  t.strictSame(await libvirtParameters(host, "uninstall", {}, state), {});
  t.strictSame(await libvirtParameters(host, "upgrade", told, state), { ...told, ...own });
});

t.test("where no parameter is given, those of what is there", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "cloudlet-state-"));
  t.teardown(() => rmSync(state, { recursive: true, force: true }));
  t.strictSame(await savedParameters(host, state), {}, "nothing is there");
  const [bundle, first, second] = ["a", "b", "c"].map((each) => each.repeat(64));
  for (const [key, text] of [[`${bundle}.${first}`, "driver=libvirt\nnetwork_1=network:a=b\nstorage=/x\nuri=qemu:///system\n"], [`${bundle}.${second}`, "driver=libvirt\nroot_disk_gib=50\n"]] as const) {
    mkdirSync(join(state, "bundles", key), { recursive: true });
    writeFileSync(join(state, "bundles", key, "parameters"), text);
  }
  let journal = "";
  const after = async (line: string): Promise<unknown> => {
    journal += `2026-11-30T10:00:00Z ${line}\n`;
    writeFileSync(join(state, "journal"), journal);
    return savedParameters(host, state);
  };
  const facts = (parameters: string | undefined): string => `bundle=${bundle} parameters=${parameters} secrets=x sequence=1`;
  t.strictSame(await after(`start install ${facts(first)}`), { network_1: "network:a=b" }, "begun");
  t.strictSame(await after("begin vm inputs=x"), { network_1: "network:a=b" });
  t.strictSame(await after(`end install ${facts(first)}`), { network_1: "network:a=b" });
  t.strictSame(await after(`start upgrade ${facts(second)}`), { root_disk_gib: "50" });
  t.strictSame(await after(`end rollback ${facts(first)} former=x`), { network_1: "network:a=b" });
  t.strictSame(await after(`start install bundle=../../.. parameters=${"d".repeat(64)} x`), { network_1: "network:a=b" }, "no line of install.sh's");
  t.strictSame(await after(`start uninstall bundle=${bundle}`), { network_1: "network:a=b" });
  t.strictSame(await after(`end uninstall bundle=${bundle}`), {}, "removed");
});

t.test("as large as the disks are to be; and none where the VM is a child", (t) => {
  const GiB = 1_024 ** 3;
  const layout = (...sizes: readonly number[]): StoredLayout => ({ files: sizes.map((size) => ({ size })) }) as unknown as StoredLayout;
  t.strictSame(libvirtLimits(host, {}, [site], layout(5)), { cpuSeconds: 14_400, fileBytes: 41 * GiB });
  t.strictSame(libvirtLimits(host, { root_disk_gib: "60" }, [site, site], layout(5)), { cpuSeconds: 14_400, fileBytes: 61 * GiB });
  t.strictSame(libvirtLimits(host, {}, [site], layout(5, 70 * GiB)), { cpuSeconds: 14_400, fileBytes: 71 * GiB }, "the payload");
  t.strictSame(libvirtLimits({ ...host, driver: "qemu" }, {}, [site], layout(5)), { cpuSeconds: undefined, fileBytes: undefined });
  t.end();
});
