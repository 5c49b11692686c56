/** The tar that is sent: read in any stretch, and not when it was changed meanwhile. */

import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openTar } from "../../../src/deliver/tar-on-disk.ts";
import { digestOf } from "../../../src/deliver/tar-source.ts";

const { signal } = new AbortController();

t.test("any stretch, by its digest; a change is noticed", async (t) => {
  const path = join(t.testdir(), "bundle.tar");
  const bytes = randomBytes(300_001);
  writeFileSync(path, bytes);
  const tar = await openTar(path);
  t.equal(tar.size, bytes.byteLength);
  for (const [from, to] of [[0, bytes.byteLength], [1, 131_074], [300_000, 300_001], [7, 7]] as const) t.equal(await digestOf(tar, from, to, signal), createHash("sha256").update(bytes.subarray(from, to)).digest("hex"), `${from} to ${to}`);
  await tar.check();
  appendFileSync(path, "x");
  await t.rejects(tar.check(), { name: "EnvironmentError", message: /was changed after it was verified/ });
  writeFileSync(path, "short");
  await t.rejects(digestOf(tar, 0, bytes.byteLength, signal), { name: "EnvironmentError", message: /has become shorter/ });
  await tar.close();
});

t.test("a folder that holds no parts is no bundle to send", async (t) => {
  const folder = join(t.testdir(), "unpacked");
  mkdirSync(folder);
  await t.rejects(openTar(folder), { name: "EnvironmentError", message: /neither a bundle's tar nor a folder with its parts/ });
});
