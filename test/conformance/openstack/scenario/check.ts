/** --check finds what stands in the way, all at once, and changes nothing. */

import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { administrator, member, openstack, projectId } from "../cloud.ts";
import { cloudlet, dhcp } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("check", { name: "cb check" });
  const operator = new Operator("check");
  const check = ["--check"];

  const clean = await operator.install(bundle, check);
  t.equal(clean.status, 0, `nothing to find: ${clean.stdout}`);
  t.notMatch(clean.stdout, /^finding/m);

  const several = await operator.install(bundle, [...check, "--parameter", "flavor=m4.tiny", "--parameter", "external_network_1=no-such-net"]);
  t.equal(several.status, 1);
  t.match(several.stdout, /flavor\/too-small\n.*1 vCPU, 2 needed, 512 MiB of memory, 4096 needed, 1 GiB of disk, 40 needed/);
  t.match(several.stdout, /network\/missing\n.*no-such-net/);
  t.match(several.stderr, /2 finding\(s\)/);

  const project = projectId();
  openstack(["quota", "set", "--cores", "1", "--ports", "0", project], administrator);
  const quota = await operator.install(bundle, check).finally(() => {
    openstack(["quota", "set", "--cores", "8", "--ports", "20", project], administrator);
  });
  t.equal(quota.status, 1);
  t.match(quota.stdout, /quota\/cores\n.*vCPU: the project may have 1, has 0, needs 2 more; 1 too many/);
  t.match(quota.stdout, /quota\/ports\n.*ports: the project may have 0, has \d+, needs 1 more/);

  const wrong = await operator.install(bundle, check, { environment: { ...member, OS_PASSWORD: "wrong-password" } });
  t.equal(wrong.status, 1);
  t.match(wrong.stdout, /credentials\/refused/);
  t.notMatch(`${wrong.stdout}${wrong.stderr}`, /wrong-password/);

  const nowhere = await operator.install(bundle, check, { environment: { ...member, OS_AUTH_URL: "http://127.0.0.1:9/v3" } });
  t.match(nowhere.stdout, /endpoint\/unreachable/);

  const other = join(operator.home, "other.img");
  writeFileSync(other, "other bytes");
  const name = site(bundle)("CB_VM_IMAGE_NAME");
  const image = openstack(["image", "create", "--file", other, "--private", "-f", "value", "-c", "id", name]);
  const digest = await operator.install(bundle, check);
  openstack(["image", "delete", image]);
  t.equal(digest.status, 1);
  t.match(digest.stdout, new RegExp(`image/other-digest\\n.*${image}`));

  const open = join(operator.home, "open-secrets");
  copyFileSync(bundle.secrets, open);
  writeFileSync(open, "NOPE=1\n", { mode: 0o644, flag: "a" });
  const secrets = await operator.run(bundle, ["--trust", bundle.fingerprint, "--secrets", open, ...check]);
  t.match(secrets.stdout, /secrets\/unknown/);
  t.equal((await operator.run(bundle, ["--trust", bundle.fingerprint, ...check])).stdout.includes("secrets/none"), true);

  const untrusted = await operator.run(bundle, ["--secrets", bundle.secrets, ...check]);
  t.equal(untrusted.status, 1, "fails closed without --trust");
  t.match(untrusted.stderr, /verify\/no-trust/);
  t.equal(operator.journal(), "", "--check leaves no journal");

  const forbidden = await cloudlet("check-static", { name: "cb check", networks: [dhcp, "{name: cb-static, purpose: internet, address: {mode: static, ip: 10.99.0.1, prefix: 24}}"] });
  t.match((await operator.install(forbidden, check)).stdout, /address\/outside\n.*10\.99\.0\.1/);
}
