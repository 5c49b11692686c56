/** cloud-init's own datasources read what vSphere's guestinfo and vCloud Director's OVF environment hold, of every golden case. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t from "tap";
import type { Nic } from "../../../src/plan/networks.ts";
import { caseNames, compose, renderedFiles } from "../../golden/cases.ts";
import { guestInfoValues, ovfEnvironment, ovfProperties, redacted, userData } from "../boot/seed.ts";
import type { Unpacked } from "../boot/seed.ts";

interface Subnet {
  readonly type: string;
  readonly address: string | null;
  readonly prefix: number | null;
  readonly routes: readonly (readonly [string, number, string])[];
}

interface Answer {
  readonly found: boolean;
  readonly instance?: string;
  readonly hostname?: string | null;
  readonly interfaces?: readonly { readonly mac: string; readonly mtu: number | null; readonly subnets: readonly Subnet[] }[] | null;
  /** Kind and text of each part. */
  readonly userData?: readonly (readonly [string, string])[];
}

const code = join(process.env["LAB_DIR"] ?? "/var/tmp/lab-cloud-init", "root/usr/lib/python3/dist-packages");
const folder = mkdtempSync(join(tmpdir(), "datasources-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(300_000);

function ask(...words: readonly string[]): Answer {
  const run = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "datasource.py"), ...words], {
    encoding: "utf8",
    env: { PYTHONPATH: code, PYTHONDONTWRITEBYTECODE: "1", PATH: "/usr/bin:/bin" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Answer;
}

/** The answer of the VMware datasource, whose rpctool gives these values. */
function askVmware(values: Readonly<Record<string, string>>): Answer {
  const store = mkdtempSync(join(folder, "guestinfo-"));
  for (const [key, value] of Object.entries(values)) writeFileSync(join(store, key), value);
  const rpctool = join(store, "vmware-rpctool");
  writeFileSync(rpctool, `#!/bin/sh\ncat '${store}'/"\${1#info-get }" 2>/dev/null || { printf 'No value found\\n' >&2; exit 1; }\n`, { mode: 0o755 });
  return ask("vmware", rpctool);
}

/** The answer of the OVF datasource to an environment with these properties. */
function askOvf(properties: Readonly<Record<string, string>>): Answer {
  const path = join(mkdtempSync(join(folder, "ovf-")), "ovf-env.xml");
  writeFileSync(path, ovfEnvironment(properties, ["00:50:56:01:00:01"]));
  return ask("ovf", path);
}

/** The case's files as an operator has them, with secrets that base64 and gzip must carry unharmed. */
function unpacked(name: string): Unpacked {
  const bundle = join(folder, name);
  for (const { path, text } of renderedFiles(name)) {
    mkdirSync(dirname(join(bundle, path)), { recursive: true });
    writeFileSync(join(bundle, path), text);
  }
  const secrets = join(bundle, "secrets");
  const lines = compose(name).plan.slots.map((slot) => `${slot.name.value}=pässword '$(:) of ${slot.name.value}\n`);
  writeFileSync(secrets, lines.join(""));
  return { folder: bundle, secrets };
}

/** What the plan says of the cards, in cloud-init's words. */
function planned(nics: readonly Nic[], cards: readonly string[]): Answer["interfaces"] {
  return nics.map((nic, index) => {
    const { ip, prefix, gateway, mtu, defaultRoute } = nic;
    const isSix = ip?.value.includes(":") === true;
    const routes = gateway !== undefined && defaultRoute.value ? [[isSix ? "::" : "0.0.0.0", 0, gateway.value] as const] : [];
    const subnet: Subnet =
      ip === undefined || prefix === undefined
        ? { type: "dhcp4", address: null, prefix: null, routes: [] }
        : { type: "static", address: ip.value, prefix: prefix.value, routes };
    return { mac: cards[index] as string, mtu: mtu?.value ?? null, subnets: [subnet] };
  });
}

const cases = caseNames.filter((name) => ["vsphere", "vcd"].includes(compose(name).plan.spec.platform.type.value));

for (const name of cases) {
  const { machines } = compose(name).plan;
  const [{ nics, host }] = machines;
  const cards = nics.map((_, index) => `00:50:56:01:00:0${index + 1}`);
  const bundle = unpacked(name);
  const wanted: Answer = {
    found: true,
    instance: guestInstance(name),
    hostname: host.value,
    interfaces: planned(nics, cards) ?? null,
    userData: [["text/cloud-config", userData(bundle, cards)]],
  };

  t.test(`${name}: guestinfo, as the VMware datasource reads it`, (t) => {
    const values = guestInfoValues(bundle, cards);
    for (const [key, value] of Object.entries(values)) t.ok(value.length <= 65_536, `${key}: ${value.length} characters`);
    t.strictSame(askVmware(values), wanted);
    t.end();
  });

  t.test(`${name}: properties, as the OVF datasource reads them`, (t) => {
    t.strictSame(askOvf(ovfProperties(bundle, cards)), wanted);
    t.end();
  });

  t.test(`${name}: without user-data it is the same instance with the same network`, (t) => {
    const same: Answer = { ...wanted, userData: [["text/x-not-multipart", ""]] };
    t.strictSame(askVmware({ ...guestInfoValues(bundle, cards), ...redacted }), same);
    const { "guestinfo.userdata": _, ...removed } = guestInfoValues(bundle, cards);
    t.strictSame(askVmware(removed), same);
    t.strictSame(askOvf({ ...ovfProperties(bundle, cards), "user-data": "" }), same);
    t.end();
  });
}

t.test("other ways that look as good are not: what install.sh must not do", (t) => {
  const bundle = unpacked("vsphere");
  const cards = ["00:50:56:01:00:01"];
  const values = guestInfoValues(bundle, cards);
  const word = { ...values, "guestinfo.userdata": "redacted" };
  t.throws(() => askVmware(word), /UnicodeDecodeError/, "a word that is not what the encoding says: no datasource, another instance");
  const { "guestinfo.metadata": _, ...withoutMetadata } = values;
  const bereft = askVmware(withoutMetadata);
  t.not(bereft.instance, guestInstance("vsphere"), "without metadata: another instance");
  t.strictSame([bereft.found, bereft.hostname, bereft.interfaces], [true, null, null], "of no name and no network");
  const properties = ovfProperties(bundle, cards);
  const bare = Buffer.from(properties["network-config"] ?? "", "base64").toString("utf8").replace(/^network:\n/, "").replace(/^ {2}/gm, "");
  t.match(bare, /^version: 2$/m);
  t.equal(askOvf({ ...properties, "network-config": Buffer.from(bare).toString("base64") }).interfaces, null, "site/network-config as it is: dropped");
  t.end();
});

function guestInstance(name: string): string {
  const text = renderedFiles(name).find(({ path }) => path === "site/meta-data")?.text ?? "";
  return /^instance-id: (\S+)$/m.exec(text)?.[1] ?? "";
}
