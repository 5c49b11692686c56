/** The guest fails: exit 1 with the reason; it heals, and the same command ends well. A cloud that shows no console, too. */

import type { Test } from "tap";
import { guestsDo, stamp } from "../cloud.ts";
import { cloudlet } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("unwell", { name: "cb unwell" });
  const operator = new Operator("unwell");
  const name = site(bundle)("CB_NAME");
  t.teardown(() => guestsDo());

  guestsDo({ [name]: { fail: "payload-digest-differs" } });
  const failed = await operator.install(bundle);
  t.equal(failed.status, 1, failed.text);
  t.match(failed.stderr, new RegExp(`guest/failed: ${name} says that it failed: payload-digest-differs`));
  t.match(failed.stderr, /replace the disk, reboot the VM[^]*openstack server reboot/, "and what to do about it");
  t.match(failed.stderr, /last lines of the console[^]*"stage":"failed"/);
  t.match(operator.journal(), /Z failed server\n$/);
  const told = await operator.run(bundle, ["--status"]);
  t.equal(told.status, 1);
  t.match(told.stdout, /^guest +failed: failed payload-digest-differs$/m);

  guestsDo();
  const healed = await operator.install(bundle);
  t.equal(healed.status, 0, healed.text);
  t.match(healed.stdout, /^guest +healthy: healthy crmserver$/m);
  t.match(operator.receipt()["servers"], [{ name, health: "healthy", stage: "healthy", detail: "crmserver" }]);

  const before = stamp(name);
  const journal = operator.journal();
  for (const wish of [{ rotated: true }, { refuse: true }] as const) {
    guestsDo({ [name]: wish });
    const again = await operator.install(bundle);
    t.equal(again.status, 0, again.text);
    t.match(again.stderr, /nothing to do/, `${Object.keys(wish)[0]}: the journal has heard it`);
  }
  t.strictSame(stamp(name), before);
  t.equal(operator.journal(), journal);

  t.equal((await operator.uninstall(bundle)).status, 0);
}
