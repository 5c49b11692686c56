/** install.sh against a real OpenStack: the scenarios that this run takes, one after another, since they share a quota. */

import t from "tap";
import type { Test } from "tap";
import { clear, inventory } from "./cloud.ts";
import { scenarios, takes } from "./scenarios.ts";

const left = scenarios.filter((each) => !takes(each.name)).map((each) => each.name);
if (left.length > 0) t.comment(`left out of this run (all: npm run conformance -- --full openstack): ${left.join(", ")}`);

clear();
// A scenario takes minutes; --full takes most of an hour.
t.setTimeout(7_200_000);
for (const { name } of scenarios.filter((each) => takes(each.name))) {
  await t.test(name, { timeout: 1_800_000 }, async (t) => {
    const before = inventory();
    const scenario = (await import(`./scenario/${name}.ts`)) as { readonly run: (t: Test) => Promise<void> };
    await scenario.run(t);
    t.strictSame(inventory(), before, "the project is as it was before");
  });
}
