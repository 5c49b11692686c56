/** The database as two processes see it: migrations once, one chain, the order and the numbers that SQLite has. */

import t from "tap";
import { bossQueue } from "../../../src/service/scaled/boss-queue.ts";
import { openPostgres } from "../../../src/service/scaled/postgres.ts";
import { record, verifyChain } from "../../../src/service/state/audit-trail.ts";
import { migrate, schemaVersion } from "../../../src/service/state/migrations.ts";
import { addUser, adminCount, users } from "../../../src/service/state/users.ts";
import { startCluster } from "./cluster.ts";

t.setTimeout(90_000);
const cluster = await startCluster();
cluster.createDatabase("state");
const address = { host: "127.0.0.1", port: cluster.port, user: "bundles", password: cluster.password, database: "state", tls: undefined };
const opened = [1, 2].map(() => openPostgres(address, (error) => t.fail(error.message)));
const [one, two] = opened.map(({ db }) => db);
t.teardown(async () => {
  for (const each of opened) await each.close();
  await cluster.remove();
});
if (one === undefined || two === undefined) throw new Error("two are opened");

t.test("two that migrate at once take each step once; what a newer program wrote is left alone", async (t) => {
  await Promise.all([migrate(one), migrate(two), migrate(one), migrate(two)]);
  t.equal(cluster.sql("state", "select count(*), max(number) from schema_version").trim(), `${cluster.sql("state", "select count(distinct number) from schema_version").trim()}|${schemaVersion}`);
  cluster.sql("state", `insert into schema_version values (${schemaVersion + 1})`);
  await t.rejects(migrate(one), { name: "EnvironmentError", message: /newer version/ });
  cluster.sql("state", `delete from schema_version where number > ${schemaVersion}`);
});

t.test("two writers, one chain, which is good at any moment", async (t) => {
  const bad: unknown[] = [];
  const write = async (index: number): Promise<void> => {
    const db = index % 2 === 0 ? one : two;
    for (let round = 0; round < 10; round += 1) {
      await db.transaction().execute((transaction) => record(transaction, { time: Date.UTC(2026, 10, 30) + round, actor: `writer ${index}`, address: "", action: "x", subject: "y" }));
      const verdict = round % 3 === 0 ? await verifyChain(db) : { good: true };
      if (!verdict.good) bad.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: 24 }, (_, index) => write(index)));
  t.strictSame(bad, []);
  t.match(await verifyChain(two), { good: true, entries: 240 });
  cluster.sql("state", "update audit set actor = 'another' where number = 100");
  t.match(await verifyChain(one), { good: false, number: 100 });
});

t.test("a transaction that fails leaves nothing, and its turn to the next", async (t) => {
  await t.rejects(one.transaction().execute(async (transaction) => {
    await addUser(transaction, { id: "x", name: "gone", password: null, platform_role: "admin", disabled: 0, created: 1 });
    throw new Error("half-way");
  }), /half-way/);
  t.equal(await adminCount(two), 0);
});

t.test("order is by bytes, numbers are numbers, a name is taken once", async (t) => {
  const names = ["b", "a", "Z", "é", "a-b", "ab"];
  const add = (name: string) => (db: typeof one): Promise<boolean> => db.transaction().execute((transaction) => addUser(transaction, { id: name, name, password: null, platform_role: null, disabled: 0, created: Date.UTC(2026, 10, 30) }));
  for (const name of names) t.strictSame((await Promise.all([add(name)(one), add(name)(two)])).sort(), [false, true], name);
  const rows = await users(one, "", 10);
  t.strictSame(rows.map(({ name }) => name), [...names].sort());
  t.equal(rows[0]?.created, Date.UTC(2026, 10, 30));
});

t.test("a job is one claim's, and comes and goes with its transaction", async (t) => {
  const queues = await Promise.all(opened.map(({ aside }) => bossQueue(aside, () => undefined)));
  const [first, second] = queues;
  if (first === undefined || second === undefined) throw new Error("two are opened");
  await t.rejects(one.transaction().execute(async (transaction) => {
    await first.add(transaction, "never", 0);
    throw new Error("half-way");
  }), /half-way/);
  for (let times = 0; times < 3; times += 1) await one.transaction().execute((transaction) => first.add(transaction, "once", 0));
  const claims = (await Promise.all([first, second, first, second].map((queue) => queue.claim()))).flatMap((job) => (job === undefined ? [] : [job]));
  t.match(claims, [{ bundleId: "once", attempts: 1 }]);
  const [job] = claims;
  if (job === undefined) throw new Error("nobody has it");
  await job.renew();
  t.equal(await one.transaction().execute(job.release), true);
  t.equal(await one.transaction().execute(job.end), false, "who gave it back does not end it");
  const again = await second.claim();
  t.match(again, { bundleId: "once", attempts: 1 });
  if (again !== undefined) t.equal(await two.transaction().execute(again.end), true);
  t.equal(await first.claim(), undefined);
  for (const queue of queues) await queue.stop();
});
