/** The state directory is gone: what is installed is known by name and mark. A half-sent image is sent again. */

import type { Test } from "tap";
import { openstack, stamp } from "../cloud.ts";
import { cloudlet } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("lost-state", { name: "cb lost" });
  const operator = new Operator("lost-state");
  const value = site(bundle);
  const name = value("CB_NAME");
  // As if a client had died before it sent a byte: with our mark, and without content.
  openstack(["image", "create", "--private", "--property", `cloudlet_bundle=${name}`, value("CB_VM_IMAGE_NAME")]);
  const installed = await operator.install(bundle);
  t.equal(installed.status, 0, installed.text);
  t.match(installed.stderr, /removing a half-sent image/);

  const before = stamp(name);
  const stranger = new Operator("lost-state-2");
  const found = await stranger.run(bundle, ["--trust", bundle.fingerprint, "--yes"]);
  t.equal(found.status, 0, found.text);
  t.match(found.stdout, /state\/lost/);
  t.match(found.stderr, /nothing to do/);
  t.strictSame(stamp(name), before);

  const other = await cloudlet("lost-state-2", { name: "cb lost", sequence: 2 });
  t.match((await stranger.install(other)).stdout, /state\/other-bundle/);

  const busy = operator.start(bundle, ["--uninstall", "--yes"]);
  while (!/start uninstall/.test(operator.journal())) await new Promise((resolve) => setTimeout(resolve, 20));
  const second = await operator.uninstall(bundle);
  t.equal(second.status, 3);
  t.match(second.stderr, /state\/busy/, "two at once: the second is refused");
  busy.kill("SIGTERM");
  await new Promise((resolve) => busy.on("exit", resolve));
  t.equal(busy.exitCode, 143);
  const removed = await stranger.uninstall(bundle);
  t.equal(removed.status, 0, removed.text);
}
