/** Words of vSphere's shell that need no vCenter: JSON in both casings, marks, addresses, names, certificates, versions. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t from "tap";

const lib = join(import.meta.dirname, "../../../templates");
const work = mkdtempSync(join(tmpdir(), "cloudlet-vsphere-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

/** Runs a script after vSphere's files were read; gives what it prints. */
function shell(script: string, input = "", environment: Readonly<Record<string, string>> = {}): string {
  const parts = ["common/lib/site.sh", "common/lib/guest.sh", "ovf/lib/vmware-guest.sh", "common/lib/parameters.sh", ...["json", "ask", "tls", "soap", "site", "preflight", "vms", "import", "guestinfo", "tags"].map((part) => `vsphere/lib/vsphere-${part}.sh`)];
  const run = spawnSync("sh", ["-euc", `work=$1 CB_NAME=porto-ExampleTel-pf; secrets_hide() { cat; }\n${parts.map((part) => `. "${join(lib, part)}"`).join("\n")}\n${script}`, "sh", work], {
    input,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...environment },
  });
  if (run.status !== 0) throw new Error(`${run.status}: ${run.stderr}`);
  return run.stdout;
}

const value = (text: string, path: string): string => shell(`json_flat >"$work/flat"; json_value "$work/flat" '${path}'`, text);

t.test("JSON is read as it is written", (t) => {
  const text = JSON.stringify({ a: { B: ["x", 'say "no"', "back\\slash", 'ends with \\"\\', "tab\there", ""], n: null, yes: true, number: -1.5e3, empty: {}, none: [] }, "c,d:{[": "}],:" });
  t.equal(value(text, "a.b.0"), "x\n");
  t.equal(value(text, "a.b.1"), 'say "no"\n');
  t.equal(value(text, "a.b.2"), "back\\slash\n");
  t.equal(value(text, "a.b.3"), 'ends with \\"\\\n');
  t.equal(value(text, "a.b.4"), "tab\\there\n", "a tab is no mark between columns");
  t.equal(value(text, "a.b.5"), "\n");
  t.equal(value(text, "a.n"), "\n");
  t.equal(value(text, "a.yes"), "true\n");
  t.equal(value(text, "a.number"), "-1500\n");
  t.equal(value(text, "c,d:{["), "}],:\n");
  t.equal(value('{"A":"\\u003cds\\u003e \\u0026 \\u2028"}', "a"), "<ds> & \\u2028\n", "as Go escapes it");
  t.equal(value(JSON.stringify({ a: [{ b: 1 }, { b: 2 }] }, null, 2), "a.1.b"), "2\n", "with line feeds");
  t.end();
});

/** What `govc object.collect -json` says of one VM: 0.24 and, since 0.31, in the other casing. */
const collected = {
  old: `[{"Name":"config.annotation","Op":"assign","Val":"Notes"},{"Name":"config.extraConfig","Op":"assign","Val":{"OptionValue":[{"Key":"cloudlet-bundle.owner","Value":"porto-ExampleTel-pf"},{"Key":"guestinfo.cloudlet.Status","Value":"{\\"stage\\":\\"healthy\\"}"}]}},{"Name":"runtime.powerState","Op":"assign","Val":"poweredOn"},{"Name":"config.hardware.device","Op":"assign","Val":{"VirtualDevice":[{"Key":4001,"MacAddress":"00:50:56:AA:00:02","Backing":{"Port":{"PortgroupKey":"dvportgroup-13"}}},{"Key":2001,"CapacityInKB":1024},{"Key":4000,"MacAddress":"00:50:56:AA:00:01","Backing":{"DeviceName":"VM Network"}},{"Key":2000,"CapacityInKB":41943040}]}}]`,
  current: `[{"name":"config.annotation","op":"assign","val":"Notes"},{"name":"config.extraConfig","op":"assign","val":{"_typeName":"ArrayOfOptionValue","_value":[{"_typeName":"OptionValue","key":"cloudlet-bundle.owner","value":{"_typeName":"string","_value":"porto-ExampleTel-pf"}},{"key":"cloudlet-bundle.owner","value":"porto-ExampleTel-pf"},{"key":"guestinfo.cloudlet.Status","value":"{\\"stage\\":\\"healthy\\"}"}]}},{"name":"runtime.powerState","op":"assign","val":"poweredOn"},{"name":"config.hardware.device","op":"assign","val":{"_value":[{"_typeName":"VirtualVmxnet3","key":4001,"macAddress":"00:50:56:AA:00:02","backing":{"port":{"portgroupKey":"dvportgroup-13"}}},{"key":2001,"capacityInKB":1024},{"key":4000,"macAddress":"00:50:56:AA:00:01","backing":{"deviceName":"VM Network"}},{"key":2000,"capacityInKB":41943040}]}}]`,
};

/** Two networks, the first a distributed port group; what vCenter would say of both. */
const site = `CB_NETWORK_COUNT=2; site_network_name() { [ "$1" = 1 ] && printf 'folder/DVPG ue' || printf 'VM Network'; }
ask() { cp "$work/json" "$work/$1"; }
collect() { printf 'name  string  DVPG ue\\n' >"$work/$1"; }
`;

for (const [name, text] of Object.entries(collected)) {
  t.test(`what govc collects, ${name}`, (t) => {
    const lines = shell("json_flat | json_properties", text).split("\n");
    for (const line of ["config.annotation\tNotes", "config.extraconfig.cloudlet-bundle.owner\tporto-ExampleTel-pf", 'config.extraconfig.guestinfo.cloudlet.Status\t{"stage":"healthy"}', "runtime.powerstate\tpoweredOn"]) t.ok(lines.includes(line), line);
    writeFileSync(join(work, "json"), text);
    t.equal(shell(`${site}vms_devices /DC/vm/x; cat "$work/cards" "$work/disks"; vms_mac 2; printf '%s' "$vm_cards"`), "4001 00:50:56:aa:00:02\n4000 00:50:56:aa:00:01\n2000 42949672960\n2001 1048576\n00:50:56:aa:00:01\nsure", "in the order of the spec's networks");
    t.end();
  });
}

t.test("a card is known by what it is attached to", (t) => {
  const cards = (...named: readonly string[]): string => {
    writeFileSync(join(work, "cards-named"), named.map((line) => `${line}\n`).join(""));
    return shell(`${site}vms_cards; tr '\\n' ' ' <"$work/cards"; printf '%s' "$vm_cards"`);
  };
  t.equal(cards("4000 a VM Network", "4001 b DVPG ue"), "4001 b 4000 a sure");
  t.equal(cards("4000 a -", "4001 b VM Network"), "4000 a 4001 b sure", "an opaque network shows no name");
  t.equal(cards("4000 a -", "4001 b -"), "4000 a 4001 b sure");
  t.equal(cards("4000 a DVPG ue", "4001 b somewhere else"), "4000 a 4001 b other");
  t.equal(cards("4000 a DVPG ue"), "4000 a sure");
  t.equal(cards("4000 a DVPG ue", "4001 b VM Network", "4002 c VM Network"), "4000 a 4001 b 4002 c other");
  t.end();
});

t.test("a VM whose import was cut is known by its notes, and a stranger's is not", (t) => {
  const row = (notes: string, path = "/DC/vm/porto-ExampleTel-pf-0123456789abcdef"): string => {
    writeFileSync(join(work, "json"), JSON.stringify([{ name: "config.annotation", val: notes }, { name: "runtime.powerState", val: "poweredOff" }]));
    return shell(`ask() { cp "$work/json" "$work/$1"; }\ntarget_inputs=01234567; vms_row '${path}'`);
  };
  t.equal(row("Of ours. [cloudlet-bundle owner=porto-ExampleTel-pf bundle=ab12 inputs=cd34]"), "/DC/vm/porto-ExampleTel-pf-0123456789abcdef\tpoweredOff\tours\tab12\tcd34\t-\t-\t-\t-\n");
  t.equal(row("[cloudlet-bundle owner=porto-ExampleTel-pf2 bundle=ab12 inputs=cd34]"), "");
  t.match(row("somebody's", "/DC/vm/porto-ExampleTel-pf"), /\tforeign\t/);
  t.match(row("somebody's", "/DC/vm/porto-ExampleTel-pf-01234567"), /\tforeign\t/, "of the name that ours will have");
  t.end();
});

t.test("hardware addresses and secrets take their places", (t) => {
  writeFileSync(join(work, "cards"), "4000 00:50:56:aa:00:01\n4001 00:50:56:aa:00:02\n");
  writeFileSync(join(work, "secrets"), "KEY=c2VjcmV0\n");
  const folder = mkdtempSync(join(work, "bundle-"));
  writeFileSync(join(folder, "user-data"), "#cloud-config\na: '@@CLOUDLET-PORT-MAC:2@@ @@CLOUDLET-PORT-MAC:1@@'\nb: '@@CLOUDLET-SECRET:KEY@@'\n");
  writeFileSync(join(folder, "network-config"), "version: 2\nmac: '@@CLOUDLET-PORT-MAC:1@@'\n");
  writeFileSync(join(folder, "meta-data"), "instance-id: i-1\n");
  shell(`CB_USER_DATA=user-data CB_META_DATA=meta-data CB_NETWORK_CONFIG=network-config; guestinfo_values "${folder}" "$work/cards"`);
  const packed = (text: string): string => gunzipSync(Buffer.from(text, "base64")).toString();
  t.equal(packed(readFileSync(join(work, "userdata"), "utf8")), "#cloud-config\na: '00:50:56:aa:00:02 00:50:56:aa:00:01'\nb: 'c2VjcmV0'\n");
  const metadata = packed(readFileSync(join(work, "metadata"), "utf8"));
  t.match(metadata, /^instance-id: i-1\nnetwork: \S+\nnetwork\.encoding: gzip\+base64\n$/);
  t.equal(packed(/^network: (.*)$/m.exec(metadata)?.[1] ?? ""), "version: 2\nmac: '00:50:56:aa:00:01'\n");
  t.notMatch(readFileSync(join(work, "userdata"), "latin1"), /\n/, "one line, as an advanced parameter is");
  t.end();
});

t.test("names of tags are MobiledgeX's", (t) => {
  const prefix = (organization: string, cloudlet: string): string => shell(`CB_ORGANIZATION='${organization}' CB_CLOUDLET='${cloudlet}'; tags_prefix`);
  t.equal(prefix("ExampleTel", "porto-1"), "ExampleTel-porto-1");
  t.equal(prefix("A & B, Inc!", "porto/1"), "AB_Inc-porto_1");
  t.equal(prefix("1und1", "x"), "a1und1-x");
  t.end();
});

t.test("versions, names that are patterns, paths that end so", (t) => {
  const older = (a: string, b: string): boolean => shell(`preflight_older ${a} ${b} && printf yes || printf no`) === "yes";
  t.ok(older("6.5.0", "6.7"));
  t.notOk(older("6.7.0", "6.7"));
  t.notOk(older("7.0.3", "6.7"));
  t.ok(older("7.0.3", "8.0"));
  t.notOk(older("10.0", "8.0"));
  t.equal(shell("glob '/DC/vm/a [b]*?'"), "/DC/vm/a \\[b\\]\\*\\?");
  writeFileSync(join(work, "list"), "/DC/network/ue\n/DC/network/folder/ue\n/DC/network/blue\n");
  t.equal(shell("listed list ue"), "/DC/network/ue\n/DC/network/folder/ue\n");
  t.equal(shell("listed list folder/ue"), "/DC/network/folder/ue\n");
  t.end();
});

t.test("where govc's session is, of either version", (t) => {
  const open = (host: string, cookies: string, url: string): string => {
    execFileSync("mkdir", ["-p", join(work, "govmomi/sessions")]);
    writeFileSync(join(work, "govmomi/sessions/a"), `{"SoapClient":{"${cookies}":[{"Name":"vmware_soap_session","Value":"74b0\\"c9","Quoted":false}],"${url}":{"Host":"${host}","Path":"/sdk"}}}`);
    return shell('soap_open; printf "%s %s %s %s" "$soap_host" "$soap_port" "$soap_path" "$soap_cookie"');
  };
  t.equal(open("vcenter.example.net", "Cookies", "URL"), 'vcenter.example.net 443 /sdk vmware_soap_session=74b0"c9');
  t.equal(open("192.0.2.1:8443", "cookies", "url"), '192.0.2.1 8443 /sdk vmware_soap_session=74b0"c9');
  t.match(open("[2001:db8::1]:8443", "cookies", "url"), /^\[2001:db8::1\] 8443 /);
  t.match(open("[2001:db8::1]", "cookies", "url"), /^\[2001:db8::1\] 443 /);
  t.end();
});

t.test("certificates are looked at as govc is told", (t) => {
  const words = (host: string, environment: Readonly<Record<string, string>>): string => shell(`tls_words ${host} 443`, "", environment).replaceAll(work, "WORK").replaceAll("\n", " ");
  const ca = join(work, "site-ca.pem");
  writeFileSync(ca, "CA\n");
  t.equal(words("vcenter.example.net", {}), "-verify_return_error -verify_hostname vcenter.example.net -servername vcenter.example.net ");
  t.equal(words("192.0.2.1", { GOVC_TLS_CA_CERTS: ca }), "-verify_return_error -CAfile WORK/ca.pem -verify_ip 192.0.2.1 ");
  t.equal(words("[2001:db8::1]", {}), "-verify_return_error -verify_ip 2001:db8::1 ");
  t.equal(words("192.0.2.1", { GOVC_INSECURE: "true" }), "", "switched off only where the operator has done so");
  t.equal(words("192.0.2.1", { GOVC_INSECURE: "0" }), "-verify_return_error -verify_ip 192.0.2.1 ");
  t.end();
});

t.test("what govc says has a name", (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ["govc: ServerFaultCode: Cannot complete login due to an incorrect user name or password.", "credentials/refused"],
    ["govc: specify an ESX or vCenter URL", "credentials/missing"],
    ['govc: Post "https://vc/sdk": x509: certificate signed by unknown authority', "endpoint/tls"],
    ["govc: Post https://vc/sdk: dial tcp: lookup vc: no such host", "endpoint/unreachable"],
    ["govc: ServerFaultCode: Permission to perform this operation was denied.", "credentials/forbidden"],
    ["govc: The operation failed because of insufficient disk space on datastore 'x'", "datastore/full"],
    ["govc: The name 'x' already exists.", "vm/name-taken"],
    ["govc: something new", "vcenter/refused"],
  ];
  for (const [said, code] of cases) {
    writeFileSync(join(work, "look.error"), `${said}\n`);
    t.equal(shell('trouble look; printf "%s" "$trouble_code"'), code, said);
  }
  t.end();
});
