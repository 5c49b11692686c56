/** The same bundle with other secrets or parameters: --upgrade applies them, and can be rolled back. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { openstack } from "../cloud.ts";
import { cloudlet } from "../cloudlets.ts";
import { Operator } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("secrets-change", { name: "cb secrets" });
  const operator = new Operator("secrets-change");
  const installed = await operator.install(bundle);
  t.equal(installed.status, 0, installed.text);
  const server = serverOf(operator);

  const other = join(operator.home, "other-secrets");
  writeFileSync(other, readFileSync(bundle.secrets, "utf8").replace(/^(ACCESS_KEY=).*$/m, "$1other-value"), { mode: 0o600 });
  const trust = ["--trust", bundle.fingerprint];
  const rotated = await operator.run(bundle, [...trust, "--secrets", other, "--upgrade", "--yes"]);
  t.equal(rotated.status, 0, rotated.text);
  t.not(serverOf(operator), server, "cloud-init reads secrets at the first boot, so there is a new server");

  const larger = await operator.run(bundle, [...trust, "--parameter", "flavor=m4.large", "--upgrade", "--yes"]);
  t.equal(larger.status, 0, larger.text);
  const flavor = (): string => openstack(["server", "show", serverOf(operator), "-f", "value", "-c", "flavor"]);
  t.match(flavor(), /m4\.large/);
  const back = await operator.run(bundle, ["--rollback", "--yes"]);
  t.equal(back.status, 0, back.text);
  t.match(flavor(), /m4\.medium/);
  t.equal((await operator.uninstall(bundle)).status, 0);
}

function serverOf(operator: Operator): string {
  return (operator.receipt() as unknown as { servers: readonly [{ id: string }] }).servers[0].id;
}
