/** --upgrade to a second release keeps port and floating IP; --rollback goes back; --uninstall leaves nothing. */

import type { Test } from "tap";
import { openstack, stamp } from "../cloud.ts";
import { cloudlet, dhcp, floating } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const first = await cloudlet("upgrade-1", { name: "cb upgrade", networks: [floating, dhcp] });
  const second = await cloudlet("upgrade-2", { name: "cb upgrade", networks: [floating, dhcp], sequence: 2 });
  const third = await cloudlet("upgrade-3", { name: "cb upgrade", networks: [floating, dhcp], sequence: 3 });
  const operator = new Operator("upgrade");
  const stack = site(first)("CB_NAME");

  t.match((await operator.install(first, ["--upgrade", "--yes"])).stdout, /run\/not-installed/);
  const installed = await operator.install(first);
  t.equal(installed.status, 0, installed.text);
  const addresses = operator.receipt()["addresses"];

  const plain = await operator.install(second);
  t.equal(plain.status, 1);
  t.match(plain.stderr, /input\/bundle[^]*--upgrade/);

  const trust = ["--trust", second.fingerprint];
  const upgraded = await operator.run(second, [...trust, "--upgrade", "--yes"]);
  t.equal(upgraded.status, 0, `the secrets are kept: ${upgraded.text}`);
  t.strictSame(operator.receipt()["addresses"], addresses, "same ports, same fixed and floating addresses");
  t.equal(operator.receipt()["release"], "conformance.2");
  const before = stamp(stack);
  t.match((await operator.run(second, [...trust, "--upgrade", "--yes"])).stderr, /nothing to do/);
  t.strictSame(stamp(stack), before);

  t.match((await operator.install(first, ["--upgrade", "--yes"])).stderr, /bundle\/older[^]*--rollback/);
  const back = await operator.run(second, ["--rollback", "--yes"]);
  t.equal(back.status, 0, back.text);
  t.strictSame(operator.receipt()["addresses"], addresses);
  t.equal(operator.receipt()["release"], "conformance.1");
  t.match((await operator.run(second, ["--rollback", "--yes"])).stderr, /run\/no-former/);

  const cut = await operator.killAt(third, /begin stack/, ["--upgrade", "--yes"]);
  t.equal(cut.signal, "SIGKILL");
  t.match((await operator.install(second, ["--upgrade", "--yes"])).stderr, /input\/bundle/, "another bundle can't take over a cut upgrade");
  const resumed = await operator.run(third, [...trust, "--upgrade", "--yes"]);
  t.equal(resumed.status, 0, resumed.text);
  t.strictSame(operator.receipt()["addresses"], addresses);
  const needed = [first, third].flatMap((bundle) => [site(bundle)("CB_VM_IMAGE_NAME"), site(bundle)("CB_PAYLOAD_NAME")]);
  const images = openstack(["image", "list", "--property", `cloudlet_bundle=${stack}`, "-f", "value", "-c", "Name"]).split("\n");
  t.strictSame(images.toSorted(), [...new Set(needed)].toSorted(), "images of this and the former release only");
  t.equal((await operator.uninstall(third)).status, 0);
}
