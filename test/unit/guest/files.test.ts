/** The guest's own files: data of the containers, firewall, network-config, meta-data. */

import { load } from "js-yaml";
import t from "tap";
import { val } from "../../../src/core/origin.ts";
import { ownFiles, textOfFile } from "../../../src/guest/files.ts";
import { firewallLines } from "../../../src/guest/firewall.ts";
import { metaData, networkConfig } from "../../../src/guest/no-cloud.ts";
import { assets, compose } from "../../golden/cases.ts";

const { plan } = compose("everything");
const [machine] = plan.machines;

function texts(guarded = false): ReadonlyMap<string, string> {
  const files = ownFiles(guarded ? { ...plan, firewall: val("guest" as const, "spec:/platform/type") } : plan, machine, assets);
  return new Map(files.map((file) => [file.path, textOfFile(file).text]));
}

t.test("every file is named once, absolute, with a mode; data is root's alone", (t) => {
  const files = ownFiles(plan, machine, assets);
  t.equal(new Set(files.map((file) => file.path)).size, files.length);
  for (const { path, mode } of files) {
    t.match(path, /^\/(etc\/cloudlet|etc\/systemd\/system|usr\/local\/sbin)\//);
    t.equal(mode, path.startsWith("/etc/cloudlet/") ? 0o600 : path.startsWith("/usr/") ? 0o755 : 0o644);
  }
  t.notOk(files.some((file) => file.path.includes("firewall")), "OpenStack has security groups");
  t.ok(texts(true).has("/etc/cloudlet/firewall.v6"));
  t.ok(texts(true).has("/etc/systemd/system/cloudlet-firewall.service"));
  t.end();
});

t.test("a container's file holds what the plan says, one word each", (t) => {
  const text = texts().get("/etc/cloudlet/containers/crmserver.env") ?? "";
  t.match(text, /^(CB_[A-Z0-9_]+='([^']|'\\'')*'\n)+$/);
  t.match(text, `CB_ARGUMENT_6='{"organization":"ExampleTel","name":"cologne-5","federated_organization":"PartnerTel"}'\n`);
  t.match(text, "CB_SECRET_COUNT='2'\nCB_SECRET_1_NAME='OS_PASSWORD'\nCB_SECRET_1_PATH='/etc/cloudlet/secrets/OS_PASSWORD'\n");
  const { containers } = machine;
  t.equal(text.split("\n").filter((line) => line.startsWith("CB_ARGUMENT_")).length, (containers[0]?.arguments.length ?? 0) + 1);
  t.match(texts().get("/etc/cloudlet/bootstrap.env"), "CB_RELEASE_CREATED='1795478400'\n");
  t.end();
});

t.test("every line of data that a value caused knows it", (t) => {
  const [file] = ownFiles(plan, machine, assets);
  if (file === undefined) throw new Error("no file");
  const { text, spans } = textOfFile(file);
  const lines = text.split("\n");
  for (const span of spans) t.equal(span.end, (lines[span.line - 1] ?? "").length + 1);
  t.strictSame(spans.find((span) => lines[span.line - 1]?.startsWith("CB_PAYLOAD_SIZE="))?.origins, ["lock:/payload/size"]);
  t.equal(spans.length, lines.length - 1, "no line without an origin");
  t.end();
});

t.test("the firewall lets in what the rules name, and ends with nothing else", (t) => {
  const lines = (family: "IPv4" | "IPv6") => firewallLines(plan.rules, family).map((line) => (typeof line === "string" ? line : line.value));
  const four = lines("IPv4");
  t.ok(four.includes("-A CLOUDLET-IN -s 198.51.100.0/24 -p tcp --dport 22:22 -j ACCEPT"));
  t.ok(four.includes("-A CLOUDLET-IN -s 198.51.100.128/25 -j ACCEPT"), "any protocol");
  t.ok(four.includes("-A CLOUDLET-OUT -d 192.0.2.0/24 -p udp --dport 53:53 -j ACCEPT"));
  t.ok(lines("IPv6").includes("-A CLOUDLET-OUT -d ::/0 -p ipv6-icmp -j ACCEPT"), "ICMP has another name there");
  t.ok(lines("IPv6").includes("-A CLOUDLET-IN -s 2001:db8:0:1::/64 -p tcp --dport 22:22 -j ACCEPT"));
  t.notOk(four.some((line) => line.includes("2001:db8")));
  for (const chain of ["CLOUDLET-IN", "CLOUDLET-OUT"]) {
    const own = four.filter((line) => line.startsWith(`-A ${chain} `));
    t.match(own.at(-1), /-j (DROP|REJECT)$/);
    t.notOk(own.slice(0, -1).some((line) => /-j (DROP|REJECT)$/.test(line)));
  }
  t.equal(four.at(-1), "COMMIT");
  t.end();
});

t.test("network-config: each card by its address, one default route", (t) => {
  const { text } = networkConfig(machine, plan.spec.networks);
  t.strictSame(load(text), {
    version: 2,
    ethernets: {
      nic1: {
        match: { macaddress: "@@CLOUDLET-PORT-MAC:1@@" },
        dhcp4: false,
        dhcp6: false,
        addresses: [`${machine.nics[0]?.ip?.value}/${machine.nics[0]?.prefix?.value}`],
        mtu: 1400,
        nameservers: { addresses: ["192.0.2.53", "2001:db8::53"] },
      },
      nic2: { match: { macaddress: "@@CLOUDLET-PORT-MAC:2@@" }, dhcp4: true, dhcp6: false },
      nic3: { match: { macaddress: "@@CLOUDLET-PORT-MAC:3@@" }, dhcp4: true, dhcp6: false, "dhcp4-overrides": { "use-routes": false } },
    },
  });
  t.end();
});

t.test("a static card with the default route goes by its gateway, IPv4 and IPv6", (t) => {
  const [first] = machine.nics;
  if (first === undefined) throw new Error("no card");
  for (const [ip, prefix, gateway, to] of [["192.0.2.9", 24, "192.0.2.1", "0.0.0.0/0"], ["2001:db8::9", 64, "2001:db8::1", "::/0"]] as const) {
    const nic = { ...first, ip: val(ip, "spec:/ip"), prefix: val(prefix, "spec:/ip"), gateway: val(gateway, "spec:/ip"), defaultRoute: val(true, "spec:/ip") };
    const config = load(networkConfig({ ...machine, nics: [nic] }, plan.spec.networks).text) as { ethernets: { nic1: object } };
    t.match(config.ethernets.nic1, { addresses: [`${ip}/${prefix}`], routes: [{ to, via: gateway }] });
  }
  t.end();
});

t.test("meta-data: other user-data is another instance", (t) => {
  const of = (sha256: string) => load(metaData(machine, val(sha256, "spec:/name")).text) as Record<string, string>;
  const one = of("a".repeat(64));
  t.equal(one["local-hostname"], "cologne-5-exampletel-pf");
  t.not(one["instance-id"], of("b".repeat(64))["instance-id"]);
  t.end();
});
