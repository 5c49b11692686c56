/** The service's own tests, again: on PostgreSQL, pg-boss and a bucket. What is of the state folder alone stays with the folder. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import t from "tap";
import { bossQueue } from "../../../src/service/scaled/boss-queue.ts";
import { openPostgres } from "../../../src/service/scaled/postgres.ts";
import { migrate } from "../../../src/service/state/migrations.ts";
import { startCluster } from "./cluster.ts";
import { startObjects } from "./object-double.ts";

const tests = join(import.meta.dirname, "../..");
const files = [...["access", "bundles", "cloudlets", "keys", "oidc", "signer-and-tls"].map((name) => `unit/service/${name}`), "conformance/service/fuzz"];
/** Together they take longer than a file may. */
t.setTimeout(180_000);

const cluster = await startCluster();
const objects = await startObjects();
t.teardown(async () => {
  await objects.stop();
  await cluster.remove();
});
const places = {
  database: { host: "127.0.0.1", port: cluster.port, user: "bundles", password: cluster.password, database: "prepared", tls: undefined },
  objects: { bucket: objects.bucket, prefix: "", endpoint: objects.url, region: "us-east-1", credentials: { accessKeyId: objects.accessKeyId, secretAccessKey: objects.secretAccessKey } },
};

// Once for all of them: the tables, and pg-boss' own.
cluster.createDatabase("prepared");
const prepared = openPostgres(places.database, (error) => t.fail(error.message));
await migrate(prepared.db);
await (await bossQueue(prepared.aside, () => undefined)).stop();
await prepared.close();

t.test("each file as it is", { timeout: 180_000 }, async (t) => {
  // Two at a time, as long as there are some left.
  const left = [...files];
  const lane = async (): Promise<void> => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const { status, text } = await run(join(tests, `${file}.test.ts`));
      const passed = [...text.matchAll(/^ *ok \d/gm)].length;
      t.equal(status, 0, `${file}: ${text.split("\n").filter((line) => /^\s*not ok/.test(line)).join("\n") || `${passed} assertions`}`);
      t.ok(passed > 1, `${file} tested something`);
      if (status !== 0) t.comment(text.slice(-4_000));
    }
  };
  await Promise.all([lane(), lane()]);
});

t.test("it was the bucket and the database that they used", (t) => {
  t.ok(objects.requests.put > 10 && objects.requests.get > 50, JSON.stringify(objects.requests));
  t.equal(objects.uploads.size, 0, "no upload is left half-done");
  t.ok(Number(cluster.sql("postgres", "select count(*) from pg_database where datname like 'test_%'")) >= 10);
  t.end();
});

function run(file: string): Promise<{ readonly status: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { env: { ...process.env, SERVICE_TEST_SCALED: JSON.stringify(places), TAP: "1", TAP_TIMEOUT: "150" }, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("close", (status) => resolve({ status, text }));
  });
}
