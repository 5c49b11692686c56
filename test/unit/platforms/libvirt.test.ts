/** What libvirt refuses by name, and what it writes: the domain, site.env, the seed's files. */

import t from "tap";
import { readEnv } from "../../../src/render/encode-env.ts";
import { compose, composeText, specText, textOf } from "../../golden/cases.ts";

function issues(spec: string): readonly string[] {
  return composeText(spec).issues.map((issue) => `${issue.severity} ${issue.code} ${issue.pointer}`);
}

function file(name: string, path: string): string {
  return textOf(compose(name).files.find((each) => each.path === path));
}

const least = specText("libvirt");

/** The least spec with these parameters, as a flow mapping, and this for its network. */
function withParameters(parameters: string, network = "- name: br-ue"): string {
  return least.replace("type: libvirt", `type: libvirt\n  parameters: ${parameters}`).replace("- name: br-ue", network);
}

t.test("what it can't do is refused by name, all at once", (t) => {
  const network = "- name: br-ue\n      vnicType: smart-nic\n      address: {mode: static, ip: 198.51.100.7, prefix: 24, subnet: ue}\n    - name: other\n      address: {mode: floating, pool: public}";
  const spec = withParameters('{rootDiskGiB: 10, networks: {br-eu: {kind: bridge, source: br0}, other: {kind: macvtap, source: sixteen-letters-}}, gpus: [{address: "0000:3b:00.0"}]}', network);
  t.strictSame(issues(spec.concat("deployment: kubernetes\n")), [
    "error platform/kubernetes /deployment",
    "error platform/vnic-type /networks/external/0/vnicType",
    "error platform/subnet /networks/external/0/address/subnet",
    "error platform/floating-address /networks/external/1/address/mode",
    "error platform/network-source /platform/parameters/networks/other/source",
    "error platform/unknown-network /platform/parameters/networks/br-eu",
    "error platform/root-volume-too-small /platform/parameters/rootDiskGiB",
    "error platform/gpu-addresses /platform/parameters/gpus",
  ]);
  t.strictSame(issues(least.replace("br-ue", "the mobile network")), ["error platform/network-source /networks/external/0/name"]);
  const without = least.replace(/networks:\n  external:\n    - name: br-ue\n/, "").concat("access: direct\n");
  t.strictSame(issues(without), ["error platform/no-external-network /networks"]);
  t.strictSame(issues(least), []);
  t.end();
});

t.test("two machines, each with files, names, cards and an access key of its own", (t) => {
  const name = "libvirt-high-availability";
  const [one, two] = ["primary", "secondary"].map((role) => readEnv(file(name, `site/machine-${role}.env`)));
  t.equal(file(name, "site.env"), file(name, "site/machine-primary.env"), "the first is the one that is asked about the bundle");
  for (const [own, other, role] of [[one, two, "primary"], [two, one, "secondary"]] as const) {
    t.match(own?.get("CB_NAME"), new RegExp(`-pf-${role}$`));
    t.equal(own?.get("CB_LV_OTHER_NAME"), other?.get("CB_NAME"));
    t.equal(own?.get("CB_LV_OTHER_UUID"), other?.get("CB_LV_UUID"));
    t.not(own?.get("CB_NETWORK_1_MAC"), other?.get("CB_NETWORK_1_MAC"));
    t.match(file(name, own?.get("CB_LV_DOMAIN") ?? ""), own?.get("CB_LV_UUID") ?? "?");
    t.match(file(name, own?.get("CB_LV_NETWORK_CONFIG") ?? ""), `${own?.get("CB_NETWORK_1_ADDRESS")}/24`);
    const key = role === "primary" ? "ACCESS_KEY" : "ACCESS_KEY_SECONDARY";
    const needed = [1, 2, 3].filter((number) => own?.get(`CB_SECRET_${number}_REQUIRED`) === "yes").map((number) => own?.get(`CB_SECRET_${number}_NAME`));
    t.strictSame([...needed].sort(), [key, "DB_PASSWORD"].sort(), "the file may hold all, each host needs its own");
    t.match(file(name, own?.get("CB_LV_USER_DATA") ?? ""), `@@CLOUDLET-SECRET:${key}@@`);
  }
  t.end();
});

t.test("parameters that can't be are refused by the schema", (t) => {
  const refused = (parameters: string): void => {
    t.throws(() => composeText(withParameters(parameters)), /schema\//, parameters);
  };
  refused("{storage: relative/path}");
  refused('{storage: "/srv/a b"}');
  refused("{storage: /srv/../etc}");
  refused("{uri: qemu+ssh://host/system}");
  refused("{machine: microvm}");
  refused('{gpus: [{address: "3b:00.0"}]}');
  refused("{networks: {br-ue: {kind: bridge}}}");
  refused("{colour: blue}");
  t.end();
});

t.test("the domain: a fixed UUID and fixed cards, each kind as libvirt writes it", (t) => {
  const xml = file("libvirt-everything", "site/domain.xml");
  t.match(xml, /<uuid>[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}<\/uuid>/, "RFC 9562, version 8");
  t.strictSame([...xml.matchAll(/<interface type="(\w+)">/g)].map((match) => match[1]), ["bridge", "direct", "network", "user", "bridge"]);
  t.strictSame([...xml.matchAll(/<mtu size="(\d+)"\/>/g)].map((match) => match[1]), ["1400"], "libvirt sets none on a shared card");
  const macs = [...xml.matchAll(/<mac address="(52:54:00:[0-9a-f:]{8})"\/>/g)].map((match) => match[1]);
  t.equal(new Set(macs).size, 5);
  const config = file("libvirt-everything", "site/network-config");
  t.strictSame([...config.matchAll(/macaddress: (\S+)/g)].map((match) => match[1]), macs, "the guest knows them by these");
  t.match(xml, /<address domain="0x0001" bus="0xaf" slot="0x1f" function="0x7"\/>/);
  t.match(xml, / bundle="" inputs="" folder=""\/>/, "what install.sh fills in");
  t.notMatch(file("libvirt", "site/domain.xml"), /firmware|hostdev/);
  t.end();
});

t.test("site.env: what the scripts read", (t) => {
  const env = readEnv(file("libvirt-everything", "site.env"));
  t.equal(env.get("CB_LV_ROOT_DISK_GIB"), "80");
  t.equal(env.get("CB_LV_GPU_2"), "0001:af:1f.7");
  t.equal(env.get("CB_LV_AUTOSTART"), "no");
  t.equal(env.get("CB_NETWORK_2_KIND"), "macvtap");
  const plain = readEnv(file("libvirt", "site.env"));
  t.equal(plain.get("CB_LV_ROOT_DISK_GIB"), plain.get("CB_NEED_DISK_GIB"), "where the spec leaves it out");
  t.equal(plain.get("CB_NETWORK_1_SOURCE"), "br-ue", "a bridge of the network's name");
  t.equal(plain.get("CB_LV_GPU_COUNT"), "0");
  t.end();
});
