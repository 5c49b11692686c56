/**
 * Runs the layers that need real engines: one folder of test/conformance/ each, with a `setup` that brings its engine up.
 *
 * usage: npm run conformance [-- [--full] [ENGINE...]]
 *
 * Without --full, engines with a long list of scenarios run a sample that rotates with the commit. Two engines run at a time,
 * never two of one lab. Closes with one line.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const conformance = join(root, "test/conformance");
const logs = join(root, "out/conformance");

const words = process.argv.slice(2);
const full = words.includes("--full");
const wanted = words.filter((word) => !word.startsWith("--"));
const engines = readdirSync(conformance, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && (wanted.length === 0 || wanted.includes(entry.name)))
  .map((entry) => entry.name)
  .sort();
const unknown = wanted.filter((name) => !engines.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`conformance: no such engine: ${unknown.join(", ")}\n`);
  process.exit(2);
}

/** Real boots take minutes each without KVM, and so do whole lives on a simulator and gigabytes in a shell: of every row one file runs, by the commit; --full runs all. */
const rotations: readonly (readonly string[])[] = [
  [
    "boot/config-drive.test.ts",
    "boot/damage.test.ts",
    "boot/inventory.test.ts",
    "boot/no-network.test.ts",
    "boot/power-cut.test.ts",
    "boot/vmware-guestinfo.test.ts",
    "boot/vmware-ovf.test.ts",
  ],
  ["libvirt/boot.test.ts", "libvirt/direct-boot.test.ts", "vmpool/vmpool.test.ts"],
  ["vcd/vcd.test.ts", "vsphere/vsphere.test.ts"],
  ["disks/disks.test.ts", "parts/shells.test.ts", "registry/large-image.test.ts"],
  ["push/deliveries.test.ts", "service/downloads.test.ts"],
  ["direct/console.test.ts", "direct/direct.test.ts"],
];
/** What is asked needs five minutes of building first, and says the same whatever the commit. */
const fullOnly: readonly string[] = ["evidence/cosign.test.ts"];
// As .taprc has it for the fast layers; files that take longer say so themselves. Seconds.
const environment = { ...process.env, TAP_TIMEOUT: "120", CONFORMANCE_FULL: full ? "1" : "", CONFORMANCE_SEED: commit() };
const total = { passed: 0, failed: 0, skipped: 0 };
mkdirSync(logs, { recursive: true });
/** The engines of the OpenStack lab: most of their time is waiting. */
const cloud = ["heat", "openstack"];
/** Emulated machines, whose clocks don't wait for a busy host: they run beside the cloud. */
const emulated = ["boot", "vmpool", "libvirt"];
const first = emulated.filter((engine) => engines.includes(engine));
const others = [...first, ...engines.filter((engine) => !cloud.includes(engine) && !emulated.includes(engine))];
await Promise.all(
  [engines.filter((engine) => cloud.includes(engine)), []].map(async (lane) => {
    for (const engine of lane) await runEngine(engine);
    for (let engine = others.shift(); engine !== undefined; engine = others.shift()) await runEngine(engine);
  }),
);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

async function runEngine(engine: string): Promise<void> {
  const folder = join(conformance, engine);
  const setup = join(folder, "setup");
  if (existsSync(setup) && !(await step(`${engine}: setup`, [setup], join(logs, `${engine}.setup.log`)))) {
    total.failed += 1;
    return;
  }
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".test.ts") && takes(`${engine}/${name}`)).sort()) {
    const log = join(logs, `${engine}.${file}.tap`);
    const ended = await step(`${engine}: ${file}`, [process.execPath, join(folder, file)], log);
    const text = readFileSync(log, "utf8");
    const line = text.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? "";
    const figure = (name: string): number => Number(line.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0);
    total.passed += figure("pass");
    total.skipped += figure("skip") + figure("todo");
    total.failed += figure("fail");
    // A file that broke off, or that tested nothing, is a failure too.
    if ((!ended && figure("fail") === 0) || figure("total") === 0) total.failed += 1;
    if (!ended) process.stdout.write(failures(text));
  }
}

/** False for a file that is left to another commit, or to --full. */
function takes(file: string): boolean {
  if (!full && fullOnly.includes(file)) {
    process.stdout.write(`left          ${file}: with -- --full only\n`);
    return false;
  }
  const row = rotations.find((each) => each.includes(file));
  const chosen = row?.[Number.parseInt(environment.CONFORMANCE_SEED.slice(0, 6), 16) % row.length || 0];
  if (full || chosen === undefined || chosen === file) return true;
  process.stdout.write(`left          ${file}: another commit's turn (all: -- --full)\n`);
  return false;
}

/** Runs a command with its output in `log`; says how long it took; true when it succeeded. */
async function step(title: string, command: readonly string[], log: string): Promise<boolean> {
  const begun = performance.now();
  const output = openSync(log, "w");
  const [program = "", ...rest] = command;
  const run = spawn(program, rest, { cwd: root, env: environment, stdio: ["ignore", output, output] });
  const status = await new Promise<number | null>((resolve) => run.on("close", resolve).on("error", () => resolve(null)));
  closeSync(output);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  const good = status === 0;
  process.stdout.write(`${good ? "ok  " : "FAIL"} ${seconds.padStart(5)} s  ${title}${good ? "" : `  (${relative(root, log)})`}\n`);
  if (!good && log.endsWith(".setup.log")) process.stdout.write(indented(readFileSync(log, "utf8").split("\n").slice(-30)));
  return good;
}

/** The failed points of a TAP text with what is said of them, and its end. */
function failures(text: string): string {
  const lines = text.split("\n");
  const marked = lines.flatMap((line, index) => (/^\s*not ok/.test(line) ? lines.slice(index, index + 25) : []));
  return indented([...marked.slice(0, 120), "…", ...lines.slice(-15)]);
}

function indented(lines: readonly string[]): string {
  return `${lines.map((line) => `      | ${line}`).join("\n")}\n`;
}

/** The sample rotates with the commit; a checkout without git always runs the same one. */
function commit(): string {
  const run = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : "0";
}
