/** The blob store when the disk fails at any call, and when its process is killed at any moment. */

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import * as disk from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { openStore } from "../../src/store/blob-store.ts";
import type { StoreDisk } from "../../src/store/store-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-anomaly-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const bytes = randomBytes(250_000);
async function* source(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

/** A disk that fails once, at its n-th call, with this code; counts its calls. */
function failingAt(n: number, code: string): { readonly files: StoreDisk; readonly calls: () => number } {
  let calls = 0;
  const step = (): void => {
    calls += 1;
    if (calls === n) throw Object.assign(new Error(`${code}: injected`), { code, syscall: "test", path: folder });
  };
  const wrapped = Object.fromEntries(
    (["rename", "mkdir", "mkdtemp", "stat", "statfs", "readdir", "readFile", "utimes", "chmod"] as const).map((name) => [
      name,
      async (...words: never[]) => {
        step();
        return (disk[name] as (...words: never[]) => Promise<unknown>)(...words);
      },
    ]),
  );
  const open = async (...words: Parameters<typeof disk.open>): Promise<disk.FileHandle> => {
    step();
    const file = await disk.open(...words);
    for (const name of ["write", "writeFile", "sync"] as const) {
      const real = file[name].bind(file) as (...words: never[]) => Promise<never>;
      Object.assign(file, {
        [name]: async (...words: never[]) => {
          step();
          return real(...words);
        },
      });
    }
    return file;
  };
  return { files: { ...wrapped, rm: disk.rm, open } as unknown as StoreDisk, calls: () => calls };
}

t.test("whichever call fails, no bad blob is seen, nothing is left, and the next try completes", async (t) => {
  const whole = failingAt(0, "EIO");
  await (await openStore(join(folder, "count"), { files: whole.files })).put(source(), { size: bytes.byteLength });
  const calls = whole.calls();
  t.ok(calls > 15, `${calls} calls`);
  for (let n = 1; n <= calls; n += 1) {
    for (const code of ["EIO", "ENOSPC"]) {
      const place = join(folder, `${code}-${n}`);
      await t.rejects(
        openStore(place, { files: failingAt(n, code).files }).then((store) => store.put(source(), { size: bytes.byteLength })),
        `${code} at call ${n}`,
      );
      const store = await openStore(place);
      t.strictSame(await store.check(), [], `${code} at call ${n}: what is there is right`);
      t.strictSame(readdirSync(join(place, "tmp")), [], `${code} at call ${n}: nothing is left`);
      await store.put(source());
      t.equal((await store.list()).length, 1, `${code} at call ${n}: the next try completes`);
    }
  }
});

t.test("a full disk is an error of the environment, with figures", async (t) => {
  const whole = failingAt(0, "ENOSPC");
  await (await openStore(join(folder, "count-2"), { files: whole.files })).put(source());
  let told = 0;
  for (let n = 5; n <= whole.calls(); n += 1) {
    const store = openStore(join(folder, `full-${n}`), { files: failingAt(n, "ENOSPC").files });
    await store.then((each) => each.put(source())).catch((error: Error) => (told += error.name === "EnvironmentError" && /bytes are free/.test(error.message) ? 1 : 0));
  }
  t.ok(told >= whole.calls() - 8, `${told} of ${whole.calls()}`);
});

t.test("a writer killed at any moment leaves no bad blob", async (t) => {
  const place = join(folder, "killed");
  const program = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/blob-store.ts"))};
    const store = await openStore(${JSON.stringify(place)});
    process.stdout.write("ready");
    for (let i = 0; ; i += 1) await store.put((async function* () { for (let k = 0; k < 20; k += 1) yield new Uint8Array(50_000).fill(i % 250 + k); })());
  `;
  for (let round = 0; round < 6; round += 1) {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 5 + round * 17));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    const store = await openStore(place);
    t.strictSame(await store.check(), [], `round ${round}`);
  }
  const store = await openStore(place);
  t.ok((await store.list()).length > 0, "something was stored");
  const { leftovers } = await store.collect(new Set(), 4_000_000_000);
  t.ok(leftovers >= 0);
  t.strictSame(readdirSync(join(place, "tmp")), [], "cleaning takes what the killed ones left");
});
