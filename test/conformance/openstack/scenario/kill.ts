/** SIGKILL at every line of the journal in turn; what install.sh had started goes on by itself. The next run completes. */

import type { Test } from "tap";
import { inventory } from "../cloud.ts";
import { cloudlet } from "../cloudlets.ts";
import { Operator } from "../installer.ts";

const steps = ["image-vm", "image-payload", "stack", "server"];

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("kill", { name: "cb kill" });
  const operator = new Operator("kill");
  const before = inventory();

  for (const step of steps) {
    for (const event of ["begin", "done"]) {
      // The server's step is found done when the stack is complete, so it may never begin.
      if (event === "begin" && step === "server") continue;
      // What a killed run had begun went on in the cloud, so that the next one may find the step done without beginning it.
      const line = event === "begin" ? new RegExp(`Z (begin|done) ${step} `) : new RegExp(`Z done ${step} `);
      const killed = await operator.killAt(bundle, line);
      // After the last step little is left to do; it may be done before the signal comes.
      const ended = step === "server" && killed.status === 0;
      t.ok(killed.signal === "SIGKILL" || ended, `killed after ${event} ${step}: ${killed.text}`);
      if (event === "begin" && step === "stack") {
        const changed = await cloudlet("kill-changed", { name: "cb kill", sequence: 2 });
        const refused = await operator.install(changed);
        t.equal(refused.status, 1);
        t.match(refused.stderr, /input\/bundle/, "another bundle is refused by name");
      }
    }
  }
  const completed = await operator.install(bundle);
  t.equal(completed.status, 0, completed.text);
  const after = inventory();
  const made = Object.fromEntries(Object.keys(before).map((kind) => [kind, (after[kind]?.length ?? 0) - (before[kind]?.length ?? 0)]));
  t.strictSame(made, { stacks: 1, servers: 1, ports: 1, volumes: 1, images: 2, groups: 1, floating: 0 }, "and nothing twice");

  const uninstalling = operator.start(bundle, ["--uninstall", "--yes"]);
  while (!/start uninstall/.test(operator.journal())) await new Promise((resolve) => setTimeout(resolve, 20));
  uninstalling.kill("SIGKILL");
  const removed = await operator.uninstall(bundle);
  t.equal(removed.status, 0, removed.text);
}
