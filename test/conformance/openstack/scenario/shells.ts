/** The same plan from four shells, and an install and an uninstall by two of them. */

import type { Test } from "tap";
import { cloudlet, dhcp, floating } from "../cloudlets.ts";
import { Operator } from "../installer.ts";

const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"]];

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("shells", { name: "cb shells", networks: [floating, dhcp] });
  const operator = new Operator("shells");
  const plans: string[] = [];
  for (const shell of shells) plans.push((await operator.install(bundle, ["--plan"], { shell })).stdout);
  t.match(plans[0], /create {2}stack/);
  for (const [index, plan] of plans.entries()) t.equal(plan, plans[0], (shells[index] ?? []).join(" "));
  const installed = await operator.install(bundle, ["--yes"], { shell: ["busybox", "sh"] });
  t.equal(installed.status, 0, installed.text);
  const removed = await operator.uninstall(bundle, { shell: ["ksh"] });
  t.equal(removed.status, 0, removed.text);
}
