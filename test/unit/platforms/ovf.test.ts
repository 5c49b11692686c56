/** The OVF descriptor: what the spec's choices make of it, and that no name gets out of its place. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { checkOvf } from "../../../src/ovf/check.ts";
import { readEnv } from "../../../src/render/encode-env.ts";
import { composeText, specText, textOf, wellRead } from "../../golden/cases.ts";
import { archive, goldenDisks, headerOnlyDisk, ovaSource } from "../../reject/ovf-cases.ts";

const disks = [headerOnlyDisk(8), headerOnlyDisk(2)] as const;

interface Made {
  readonly ovf: string;
  readonly mf: string;
  readonly env: ReadonlyMap<string, string>;
}

/** What a golden spec becomes after these edits; the package is checked each time. */
async function made(name: string, ...edits: readonly (readonly [string, string])[]): Promise<Made> {
  const text = edits.reduce((before, [find, replace]) => {
    if (before.split(find).length !== 2) throw new Error(`${find} does not stand in ${name} once`);
    return before.replace(find, () => replace);
  }, specText(name));
  const { files } = wellRead(composeText(text, goldenDisks(...disks)));
  const of = (path: string): string => textOf(files.find((file) => file.path === path));
  const result = { ovf: of("ovf/platformvm.ovf"), mf: of("ovf/platformvm.mf"), env: readEnv(of("site.env")) };
  const ova = archive([["platformvm.ovf", Buffer.from(result.ovf)], ["platformvm.mf", Buffer.from(result.mf)], ["vm-image.vmdk", disks[0]], ["payload.vmdk", disks[1]]]);
  t.strictSame((await checkOvf(ovaSource(ova))).flatMap((file) => file.issues), [], `${name}: ${edits.flat().join(" ")}`);
  return result;
}

const vsphere = "    datastore: LocalDS_0\n";
const with_ = (line: string): readonly [string, string] => [vsphere, `${vsphere}    ${line}\n`];

t.test("hardware by the version of vSphere, controller and firmware by choice", async (t) => {
  const plain = await made("vsphere");
  t.match(plain.ovf, "<vssd:VirtualSystemType>vmx-14<");
  t.match(plain.ovf, "<rasd:ResourceSubType>VirtualSCSI<");
  t.match(plain.ovf, 'vmw:key="firmware" vmw:value="bios"');
  t.notMatch(plain.ovf, /secureBoot|EulaSection/);
  t.match(plain.mf, /^SHA256\(platformvm\.ovf\)= [0-9a-f]{64}\n/);
  for (const [version, type] of [["7.0", "vmx-17"], ["8.0", "vmx-20"]] as const) t.match((await made("vsphere", with_(`version: "${version}"`))).ovf, `>${type}<`);
  const chosen = await made("vsphere", with_("diskController: lsilogic, firmware: efi, manifestDigest: sha1".split(", ").join("\n    ")));
  t.match(chosen.ovf, "<rasd:ResourceSubType>lsilogic<");
  t.match(chosen.ovf, 'vmw:key="firmware" vmw:value="efi"');
  t.match(chosen.ovf, 'vmw:key="uefi.secureBoot.enabled" vmw:value="false"');
  t.match(chosen.mf, /^SHA1\(platformvm\.ovf\)= [0-9a-f]{40}\n/);
});

t.test("networks are called after their purposes, one card each in their order, and site.env knows it", async (t) => {
  const { ovf, env } = await made("vsphere-everything");
  const names = ["management", "ue", "internet", "internet-2"];
  t.strictSame([...ovf.matchAll(/<Network ovf:name="([^"]*)"/g)].map((match) => match[1]), names);
  t.strictSame([...ovf.matchAll(/<rasd:Connection>([^<]*)</g)].map((match) => match[1]), names);
  t.strictSame(names.map((_, index) => env.get(`CB_NETWORK_${index + 1}_OVF_NAME`)), names);
  t.strictSame([...ovf.matchAll(/<rasd:InstanceID>(10\d)</g)].map((match) => match[1]), ["101", "102", "103", "104"]);
  t.match(ovf, "<Description>lab-net: the way to the controller</Description>", "the spec's own name stands beside");
});

t.test("a second size where the tenant has room for it, and on vSphere only", async (t) => {
  const large = (ovf: string): readonly string[] => [...ovf.matchAll(/<Item ovf:configuration="large">[^]*?<rasd:VirtualQuantity>(\d+)</g)].map((match) => match[1] ?? "");
  t.strictSame(large((await made("vsphere-everything")).ovf), ["16", "32768"]);
  const small = await made("vsphere-everything", ["tenant: {vcpus: 64, ", "tenant: {vcpus: 15, "]);
  t.strictSame(large(small.ovf), []);
  t.notMatch(small.ovf, /DeploymentOption|ovf:configuration/);
  t.notMatch((await made("vcd")).ovf, /DeploymentOption|ovf:configuration/);
});

t.test("properties: what is known is there, what is secret is a password and empty", async (t) => {
  const { ovf, env } = await made("vcd");
  const properties = new Map([...ovf.matchAll(/<Property ovf:key="([^"]*)" ([^>]*)>/g)].map((match) => [match[1], match[2] ?? ""]));
  t.strictSame([...properties.keys()], ["instance-id", "hostname", "network-config", "user-data"]);
  t.match(properties.get("hostname"), `ovf:value="${env.get("CB_HOSTNAME")}"`);
  t.match(properties.get("instance-id"), /ovf:value="lisboa-1-ExampleTel-pf-[0-9a-f]{12}"/);
  t.match(properties.get("user-data"), /ovf:password="true" .*ovf:value=""/);
  for (const each of properties.values()) t.match(each, /^ovf:type="string" ovf:qualifiers="(?:MinLen\(1\) )?MaxLen\(\d+\)".* ovf:userConfigurable="true"/);
  // There the guest reads guestinfo, and an OVF environment would come before it.
  t.notMatch((await made("vsphere")).ovf, /<Property|ovf:transport/);
});

t.test("names that a careless reader would trip over come back as they were", async (t) => {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-ovf-"));
  t.teardown(() => rmSync(work, { recursive: true }));
  const hostile = `</Network> ]]> <![CDATA[ &amp; "O'Brien" <!-- & Söhne 😀 -- {{x}} $(id) %s`;
  const { ovf } = await made(
    "vsphere-everything",
    ["      - Only for <ExampleTel> & its partners.", `      - ${JSON.stringify(hostile)}`],
    ["    - name: lab-net", `    - name: ${JSON.stringify(hostile)}`],
    ["name: porto-2", 'name: "9O Brien & Soehne, .Edge!"'],
    ["organization: ExampleTel", 'organization: "Yes, No & Co."'],
  );
  writeFileSync(join(work, "x.ovf"), ovf);
  const read = execFileSync("python3", ["-c", reader, join(work, "x.ovf")], { encoding: "utf8" });
  t.strictSame(JSON.parse(read), {
    licence: `${hostile}\n\nAsk before you copy.`,
    network: `${hostile}: the way to the controller`,
    annotation: "PlatformVM of cloudlet 9O Brien & Soehne, .Edge! of Yes, No & Co., release 2026.11.",
  });
});

/** Another parser's view: Python's expat. */
const reader = `
import json, sys, xml.etree.ElementTree as ET
o = '{http://schemas.dmtf.org/ovf/envelope/1}'
root = ET.parse(sys.argv[1]).getroot()
print(json.dumps({
    'licence': root.find('.//' + o + 'License').text,
    'network': root.findall('.//' + o + 'Network')[3].find(o + 'Description').text,
    'annotation': root.find('.//' + o + 'Annotation').text,
}))`;
