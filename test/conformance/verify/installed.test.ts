/**
 * What was installed once is not followed by something older by accident: install.sh with a real bundle and its own verify.sh,
 * and a site that is a folder. Each session goes through one shell.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { textFile, type File } from "../../../src/core/file.ts";
import { policyPath, policySignaturesPath } from "../../../src/pack/layout.ts";
import { pack } from "../../../src/pack/tree.ts";
import { generateKey } from "../../../src/seal/keys.ts";
import { policyDigest, policyText, type Policy } from "../../../src/seal/policy.ts";
import { seal } from "../../../src/seal/seal.ts";
import { signaturesText } from "../../../src/seal/signature-lines.ts";
import { pemSigner } from "../../../src/seal/sign.ts";
import { referenceCloudlet, shells } from "../../verify/judges.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-installed-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(600_000);
const { draw, tar } = await referenceCloudlet(work);
const made = pemSigner(generateKey((bytes) => new Uint8Array(bytes).fill(23)));
if (!made.ok) throw new Error("no key");
const signer = made.value;

/** The words that install.sh has for a platform, over one file of a folder: what is there, by the bundle's digest. */
const platform = `# shellcheck shell=sh
platform_tools() { :; }
platform_keeps() { :; }
platform_access() { :; }
platform_preflight() { :; }
platform_exists() { [ -f "$FAKE_SITE/there" ]; }
platform_has_target() { [ "$(cat "$FAKE_SITE/there")" = "$target_digest" ]; }
platform_holds_secrets() { :; }
platform_plan() { :; }
platform_steps() { echo vm; }
platform_step() {
    step_id=vm
    if [ "$2" = check ]; then platform_exists && platform_has_target; else printf '%s' "$target_digest" >"$FAKE_SITE/there"; fi
}
platform_step_title() { echo "$1"; }
platform_remember() { :; }
platform_finish() { :; }
platform_remove_list() { ! platform_exists || echo vm; }
platform_remove() { rm "$FAKE_SITE/there"; }
platform_prove() { :; }
platform_status() { :; }
platform_receipt() { :; }
`;

/** Trust policies 1 to `versions`, each by the one key. */
async function policies(versions: number, end?: Policy["end"]): Promise<readonly File[]> {
  const files: File[] = [];
  let previous: Policy["previous"];
  for (let version = 1; version <= versions; version += 1) {
    const bytes = Buffer.from(policyText({ version, previous, threshold: 1, end, keys: [{ ...signer, name: "maker" }] }));
    previous = policyDigest(bytes);
    const about = { role: "data", source: "test" } as const;
    files.push(textFile(policyPath(version), bytes.toString(), about), textFile(policySignaturesPath(version), signaturesText(new Map([[signer.fingerprint, await signer.sign(bytes)]])), about));
  }
  return files;
}

/** An unpacked bundle of this sequence. */
async function bundle(name: string, sequence: number, trust: readonly File[]): Promise<string> {
  const tree = await draw(trust);
  const files = tree.files.map((file): File => {
    const body = file.body.kind === "bytes" ? Buffer.from(file.body.bytes).toString() : "";
    if (file.path === "lib/openstack.sh") return { ...file, body: { kind: "bytes", bytes: Buffer.from(platform) } };
    if (file.path === "site.env") return { ...file, body: { kind: "bytes", bytes: Buffer.from(body.replace(/^CB_RELEASE_SEQUENCE=.*$/m, `CB_RELEASE_SEQUENCE='${sequence}'`)) } };
    return file;
  });
  const about = { ...tree.about, release: { ...tree.about.release, sequence } };
  const folder = join(work, name);
  mkdirSync(folder);
  execFileSync("tar", ["-xf", "-", "-C", folder], { input: await tar(await seal(pack(files, about), [signer])) });
  return folder;
}

const one = await bundle("one", 1, []);
const two = await bundle("two", 2, []);
const three = await bundle("three", 3, []);
const policedTwo = await bundle("policed-two", 2, await policies(2));
const policedThree = await bundle("policed-three", 3, await policies(1));
const ended = await bundle("ended", 9, await policies(2, { time: "2026-11-24T00:00:00Z", afterwards: "warn" }));

interface Ran {
  readonly status: number | null;
  readonly text: string;
}

/** An operator with a site and a state directory of his own. */
function operator(shell: readonly string[]): { readonly install: (bundle: string, ...words: readonly string[]) => Ran; readonly journal: () => string; readonly receipt: () => Record<string, unknown> } {
  const place = mkdtempSync(join(work, "operator-"));
  const [program = "", ...before] = shell;
  return {
    install: (folder, ...words) => {
      const trust = words.includes("--rollback") || words.includes("--uninstall") || words.includes("none") ? [] : ["--trust", signer.fingerprint];
      const run = spawnSync(program, [...before, join(folder, "install.sh"), "--state", join(place, "state"), "--yes", ...trust, ...words], { encoding: "utf8", env: { PATH: process.env["PATH"], FAKE_SITE: place } });
      return { status: run.status, text: `${run.stdout}${run.stderr}` };
    },
    journal: () => readFileSync(join(place, "state/journal"), "utf8"),
    receipt: () => JSON.parse(readFileSync(join(place, "state/receipt.json"), "utf8")) as Record<string, unknown>,
  };
}

function good(t: Test, ran: Ran, what: string): void {
  t.equal(ran.status, 0, `${what}\n${ran.text}`);
}

function refused(t: Test, ran: Ran, code: string, what: string): void {
  t.strictSame([ran.status, ran.text.includes(`error ${code}: `)], [1, true], `${what}\n${ran.text}`);
}

t.test("an older bundle is refused where a newer one was, also after an uninstall, and let in by --allow-older", (t) => {
  const { install, journal, receipt } = operator(shells[0]);
  good(t, install(two), "the first");
  good(t, install(three, "--upgrade"), "a newer one");
  refused(t, install(two, "--upgrade"), "bundle/older", "an older one");
  t.match(install(two, "--upgrade", "--check"), { status: 1, text: /finding {2}bundle\/older/ }, "--check finds it as well");
  good(t, install(three, "--uninstall"), "uninstall");
  refused(t, install(two), "bundle/older", "an older one after an uninstall");
  t.notMatch(journal(), "older=", "what was refused is not in the journal");
  good(t, install(two, "--allow-older"), "as the operator wants it");
  t.match(journal(), /^\S+ end install bundle=\w+ parameters=\w+ secrets=\w* ?sequence=2 older=3$/m);
  t.match(receipt(), { sequence: 2, olderThan: 3, trust: "signature" });
  good(t, install(two), "again: what is there is not asked again");
  refused(t, install(one, "--upgrade"), "bundle/older", "an even older one");
  good(t, install(three, "--upgrade"), "and up again");
  t.notMatch(receipt(), { olderThan: 3 });
  t.end();
});

t.test("going back is allowed and written down; what is there may be installed again", (t) => {
  const { install, journal, receipt } = operator(shells[1]);
  good(t, install(one), "the first");
  good(t, install(two, "--upgrade"), "a newer one");
  good(t, install(two, "--rollback"), "back");
  t.match(journal(), /^\S+ end rollback .*sequence=1 older=2$/m);
  t.match(receipt(), { action: "rollback", sequence: 1, olderThan: 2 });
  t.match(install(one), { status: 0, text: /nothing to do/ });
  good(t, install(two, "--upgrade"), "forward again");
  t.match(install(two, "--rollback", "--allow-older"), { status: 2, text: /--allow-older does not go with --rollback/ });
  t.end();
});

t.test("an older trust policy is refused, and so is none where there was one", (t) => {
  const { install, journal, receipt } = operator(shells[2]);
  good(t, install(policedTwo), "under the second policy");
  t.match(journal(), /^\S+ end install .*sequence=2 trust=2$/m);
  t.match(receipt(), { trust: "signature", trustPolicy: 2 });
  refused(t, install(policedThree, "--upgrade"), "bundle/older-trust", "a newer release under the first");
  refused(t, install(three, "--upgrade"), "bundle/older-trust", "a newer release under none");
  good(t, install(policedThree, "--upgrade", "--allow-older"), "as the operator wants it");
  t.match(journal(), /^\S+ end upgrade .*sequence=3 trust=1 oldertrust=2 former=/m);
  t.match(receipt(), { trustPolicy: 1, trustOlderThan: 2 });
  t.end();
});

t.test("a policy that has ended and wants a warning: it is said, and the receipt says it", (t) => {
  const { install, receipt } = operator(shells[3]);
  const ran = install(ended, "--quiet");
  // The end is that of the very release, so it does not matter what the clock of this machine says.
  t.match(ran, { status: 0, text: /^warning: trust policy 2 ended at 2026-11-24T00:00:00Z$/m });
  t.match(receipt(), { trustWarning: "trust policy 2 ended at 2026-11-24T00:00:00Z" });
  t.end();
});
