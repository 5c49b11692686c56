/** From verification to receipt nobody is talked to but the lab: every connect and send of every process is read. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { cloudlet } from "../cloudlets.ts";
import { Operator } from "../installer.ts";

/** The lab's ports, as its README lists them. */
const LAB_PORTS = ["5000", "9292", "8774", "8778", "9696", "8776", "8004", "8000"];

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("quiet", { name: "cb quiet" });
  const operator = new Operator("quiet");
  const log = join(operator.home, "strace");
  const strace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", log];
  const installed = await operator.install(bundle, ["--yes"], { under: strace });
  t.equal(installed.status, 0, installed.text);
  const calls = readFileSync(log, "utf8").split("\n").filter((line) => /sin6?_port/.test(line));
  t.ok(calls.length > 20, "the tracer saw the calls to the lab");
  const elsewhere = calls.filter((line) => {
    const address = /inet_addr\("([^"]*)"\)/.exec(line)?.[1];
    const port = /htons\((\d+)\)/.exec(line)?.[1] ?? "";
    return !(address === "127.0.0.1" && LAB_PORTS.includes(port));
  });
  t.strictSame(elsewhere, [], "nothing went anywhere else, not even a name's lookup");
  t.equal((await operator.uninstall(bundle)).status, 0);
}
