/** The reference inputs are the ones that the reference release names, to the byte, and making them again changes nothing. */

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";

t.test("digests", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-inputs-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await makeReferenceInputs(folder);
  const release = readFileSync(join(import.meta.dirname, "../../../bundles/openstack-single/release.yaml"), "utf8");
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const image = join(folder, "vm-image.qcow2");
  t.ok(release.includes(`digest: sha256:${sha256(readFileSync(image))}`), "the image's");
  for (const role of ["crm", "shepherd", "prometheus"]) {
    const archive = readFileSync(join(folder, `${role}.docker.tar`), "latin1");
    const id = /"Config":"([0-9a-f]{64})\.json"/.exec(archive)?.[1];
    t.ok(release.includes(`digest: sha256:${id}`), `${role}'s image id`);
  }
  const before = statSync(image).mtimeMs;
  await makeReferenceInputs(folder);
  t.equal(statSync(image).mtimeMs, before);
});
