/** All files of a bundle: the texts, the two blobs, and nothing that would not fit into one folder. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import { sizeOf } from "../../../src/core/file.ts";
import { canonicalJson } from "../../../src/core/json.ts";
import type { Json } from "../../../src/core/json.ts";
import { sourced } from "../../../src/core/origin.ts";
import { compose } from "../../../src/evidence/compose.ts";
import { pack } from "../../../src/pack/tree.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { assets, lockOf, specText, textOf, wellRead } from "../../golden/cases.ts";

t.test("the files of a bundle", (t) => {
  const spec = wellRead(readSpec(specText("everything"), { platforms: ["openstack"] }));
  const release = wellRead(readRelease(readFileSync(join(import.meta.dirname, "../../golden/release.yaml"), "utf8")));
  const lock = lockOf(release);
  const { files } = wellRead(compose({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, assets));
  const paths = files.map((file) => file.path);
  const site = ["heat-template.yaml", "heat-environment.yaml", "user-data", "manifest.yaml", "runbook.md", "secrets.template"].map((name) => `site/${name}`);
  const evidence = ["spec", "release", "lock", "origins"].map((name) => `evidence/${name}.json`);
  for (const path of ["START-HERE.md", "install.sh", "verify.sh", "lib/openstack.sh", "site.env", ...site, ...evidence, "blobs/vm-image.qcow2", "blobs/payload.tar"]) {
    t.ok(paths.includes(path), path);
  }
  t.strictSame(
    files.filter((file) => file.body.kind !== "bytes").map((file) => [file.path, file.role, sizeOf(file.body)]),
    [["blobs/vm-image.qcow2", "vm-image", 734_003_200], ["blobs/payload.tar", "payload", lock.payload.size]],
  );
  t.strictSame(files.filter((file) => file.mode === 0o755).map((file) => file.path).sort(), ["install.sh", "parts.sh", "verify.sh"]);
  const edited = { ...lock, payload: { ...lock.payload, size: 1 } };
  t.match(compose({ spec, release, lock: { lock: edited, sourced: sourced(edited, "lock") } }, assets).issues.at(-1), { code: "plan/lock-differs", message: /its payload has 1$/ });
  t.ok(files.every((file) => file.source !== ""));
  t.equal(textOf(files.find((file) => file.path === "evidence/spec.json")), canonicalJson(spec.written as Json));
  const again = wellRead(readSpec(textOf(files.find((file) => file.path === "evidence/spec.json")), { platforms: ["openstack"] }));
  t.equal(again.digest, spec.digest, "the spec in the evidence reads as itself");
  const releaseAgain = wellRead(readRelease(textOf(files.find((file) => file.path === "evidence/release.json"))));
  const rebuilt = wellRead(compose({ spec: again, release: releaseAgain, lock: { lock, sourced: sourced(lock, "lock") } }, assets));
  t.strictSame(rebuilt.files, files, "and gives the same files, with the same origins");
  const tree = pack(files, {
    cloudlet: { name: "c", organization: "o", region: "r" },
    platform: "openstack",
    release: release.release,
    spec: { digest: spec.digest },
    lock: { digest: spec.digest },
    generator: { name: "g", version: "1" },
  });
  t.equal(tree.files.length, files.length);
  t.end();
});
