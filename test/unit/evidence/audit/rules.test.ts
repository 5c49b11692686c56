/** Every rule that the files decide is met by some bundle, and not met by the same with one edit, at the place of the edit. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import { auditReference } from "../../../../scripts/generate-audit-reference.ts";
import { auditRules } from "../../../../src/evidence/audit/audit.ts";
import { caseNames } from "../../../golden/cases.ts";
import { bundleOf, edited, resultsFor, resultsOf, type Bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "../../../..");
const heat = "site/heat-template.yaml";
const sbom = "evidence/sbom.cdx.json";

/** Everything as an auditor wants it. */
const openstack = bundleOf("everything", {
  release: (text) => text.replace(/^vmImage:/m, 'supplier: {name: Example Releases, contact: "mailto:release@example.org"}\nvmImage:'),
  spec: (text) =>
    text
      .replace(/^audit:[\s\S]*?(?=^secrets:)/m, "")
      .replace("    sudo: true\n", "")
      .replace(/  - name: reader[\s\S]*?(?=^trust:)/m, "")
      .replace("{protocol: tcp, cidr: 0.0.0.0/0}", "{protocol: tcp, cidr: 192.0.2.0/24}")
      .replace("imageProperties: {", "imageProperties: {img_signature: c2ln, img_signature_hash_method: SHA-256, img_signature_key_type: RSA-PSS, img_signature_certificate_uuid: 5f2c7f0e-6b7d-4f6e-9a55-0f5b6a3c9d11, "),
});
const libvirt = bundleOf("libvirt");
const pool = bundleOf("pool");
const vsphere = bundleOf("vsphere");

/** The same with another file, or with this in the place of one. */
function added({ files, documents }: Bundle, path: string, text: string): Bundle {
  const others = files.filter((file) => file.path !== path);
  return { documents, files: [...others, { path, mode: 0o644, role: "site", source: "test", spans: [], body: { kind: "bytes", bytes: new TextEncoder().encode(text) } }] };
}

const inUserData = (find: string | RegExp, replace: string): Bundle => edited(openstack, "site/user-data", find, replace);
const inHeat = (find: string | RegExp, replace: string): Bundle => edited(openstack, heat, find, replace);
const inSbom = (find: string | RegExp, replace: string): Bundle => edited(openstack, sbom, find, replace);
const withPackages = (purl: string, how: { readonly from?: "image" } = {}): Bundle => ({
  ...openstack,
  documents: { ...openstack.documents, lock: { ...openstack.documents.lock, vmImage: { ...openstack.documents.lock.vmImage, software: { ...how, packages: [{ purl }] } } } },
});

/** RFC 4253 section 6.6: a modulus of 2048 bits. */
function rsaKey(): string {
  const lengthed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
  return `ssh-rsa ${Buffer.concat([Buffer.from("ssh-rsa"), Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), Buffer.alloc(256, 0xc3)])].map(lengthed)).toString("base64")} ops`;
}

interface Case {
  readonly good: Bundle;
  readonly bad: readonly Bundle[];
  /** File and beginning of the line where the first bad one is found; or the file alone; nothing where it is nowhere. */
  readonly at?: readonly [string, string] | string;
}

const cases: Readonly<Record<string, Case>> = {
  "GUEST-01": { good: openstack, bad: [inUserData("disable_root: true", "disable_root: false"), inUserData("disable_root: true\n", ""), inUserData("  - name: ops", "  - name: root")], at: ["site/user-data", "disable_root: false"] },
  "GUEST-02": { good: openstack, bad: [inUserData("ssh_pwauth: false", "ssh_pwauth: true"), inUserData("    lock_passwd: true", "    lock_passwd: false"), inUserData("disable_root: true", "disable_root: true\npassword: $6$x")], at: ["site/user-data", "ssh_pwauth: true"] },
  "GUEST-03": { good: openstack, bad: [inUserData("    lock_passwd: true", "    lock_passwd: true\n    plain_text_passwd: changeme"), inUserData("    lock_passwd: true", "    lock_passwd: true\n    passwd: $1$abc$def")], at: ["site/user-data", "    plain_text_passwd"] },
  "GUEST-05": { good: openstack, bad: [edited(bundleOf("everything"), "site/user-data", "Defaults use_pty", "Defaults !use_pty")], at: ["site/user-data", "    sudo: ALL"] },
  "GUEST-06": { good: openstack, bad: [inUserData("    lock_passwd: true", "    lock_passwd: true\n    sudo: ALL=(ALL) NOPASSWD:ALL")], at: ["site/user-data", "    sudo: ALL"] },
  "GUEST-07": {
    good: libvirt,
    bad: [
      edited(libvirt, "site/user-data", "-A CLOUDLET-IN -j DROP", "-A CLOUDLET-IN -j ACCEPT"),
      edited(libvirt, "site/user-data", /-A CLOUDLET-IN -i lo -j ACCEPT\n {6}/, ""),
      edited(libvirt, "site/user-data", "/etc/cloudlet/firewall.v6", "/etc/cloudlet/firewall.v7"),
      edited(libvirt, "site/user-data", "-A CLOUDLET-OUT -j REJECT", "-A CLOUDLET-OUT -j ACCEPT"),
    ],
    at: ["site/user-data", "      *filter"],
  },
  "GUEST-08": { good: openstack, bad: [inUserData(/^ntp:\n( .*\n)+/m, ""), inUserData("  enabled: true", "  enabled: false"), inUserData("  ntp_client: systemd-timesyncd\n", "")], at: ["site/user-data", "timezone: UTC"] },
  "GUEST-09": { good: openstack, bad: [inUserData("      Storage=persistent\n", ""), inUserData("SystemMaxUse", "#")], at: ["site/user-data", "  - path: /etc/systemd/journald"] },
  "GUEST-10": { good: withPackages("pkg:deb/ubuntu/auditd@3.1"), bad: [withPackages("pkg:deb/ubuntu/dash@0.5"), withPackages("pkg:deb/ubuntu/dash@0.5", { from: "image" })] },
  "GUEST-11": { good: withPackages("pkg:deb/ubuntu/aide@0.18"), bad: [withPackages("pkg:deb/ubuntu/dash@0.5")] },
  "GUEST-12": { good: openstack, bad: [inUserData("package_update: false", "package_update: true"), inUserData("package_update: false", "package_update: false\npackages: [curl]"), inUserData("/etc/systemd/journald.conf.d/50-cloudlet.conf", "/etc/apt/sources.list")], at: ["site/user-data", "package_update: true"] },
  "GUEST-13": {
    good: openstack,
    bad: [inUserData("    permissions: '0440'\n", ""), inUserData("'0440'", "'0666'"), inUserData("'0440'", "440"), inUserData("    owner: root:root\n", ""), edited(pool, "site.env", "CB_GUEST_FILE_1_MODE='0600'", "CB_GUEST_FILE_1_MODE='0622'")],
    at: ["site/user-data", "  - path: /etc/sudoers.d"],
  },
  "GUEST-14": { good: openstack, bad: [inUserData(/(accesskey\.pem\n.*\n.*)'0600'/, "$1'0644'"), inUserData(/(accesskey\.pem\n.*)root:root/, "$1ops:ops")], at: ["site/user-data", "  - path: /root/accesskey"] },
  "GUEST-15": {
    good: openstack,
    bad: [inUserData("timezone: UTC", "timezone: UTC\nphone_home: {url: x}"), inUserData("#cloud-config", "## template: jinja"), inUserData("timezone: UTC", "timezone: 1"), inUserData("timezone: UTC", "timezone: UTC\nconstructor: {}")],
    at: ["site/user-data", "phone_home"],
  },
  "GUEST-16": { good: openstack, bad: [inUserData(/ssh-ed25519 \S+ ops$/m, rsaKey())], at: ["site/user-data", "      - ssh-rsa"] },
  "GUEST-17": { good: openstack, bad: [bundleOf("everything")], at: ["site/user-data", "      - ssh-ed25519"] },
  "NET-01": { good: openstack, bad: [inHeat("      rules:\n", "      rules:\n        - direction: ingress\n          remote_ip_prefix: 0.0.0.0/0\n"), edited(libvirt, "site/user-data", "      -A CLOUDLET-IN -j DROP", "      -A CLOUDLET-IN -p tcp --dport 80:80 -j ACCEPT\n      -A CLOUDLET-IN -j DROP")], at: [heat, "          remote_ip_prefix: 0.0.0.0/0"] },
  "NET-02": { good: openstack, bad: [inHeat('remote_ip_prefix: "198.51.100.0/24"', 'remote_ip_prefix: "0.0.0.0/0"'), inHeat('remote_ip_prefix: "198.51.100.128/25"', 'remote_ip_prefix: "::/0"')], at: [heat, '          remote_ip_prefix: "0.0.0.0/0"'] },
  "NET-03": {
    good: openstack,
    bad: [inHeat(/ {6}security_groups:\n.*\n/, ""), inHeat(/ {6}network: \{ get_param: "external_network_1" \}\n/, ""), inHeat('- port: { get_resource: "port_1" }', "- network: public"), edited(libvirt, "site/domain.xml", / *<source bridge="[^"]+"\/>\n/, "")],
    at: [heat, "    properties:"],
  },
  "NET-04": { good: openstack, bad: [bundleOf("vsphere-everything")], at: ["site/user-data", "      -A CLOUDLET-IN -s 0.0.0.0/0"] },
  "NET-05": { good: openstack, bad: [bundleOf("everything"), libvirt], at: [heat, '          remote_ip_prefix: "0.0.0.0/0"'] },
  "NET-06": { good: openstack, bad: [inHeat("config_drive: true", "config_drive: false")], at: [heat, "    properties:"] },
  "NET-07": { good: libvirt, bad: [edited(libvirt, "site/domain.xml", "    <memballoon", '    <graphics type="vnc" listen="0.0.0.0"/>\n    <memballoon'), edited(libvirt, "site/domain.xml", '<serial type="pty">', '<serial type="tcp">')], at: ["site/domain.xml", "    <graphics"] },
  "HEAT-01": { good: openstack, bad: [inHeat(/(secret_os_password":\n(?:.*\n){3}) {4}hidden: true\n/, "$1"), inHeat('    hidden: true\n    default: ""', '    hidden: true\n    default: "x"')], at: [heat, '  "secret_os_password"'] },
  "POOL-01": { good: pool, bad: [edited(pool, "site.env", "CB_VP_USER='ubuntu'", "CB_VP_USER='root'")], at: ["site.env", "CB_VP_USER"] },
  "POOL-02": { good: pool, bad: [edited(pool, "site.env", /CB_VP_KNOWN_HOSTS='.*'/, "CB_VP_KNOWN_HOSTS=''")], at: ["site.env", "CB_VP_KNOWN_HOSTS"] },
  "IMG-01": { good: openstack, bad: [edited(openstack, "site.env", /CB_PAYLOAD_SHA256='be/, "CB_PAYLOAD_SHA256='00"), edited(openstack, "site.env", /CB_VM_IMAGE_SHA512=.*\n/, "")], at: ["site.env", "CB_PAYLOAD_SHA256"] },
  "IMG-02": { good: openstack, bad: [bundleOf("everything")] },
  "OVF-01": { good: vsphere, bad: [edited(vsphere, "ovf/platformvm.mf", "SHA256(platformvm", "SHA256 (platformvm"), edited(vsphere, "ovf/platformvm.mf", "SHA256(payload", "SHA2-256(payload")], at: ["ovf/platformvm.mf", "SHA256 (platformvm"] },
  "OVF-02": {
    good: vsphere,
    bad: [
      edited(vsphere, "ovf/platformvm.ovf", "<Envelope", "<envelope"),
      edited(bundleOf("vsphere-everything"), "ovf/platformvm.ovf", "<Envelope", "<envelope"),
      edited(vsphere, "ovf/platformvm.mf", /SHA256\(payload.*\n/, ""),
      edited(vsphere, "ovf/platformvm.mf", /(.*ovf.*\n)(.*\n)/, "$2$1"),
      edited(vsphere, "ovf/platformvm.mf", /payload\.vmdk\)= ../, "payload.vmdk)= 00"),
      { ...vsphere, files: vsphere.files.filter(({ path }) => path !== "ovf/platformvm.mf") },
    ],
    at: ["ovf/platformvm.mf", "SHA256(platformvm.ovf)"],
  },
  "OVF-03": { good: vsphere, bad: [bundleOf("vsphere-everything")], at: ["ovf/platformvm.mf", "SHA1("] },
  "SECRET-01": { good: openstack, bad: [inUserData("Defaults use_pty", "password=hunter2!")], at: ["site/user-data", "      password="] },
  "SECRET-02": { good: openstack, bad: [inUserData("Defaults use_pty", "k3Jx9Qw7Zt2Lm5Vb8Nc4Rf6Hd1")], at: ["site/user-data", "      k3Jx"] },
  "AIRGAP-01": { good: openstack, bad: [inUserData("Defaults use_pty", "# http://evil.example/")], at: ["site/user-data", "      # http://evil.example/"] },
  "AIRGAP-02": { good: openstack, bad: [inUserData("Defaults use_pty", "apt-get install -y nmap"), edited(openstack, "install.sh", "set -eu", "set -eu\ndocker pull alpine"), edited(openstack, "install.sh", "set -eu", "set -eu\npip3 install requests")], at: ["site/user-data", "      apt-get install"] },
  "SC-2": { good: openstack, bad: [{ ...openstack, files: openstack.files.filter(({ path }) => path !== "evidence/sbom.spdx.json") }] },
  "SC-4": { good: openstack, bad: [{ ...openstack, documents: { ...openstack.documents, lock: { ...openstack.documents.lock, payload: { ...openstack.documents.lock.payload, digest: "sha256:" } } } }], at: "evidence/lock.json" },
  "SC-5": { good: openstack, bad: [libvirt], at: "evidence/release.json" },
  "SB-1": { good: openstack, bad: [bundleOf("everything"), inSbom(/ {6}"name": "install.sh",\n/, ""), inSbom(/"timestamp": ".*"/, '"timestamp": ""')], at: sbom },
  "SB-2": { good: openstack, bad: [edited(openstack, "evidence/sbom.spdx.json", '"copyrightText": "NOASSERTION"', '"copyrightText": ""'), inSbom('"name": "cloudlet-bundle:licence"', '"name": "x"')], at: sbom },
  "SB-3": { good: openstack, bad: [inSbom(/"lifecycles": \[[^\]]*\]/, '"lifecycles": []'), inSbom('"compositions": [', '"other": ['), inSbom('"value": "unknown"', '"value": "redacted"')], at: sbom },
  "SB-4": { good: openstack, bad: [inSbom('"specVersion": "1.6"', '"specVersion": "1.5"'), inSbom('"bsi:component:archive"', '"bsi:component:other"'), inSbom('"bomFormat": "CycloneDX"', '"bomFormat": "CycloneDX", "vulnerabilities": []')], at: sbom },
  "SB-5": { good: openstack, bad: [inSbom(/"serialNumber": ".*"/, '"serialNumber": "1"')], at: sbom },
  "SB-6": { good: openstack, bad: [inSbom('"value": "install.sh"', '"value": "other.sh"'), added(openstack, "lib/more.sh", "#!/bin/sh\n"), edited(vsphere, sbom, '"value": "ovf/platformvm.cert"', '"value": "ovf/other.cert"')], at: sbom },
  "SB-7": { good: openstack, bad: [inSbom(/"serialNumber": "(urn:uuid:.{14})5/, '"serialNumber": "$14'), inSbom('"timestamp": "2026', '"timestamp": "2027')], at: sbom },
  "SB-8": { good: openstack, bad: [inSbom(/"dependencies": \[\n {4}\{\n {6}"dependsOn": \[/, '"dependencies": [\n    {\n      "other": [')], at: sbom },
};

/** Nothing in a bundle decides these: they say what must be true elsewhere. GUEST-04 and SC-1 are below. */
const elsewhere: ReadonlySet<string> = new Set(["SC-3", "SC-6", ...auditRules.map(({ id }) => id).filter((id) => id.startsWith("OS-"))]);

for (const [rule, { good, bad, at }] of Object.entries(cases)) {
  t.test(rule, (t) => {
    t.strictSame(resultsFor(rule, good).map(({ state }) => state), ["met"], "met");
    for (const [index, bundle] of bad.entries()) {
      const [result, ...more] = resultsFor(rule, bundle);
      t.strictSame([result?.state, more], ["unmet", []], `not met, ${index}: ${result?.message}`);
      if (index > 0 || at === undefined) continue;
      const [file, beginning] = typeof at === "string" ? [at, undefined] : at;
      const places = (result?.places ?? []).map((place) => `${place.file} ${place.line === undefined ? "" : lineOf(bundle, place.file, place.line)}`);
      t.ok(places.length > 0 && places.every((place) => place.startsWith(`${file} ${beginning ?? ""}`)), `at ${file} ${beginning ?? ""}: ${places.join(" | ")}`);
    }
    t.end();
  });
}

function lineOf({ files }: Bundle, path: string, line: number): string {
  const body = files.find((file) => file.path === path)?.body;
  return body?.kind === "bytes" ? (new TextDecoder().decode(body.bytes).split("\n")[line - 1] ?? "") : "";
}

t.test("GUEST-04: sshd's ciphers are the image's, but where a file of the bundle says them", (t) => {
  t.equal(resultsFor("GUEST-04", openstack)[0]?.state, "not-applicable");
  const weak = edited(inUserData("Defaults use_pty", "Ciphers aes128-ctr,3des-cbc"), "site/user-data", "/etc/sudoers.d/50-cloudlet", "/etc/ssh/sshd_config.d/1.conf");
  t.match(resultsFor("GUEST-04", weak), [{ state: "unmet", places: [{ file: "site/user-data" }] }]);
  t.end();
});

t.test("what a place says it comes from", (t) => {
  t.match(resultsFor("NET-05", bundleOf("everything")), [{ places: [{ file: heat, origins: ["spec:/firewall/egress/0/cidr", "spec:/firewall/egress/0/protocol"] }] }]);
  t.match(resultsFor("NET-05", libvirt), [{ places: [{ file: "site/user-data", origins: ["default:egress"] }] }]);
  t.end();
});

t.test("every rule has a case, or can't be decided by the files", (t) => {
  const ids = auditRules.map(({ id }) => id);
  t.strictSame([...Object.keys(cases), ...elsewhere, "GUEST-04", "SC-1"].sort(), [...ids].sort());
  for (const name of caseNames) {
    const results = resultsOf(bundleOf(name));
    t.strictSame([...new Set(results.map(({ rule }) => rule))], ids, `${name}: each is answered, in order`);
    for (const result of results.filter(({ rule }) => elsewhere.has(rule))) t.match(result, { state: "not-applicable", message: /must be true|There is no OpenStack/ }, `${name} ${result.rule}`);
    t.ok(results.every(({ message }) => message !== "" && !/undefined|NaN|\[object/.test(message)), `${name}: messages`);
    t.strictSame(results.filter(({ rule, state }) => state === "unmet" && auditRules.find(({ id }) => id === rule)?.severity === "high").map(({ rule }) => rule), [], `${name}: nothing grave`);
  }
  t.end();
});

t.test("the schema and the reference have the same rules (node scripts/generate-audit-reference.ts)", (t) => {
  const schema = JSON.parse(readFileSync(join(root, "schemas/cloudlet.schema.json"), "utf8")) as { properties: { audit: { properties: { waivers: { items: { properties: { rule: { enum: string[] } } } } } } } };
  t.strictSame(schema.properties.audit.properties.waivers.items.properties.rule.enum, auditRules.map(({ id }) => id));
  t.equal(readFileSync(join(root, "docs/reference/audit-rules.md"), "utf8"), auditReference());
  t.ok(auditRules.every(({ sources }) => sources.length > 0));
  t.end();
});
