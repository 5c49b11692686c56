/** Which addresses a service may call: by address and network, of names by what they stand for. */

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import t from "tap";
import { connectWithin, mayReach, readReach } from "../../../src/deliver/reach.ts";

t.test("any, addresses and networks; nothing else", (t) => {
  t.equal(readReach("any"), "any");
  t.strictSame(readReach("10.20.0.0/16, 2001:db8::/32,192.0.2.7"), ["10.20.0.0/16", "2001:db8::/32", "192.0.2.7"]);
  for (const wrong of ["", "all", "jump.example", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.1,", "10.0.0.1/-1"]) t.equal(readReach(wrong), undefined, wrong);
  t.end();
});

t.test("what is within, and what only looks like it", (t) => {
  const reach = ["10.20.0.0/16", "2001:db8::/32"];
  for (const [address, may] of [["10.20.255.1", true], ["10.21.0.1", false], ["127.0.0.1", false], ["2001:db8:1::5", true], ["2001:db9::1", false], ["::ffff:10.20.0.1", true], ["::ffff:127.0.0.1", false], ["fe80::1%eth0", false]] as const) t.equal(mayReach(reach, address), may, address);
  t.ok(mayReach("any", "127.0.0.1"));
  t.notOk(mayReach([], "127.0.0.1"));
  t.end();
});

t.test("a name counts by its addresses; nobody is called who may not be", async (t) => {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  await t.rejects(connectWithin(["10.0.0.0/8"], { host: "localhost", port }, signal), { name: "EnvironmentError", message: /is not among the addresses/ });
  await t.rejects(connectWithin(["10.0.0.0/8"], { host: "127.0.0.1", port }, signal), { name: "EnvironmentError" });
  t.equal(calls, 0);
  const socket = await connectWithin(["127.0.0.0/8"], { host: "localhost", port }, signal);
  socket.destroy();
  await t.rejects(connectWithin("any", { host: "127.0.0.1", port: 1 }, signal), { name: "LineCut", message: /nothing listens there/, neverThere: true });
});
