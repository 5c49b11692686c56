/** The list of a VM image's packages: its forms, and what is refused of it. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Outcome } from "../../../../src/core/issue.ts";
import type { Lock } from "../../../../src/spec/lock.ts";
import { readPackageList } from "../../../../src/store/software/package-list.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-list-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const system = { id: "ubuntu", version: "22.04" };

async function read(text: string, type: "apk" | "deb" | "rpm" = "deb", edit: { readonly source?: string; readonly digest?: `sha256:${string}` } = {}): Promise<Outcome<Lock["vmImage"]["software"]>> {
  writeFileSync(join(folder, "list"), text);
  return readPackageList({ source: "list", digest: `sha256:${createHash("sha256").update(text).digest("hex")}`, type, system, ...edit }, folder);
}

const purls = (outcome: Outcome<Lock["vmImage"]["software"]>): unknown => (outcome.ok ? outcome.value?.packages.map((each) => each.purl) : outcome.issues);

t.test("no list is no issue", async (t) => {
  t.strictSame(await readPackageList(undefined, folder), { ok: true, value: undefined, issues: [] });
});

t.test("lines of name and version, in order and once", async (t) => {
  t.strictSame(purls(await read("zlib1g:amd64\t1:1.2.11\nadduser\t3.118ubuntu5\n\nadduser\t3.118ubuntu5\nnot a package line\n")), [
    "pkg:deb/ubuntu/adduser@3.118ubuntu5?distro=ubuntu-22.04",
    "pkg:deb/ubuntu/zlib1g@1:1.2.11?arch=amd64&distro=ubuntu-22.04",
  ]);
  t.strictSame(purls(await read("bash 1:5.1.8-6.el9\n", "rpm")), ["pkg:rpm/ubuntu/bash@5.1.8-6.el9?distro=ubuntu-22.04&epoch=1"]);
});

t.test("databases", async (t) => {
  t.strictSame(purls(await read("Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5\n")), ["pkg:deb/ubuntu/dash@0.5?arch=amd64&distro=ubuntu-22.04"]);
  t.match(await read("P:musl\nV:1.2\nA:x86_64\nL:MIT\n", "apk"), { value: { system, packages: [{ licence: "MIT" }] } });
});

t.test("what is refused", async (t) => {
  const refused = async (outcome: Promise<Outcome<unknown>>, key: string, message: RegExp): Promise<void> => {
    t.match(await outcome, { ok: false, issues: [{ code: "resolve/package-list", pointer: `/vmImage/packageList/${key}`, message }] });
  };
  await refused(read("a 1\n", "deb", { source: "absent" }), "source", /there is no file/);
  await refused(read("a 1\n", "deb", { source: "." }), "source", /there is no file/);
  await refused(read("a 1\n", "deb", { digest: `sha256:${"0".repeat(64)}` }), "digest", /the release says sha256:000/);
  await refused(read("nothing that is one\n"), "source", /names no package/);
  await refused(read(Array.from({ length: 9_000 }, (_, index) => `package-${index} 1.0\n`).join("")), "source", /more than a lock has room for/);
});
