/** network-config of the golden cases: valid by a later cloud-init's schema, and rendered by 22.4's own code as meant. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { networkConfig } from "../../../src/guest/no-cloud.ts";
import { caseNames, compose } from "../../golden/cases.ts";

const check = join(import.meta.dirname, "../../labs/cloud-init/check");
const code = join(process.env["LAB_DIR"] ?? "/var/tmp/lab-cloud-init", "root/usr/lib/python3/dist-packages");
const folder = mkdtempSync(join(tmpdir(), "network-config-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(300_000);

function written(name: string): { readonly path: string; readonly text: string } {
  const { plan } = compose(name);
  const text = networkConfig(plan.machines[0], plan.spec.networks).text.replace(/@@CLOUDLET-PORT-MAC:(\d+)@@/g, "52:54:00:00:00:0$1");
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, text);
  return { path, text };
}

/** The files that cloud-init writes for systemd-networkd, by their hardware address. */
function rendered(path: string): ReadonlyMap<string, string> {
  const out = mkdtempSync(join(folder, "networkd-"));
  const run = spawnSync(
    "/usr/bin/python3",
    ["-m", "cloudinit.cmd.main", "devel", "net-convert", "--network-data", path, "--kind", "yaml", "--output-kind", "networkd", "--distro", "debian", "--directory", out, ...cards(path)],
    { encoding: "utf8", env: { PYTHONPATH: code, PYTHONDONTWRITEBYTECODE: "1", PATH: "/usr/bin:/bin" } },
  );
  if (run.status !== 0) throw new Error(run.stderr);
  const units = join(out, "etc/systemd/network");
  return new Map(
    readdirSync(units).map((file) => {
      const text = readFileSync(join(units, file), "utf8");
      return [/MACAddress=(\S+)/.exec(text)?.[1] ?? file, text];
    }),
  );
}

/** The names that the guest's kernel gave its cards. */
function cards(path: string): readonly string[] {
  return [...readFileSync(path, "utf8").matchAll(/macaddress: ['"]?([0-9a-f:]+)/g)].flatMap((match, index) => ["--mac", `ens${index + 3},${match[1]}`]);
}

for (const name of caseNames.filter((each) => compose(each).plan.machines[0].nics.length > 0)) {
  t.test(name, (t) => {
    const { path, text } = written(name);
    const run = spawnSync(check, ["--network", path], { encoding: "utf8" });
    t.strictSame([run.status, run.stdout], [0, ""], run.stderr);
    const { nics } = compose(name).plan.machines[0];
    const units = rendered(path);
    t.equal(units.size, nics.length, text);
    const withDefault = [...units].filter(([, unit]) => /^(DHCP=(ipv4|yes)|Gateway=)/m.test(unit) && !/UseRoutes=(False|false|no)/.test(unit));
    t.ok(withDefault.length <= 1, `one default route at most: ${withDefault.map(([mac]) => mac).join(" ")}`);
    t.end();
  });
}

t.test("static, MTU, name servers and the card without routes", (t) => {
  const units = rendered(written("everything").path);
  const first = units.get("52:54:00:00:00:01") ?? "";
  t.match(first, /^Address=198\.51\.100\.\d+\/24$/m);
  t.match(first, /^MTUBytes=1400$/m);
  t.match(first, /^DNS=192\.0\.2\.53 2001:db8::53$/m);
  t.notMatch(first, /^Gateway=/m);
  t.match(units.get("52:54:00:00:00:02"), /^DHCP=ipv4$/m);
  t.match(units.get("52:54:00:00:00:03"), /^UseRoutes=(False|false|no)$/m);
  t.end();
});
