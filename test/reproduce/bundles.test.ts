/**
 * The ledger: every cloudlet of bundles/ is made again, in two environments as unlike as one machine can give, and must be
 * what expected.json says, byte for byte.
 *
 *   UPDATE_LEDGER=1 node test/reproduce/bundles.test.ts      writes expected.json; explain the change in the commit
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../..");
const ledger = join(root, "bundles");
const cloudlets = readdirSync(ledger).filter((name) => existsSync(join(ledger, name, "cloudlet.yaml"))).sort();
const work = mkdtempSync(join(tmpdir(), "cloudlet-ledger-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

await makeReferenceInputs(join(root, "out/inputs"));
chmodSync(work, 0o755);

interface Surroundings {
  readonly name: string;
  readonly wrap: readonly string[];
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly import: readonly string[];
}

const isRoot = process.getuid?.() === 0;
const surroundings: readonly Surroundings[] = [
  { name: "plain", wrap: [], umask: "022", environment: { TZ: "UTC", LANG: "C.UTF-8", HOME: "/root", USER: "root" }, import: [] },
  {
    name: "unlike",
    // Another user, one core, a Turkish locale, half an hour off, a tight umask, a clock in 1970, folders the other way round.
    wrap: [...(isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []), "taskset", "-c", "0"],
    umask: "077",
    environment: { TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", HOME: "/nonexistent", USER: "kullanici" },
    import: ["--import", join(import.meta.dirname, "unlike.mjs")],
  },
];

for (const cloudlet of cloudlets) {
  t.test(cloudlet, (t) => {
    const made = surroundings.map((each) => build(cloudlet, each));
    const [plain, unlike] = made;
    if (process.env["UPDATE_LEDGER"] === "1") writeFileSync(join(ledger, cloudlet, "expected.json"), `${JSON.stringify(plain, null, 2)}\n`);
    const expected: unknown = JSON.parse(readFileSync(join(ledger, cloudlet, "expected.json"), "utf8"));
    t.strictSame(unlike, plain, "two unlike environments give the same bytes");
    t.strictSame(plain, expected, "and they are the ones of the ledger");
    const folder = join(work, "plain", cloudlet);
    const lock = join(ledger, cloudlet, "release.lock.json");
    if (existsSync(lock)) t.equal(readFileSync(join(folder, "release.lock.json"), "utf8"), readFileSync(lock, "utf8"), "nor does a build change the lock");
    const audit = JSON.parse(readFileSync(join(folder, "unpacked/evidence/audit.json"), "utf8")) as { readonly results: readonly { readonly rule: string; readonly state: string }[] };
    const asked = audit.results.filter(({ rule }) => /^SB-[1-8]$/.test(rule)).map(({ rule, state }) => `${rule} ${state}`);
    t.strictSame(asked, Array.from({ length: 8 }, (_, index) => `SB-${index + 1} met`), "its SBOM holds what is asked of one");
    t.end();
  });
}

/** Builds without a signature, in a copy of the folder, and gives the digests of the tar and of what is in it. */
function build(cloudlet: string, how: Surroundings): { readonly bundle: string; readonly size: number; readonly files: Readonly<Record<string, string>> } {
  const folder = join(work, how.name, cloudlet);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(ledger, cloudlet))) cpSync(join(ledger, cloudlet, name), join(folder, name), { recursive: true });
  const release = releaseOf(cloudlet, folder);
  if (isRoot) spawnSync("chown", ["-R", how.wrap.includes("setpriv") ? "65534:65534" : "0:0", join(work, how.name)]);
  const out = join(folder, "made.tar");
  const command = [
    ...how.wrap, process.execPath, ...how.import, join(root, "src/cli/start.ts"),
    "build", join(folder, "cloudlet.yaml"), "--release", release, "--lock", join(folder, "release.lock.json"),
    "--store", join(folder, "store"), "--unsigned", "--quiet", "--out", out,
  ];
  const run = spawnSync("sh", ["-c", `umask ${how.umask} && exec "$@"`, "sh", ...command], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...how.environment },
  });
  if (run.status !== 0) throw new Error(`${how.name}: ended with ${run.status}\n${run.stdout}${run.stderr}`);
  const bytes = readFileSync(out);
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  spawnSync("tar", ["-xf", out, "-C", unpacked]);
  const sums = readFileSync(join(unpacked, "SHA256SUMS"), "utf8").trimEnd().split("\n").map((line) => line.split("  ") as [string, string]);
  return {
    bundle: createHash("sha256").update(bytes).digest("hex"),
    size: bytes.byteLength,
    files: Object.fromEntries(sums.map(([digest, path]) => [path, digest])),
  };
}

/** The folder's own release, or the one that all of the ledger share; its inputs are beside this checkout. */
function releaseOf(cloudlet: string, folder: string): string {
  const own = join(ledger, cloudlet, "release.yaml");
  const text = readFileSync(existsSync(own) ? own : join(ledger, "openstack-single/release.yaml"), "utf8");
  const inputs = join(folder, "inputs");
  cpSync(join(root, "out/inputs"), inputs, { recursive: true });
  // The text must stay the same to the byte, for its digest is in the lock: the paths lead to where it stands.
  const place = join(folder, "a/b");
  mkdirSync(join(folder, "out"), { recursive: true });
  mkdirSync(place, { recursive: true });
  cpSync(inputs, join(folder, "out/inputs"), { recursive: true });
  writeFileSync(join(place, "release.yaml"), text);
  return join(place, "release.yaml");
}
