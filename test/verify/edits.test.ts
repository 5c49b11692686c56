/**
 * 200 edits of a signed bundle, each of one thing, chosen by a seed: verify refuses every one of them, and of a sample of them
 * verify.sh and the independent reader say the same.
 *
 *   SEED=7 EDITS=2000 node test/verify/edits.test.ts       chooses others, and more
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateKey, publicHalf } from "../../src/seal/keys.ts";
import { pemSigner } from "../../src/seal/sign.ts";
import { verifyBundle } from "../../src/seal/verify.ts";
import { openBundle } from "../../src/store/bundle-file.ts";
import { randomFrom } from "../random.ts";
import { editedBy } from "./edits.ts";
import { inTwos, judge, operatorsCopy, referenceBundle } from "./judges.ts";

const seed = Number(process.env["SEED"] ?? "1");
const count = Number(process.env["EDITS"] ?? "200");
/** verify.sh takes a second for each. */
const sampled = 10;

t.setTimeout(600_000);
const work = mkdtempSync(join(tmpdir(), "cloudlet-edits-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

const key = generateKey((bytes) => new Uint8Array(bytes).fill(5));
const { fingerprint } = publicHalf(key);
const signer = pemSigner(key);
if (!signer.ok) throw new Error("the key is no key");
const good = await referenceBundle(work, signer.value);
const verifySh = operatorsCopy(work);

const random = randomFrom(seed);
const edits = Array.from({ length: count }, () => {
  for (;;) {
    const edit = editedBy(random, good);
    // Two files of the same bytes change places, a bit that is set again.
    if (!edit.tar.equals(good)) return edit;
  }
});

t.test(`${count} edits, seed ${seed}`, async (t) => {
  const path = join(work, "edited.tar");
  const passed: string[] = [];
  for (const { what, tar } of edits) {
    writeFileSync(path, tar);
    if ((await verifyBundle(await openBundle(path), fingerprint, { now: undefined })).good) passed.push(what);
  }
  t.strictSame(passed, [], "verify refuses each");
  writeFileSync(path, good);
  t.ok((await verifyBundle(await openBundle(path), fingerprint, { now: undefined })).good, "and takes the one that nobody edited");
});

t.test(`${sampled} of them by all three`, async (t) => {
  const step = Math.max(1, Math.floor(edits.length / sampled));
  const sample = edits.filter((_, index) => index % step === 0).slice(0, sampled);
  await inTwos(sample.map((edit, index) => ({ ...edit, path: join(work, `${index}.tar`) })), async ({ what, tar, path }) => {
    writeFileSync(path, tar);
    await judge(t, what, path, verifySh, { trust: fingerprint, expected: false });
    rmSync(path);
  });
});
