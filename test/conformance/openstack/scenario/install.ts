/** --yes ends with a complete stack and a healthy server; once more changes nothing; no secret shows anywhere. */

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import type { BuiltBundle } from "../../bundle.ts";
import { configDrive, member, openstackJson, stamp } from "../cloud.ts";
import { cloudlet, dhcp, fixed, floating } from "../cloudlets.ts";
import { Operator, ended, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("install", { name: "cb install", networks: [floating, fixed, dhcp] });
  const operator = new Operator("install");
  const value = site(bundle);
  const stack = value("CB_NAME");
  const secrets = secretsOf(bundle.secrets);

  const declined = await operator.install(bundle, []);
  t.equal(declined.status, 2, "without a terminal and without --yes it refuses");
  t.match(declined.stderr, /usage\/no-terminal/);

  const child = operator.start(bundle, ["--trust", bundle.fingerprint, "--secrets", bundle.secrets, "--yes"]);
  const end = ended(child);
  const seen = await watchProcesses(() => child.exitCode === null && child.signalCode === null, [...secrets, member["OS_PASSWORD"] ?? ""]);
  const installed = await end;
  t.equal(installed.status, 0, installed.text);
  t.strictSame(seen, [], "no secret in any process's arguments");

  const receipt = operator.receipt() as unknown as Receipt;
  t.equal(receipt.result, "complete");
  t.equal(receipt.stack.status, "CREATE_COMPLETE");
  t.match(receipt.servers, [{ name: stack, status: "ACTIVE", health: "healthy", stage: "healthy", detail: "crmserver" }]);
  t.match(installed.stdout, /^guest +healthy: healthy crmserver$/m);
  t.strictSame(receipt.addresses.map((address) => address.network), ["cb-own", "cb-static", "provider"], "ports in the order of the spec");
  t.equal(receipt.addresses[1]?.fixed, "10.77.0.77");
  t.match(receipt.addresses[0]?.floating ?? "", /^203\.0\.113\./);
  const ports = openstackJson(["port", "list", "--server", receipt.servers[0]?.id ?? "", "-c", "ID", "-c", "Name"]) as readonly { ID: string; Name: string }[];
  const names = receipt.addresses.map((address) => ports.find((port) => port.ID === address.port)?.Name);
  t.strictSame(names, [1, 2, 3].map((number) => value(`CB_NETWORK_${number}_PORT_NAME`)));
  await sameOnTheConfigDrive(t, bundle, receipt.servers[0]?.id ?? "", value);
  const everything = `${operator.traces()}${installed.stdout}${installed.stderr}`;
  for (const secret of [...secrets, member["OS_PASSWORD"] ?? ""]) t.notOk(everything.includes(secret), "no secret in state, receipt or output");

  const before = stamp(stack);
  const journal = operator.journal();
  const again = await operator.install(bundle);
  t.equal(again.status, 0);
  t.match(again.stderr, /nothing to do/);
  t.strictSame(stamp(stack), before, "a second run changes nothing");
  t.equal(operator.journal(), journal);

  const changed = await operator.install(bundle, ["--yes", "--parameter", "flavor=m4.large"]);
  t.equal(changed.status, 1);
  t.match(changed.stderr, /input\/parameters.*flavor/);
  const otherSecrets = join(operator.home, "other-secrets");
  writeFileSync(otherSecrets, readFileSync(bundle.secrets, "utf8").replace(/^(ACCESS_KEY=).*$/m, "$1other-value"), { mode: 0o600 });
  const rotated = await operator.run(bundle, ["--trust", bundle.fingerprint, "--secrets", otherSecrets, "--yes"]);
  t.equal(rotated.status, 1);
  t.match(rotated.stderr, /input\/secrets/);
  t.strictSame(stamp(stack), before, "a refused run changes nothing");

  t.equal((await operator.run(bundle, ["--status"])).status, 0);
  const removed = await operator.uninstall(bundle);
  t.equal(removed.status, 0, removed.text);
  t.equal((await operator.run(bundle, ["--status"])).status, 1, "then there is nothing");
}

/** Nova writes the config drive from what Heat gave it: the rendered text with its placeholders filled, and nothing else. */
async function sameOnTheConfigDrive(t: Test, bundle: BuiltBundle, id: string, value: (name: string) => string): Promise<void> {
  const { links } = JSON.parse(configDrive(id, "openstack/latest/network_data.json")) as { readonly links: readonly { readonly ethernet_mac_address: string }[] };
  const macs = openstackJson(["port", "list", "--server", id, "-c", "Name", "-c", "MAC Address"]) as readonly { readonly Name: string; readonly "MAC Address": string }[];
  const cards = [1, 2, 3].map((number) => macs.find((port) => port.Name === value(`CB_NETWORK_${number}_PORT_NAME`))?.["MAC Address"] ?? "");
  t.strictSame(links.map((link) => link.ethernet_mac_address), cards, "cards in the order of the spec");
  const key = /^ACCESS_KEY=base64:(.*)$/m.exec(readFileSync(bundle.secrets, "utf8"))?.[1] ?? "";
  const rendered = readFileSync(join(bundle.folder, "site/user-data"), "utf8").replace("@@CLOUDLET-SECRET:ACCESS_KEY@@", key);
  const meant = cards.reduce((text, mac, index) => text.replaceAll(`@@CLOUDLET-PORT-MAC:${index + 1}@@`, mac), rendered);
  t.equal(configDrive(id, "openstack/latest/user_data"), meant, "config drive content is what was rendered");
  const meta = JSON.parse(configDrive(id, "openstack/latest/meta_data.json")) as Readonly<Record<string, unknown>>;
  t.match(meta, { uuid: id, name: value("CB_NAME"), meta: { role: "mex-agent-node", skipk8s: "yes" } });
  const volumes = openstackJson(["server", "volume", "list", id]) as readonly { readonly "Volume ID": string }[];
  t.equal(volumes.length, 1, "the payload volume is attached");
}

interface Receipt {
  readonly result: string;
  readonly stack: { readonly id: string; readonly status: string };
  readonly servers: readonly { readonly name: string; readonly id: string; readonly status: string; readonly health: string; readonly stage: string; readonly detail: string }[];
  readonly addresses: readonly { readonly network: string; readonly port: string; readonly fixed: string; readonly floating?: string }[];
}

/** Values as given, and as base64. */
export function secretsOf(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.slice(line.indexOf("=") + 1).replace(/^base64:/, ""))
    .flatMap((value) => [value, Buffer.from(value).toString("base64").replace(/=+$/, "")]);
}

/** Looks at all arguments of all processes as long as `alive`; gives those that hold one of the texts. */
export async function watchProcesses(alive: () => boolean, texts: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  while (alive()) {
    for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      let line = "";
      try {
        line = readFileSync(join("/proc", process, "cmdline"), "utf8");
      } catch {
        continue;
      }
      if (texts.some((text) => text !== "" && line.includes(text))) found.add(line);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return [...found];
}
