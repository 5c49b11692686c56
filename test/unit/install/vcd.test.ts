/** The parts of vCloud Director's shell that need no server, in four shells: XML in and out, curl's configuration, locators, disks. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseXml } from "@rgrove/parse-xml";
import type { XmlElement } from "@rgrove/parse-xml";
import t from "tap";

const templates = join(import.meta.dirname, "../../../templates");
const work = mkdtempSync(join(tmpdir(), "cloudlet-vcd-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"]] as const;
const parts = ["common/lib/guest.sh", ...["xml", "api", "site", "mark", "preflight", "template", "ovftool", "vapp", "vm"].map((part) => `vcd/lib/vcd-${part}.sh`), "ovf/lib/vmware-guest.sh"];

/** BusyBox's shell with its own tools; but for gzip, whose header has another byte for the level. */
const applets = join(work, "applets");
mkdirSync(applets);
for (const name of ["awk", "sed", "grep", "head", "tail", "tr", "cut", "od", "base64", "cat", "rm", "mv", "chmod", "ls"]) symlinkSync("/bin/busybox", join(applets, name));

/** Runs a script in each shell after the files were read; throws unless all say the same. */
function shell(script: string): string {
  const said = shells.map(([program, ...words]) => {
    const text = `set -eu; LC_ALL=C; export LC_ALL; work=${work}\n${parts.map((part) => `. ${join(templates, part)}`).join("\n")}\nsite_value() { eval "printf '%s' \\"\\\${$1-}\\""; }\nparameter() { printf '%s' "$2"; }\nsecrets_hide() { cat; }\n${script}`;
    const run = spawnSync(program, [...words, "-c", text], { encoding: "utf8", cwd: work, env: { PATH: `${program === "busybox" ? `${applets}:` : ""}${process.env["PATH"] ?? ""}` }, stdio: ["ignore", "pipe", "pipe"] });
    if (run.status !== 0) throw new Error(`${program}: ${run.status} ${run.stderr}${run.stdout}`);
    return run.stdout;
  });
  const [first = ""] = said;
  const other = said.findIndex((each) => each !== first);
  if (other >= 0) throw new Error(`${shells[0][0]} says ${first}, ${shells[other]?.[0] ?? ""} says ${said[other] ?? ""}`);
  return first;
}

t.test("an answer becomes rows, whatever its prefixes, quotes and entities", (t) => {
  writeFileSync(
    join(work, "answer"),
    `<?xml version="1.0"?>\n<!-- <VApp name="no"/> -->
<a:VApp xmlns:a="urn:v" name='a&amp;"b > c' href="https://h/x?a=1&#38;b=&#x3C;" status="8"><a:Description>two
lines &lt;&#xe9;&#8364;&#x1F600;&gt; &unknown; &</a:Description><a:Children><a:Vm href = "h1"/><a:Vm
 href="h2"><b:Section xmlns:b="urn:b"><![CDATA[a <b> & c]]></b:Section></a:Vm></a:Children><a:Link rel="up" type="t"/><Link rel="down" type="t" href="d"/></a:VApp>\n`,
  );
  const rows = (words: string): string => shell(`xml_rows answer >rows; ${words}`);
  t.equal(rows("rows_pick rows /VApp name"), `a&"b > c\n`);
  t.equal(rows("rows_pick rows /VApp href"), "https://h/x?a=1&b=<\n");
  t.equal(rows("rows_pick rows /VApp/Description ."), "two lines <é€😀> &unknown; &\n");
  t.equal(rows("rows_pick rows /Vm href"), "h1\nh2\n");
  t.equal(rows("rows_pick rows /Link href rel down type t"), "d\n");
  t.equal(rows("rows_pick rows /Link href rel up"), "\n", "an attribute that isn't there");
  t.equal(rows('rows_below rows "$(rows_pick rows /Vm @ href h2)" /Section .'), "a <b> & c\n");
  t.equal(rows('rows_below rows "$(rows_pick rows /Vm @ href h1)" /Section .'), "", "and not of the one before");
  t.equal(rows("rows_pick rows /Nothing ."), "");
  t.end();
});

t.test("a name with characters of its own goes in and comes out the same", (t) => {
  for (const name of ["plain", `a&b <c> "d" 'e' \\ $f %s`, "&amp;", "ü€"]) {
    writeFileSync(join(work, "name"), name);
    const xml = shell(`printf '<A b="%s">%s</A>' "$(xml_text "$(cat name)")" "$(xml_text "$(cat name)")"`);
    const root = parseXml(xml).root as XmlElement;
    t.equal(root.text, name);
    t.equal(root.attributes["b"], name);
    writeFileSync(join(work, "answer"), xml);
    t.equal(shell("xml_rows answer >rows; rows_pick rows /A b; rows_pick rows /A ."), `${name}\n${name}\n`);
  }
  t.end();
});

t.test("what curl is told on its standard input is what it takes", (t) => {
  for (const value of ["plain", `a"b\\c $d #e`, "%41&=+", "tab\tin"]) {
    writeFileSync(join(work, "value"), value);
    // A server would be needed to see a header; a file's name does as well.
    const script = `rm -f -- "got-$(cat value)"; printf x >source; { curl_line url "file://$work/source"; curl_line output "got-$(cat value)"; printf 'silent\\n'; } | curl -q -K -; cat -- "got-$(cat value)"`;
    t.equal(shell(script), "x", value);
  }
  t.end();
});

t.test("ovftool's locator is percent-encoded", (t) => {
  t.equal(shell("locator_text 'a b&c=d/é~._-%'"), "a%20b%26c%3Dd%2F%C3%A9~._-%25");
  t.end();
});

t.test("only the root disk grows, and in both its figures", (t) => {
  const item = (mib: number): string => `<Item><rasd:HostResource xmlns:n="v" n:capacity="${mib}" n:busType="6"/><rasd:VirtualQuantity>${mib * 1048576}</rasd:VirtualQuantity></Item>`;
  const list = (root: number): string => `<List xmlns:rasd="r">\n<Item><rasd:ResourceType>6</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>${item(root)}\n${item(70)}</List>`;
  writeFileSync(join(work, "disks"), `${list(1024)}\n`);
  shell("api_need() { :; }; task_need() { :; }; CB_OVF_ROOT_DISK_GIB=40 vm_link=x; vm_disk_set");
  t.equal(readFileSync(join(work, "body"), "utf8"), `${list(40 * 1024)}\n`);
  writeFileSync(join(work, "disks"), `${list(1024).replace(/<rasd:VirtualQuantity>\d{5,}<\/rasd:VirtualQuantity>/, "")}\n`);
  shell("api_need() { :; }; task_need() { :; }; CB_OVF_ROOT_DISK_GIB=40 vm_link=x; vm_disk_set");
  t.ok(readFileSync(join(work, "body"), "utf8").includes(`<rasd:VirtualQuantity>${70 * 1048576}</rasd:VirtualQuantity>`), "the second disk's stays, where the first has none");
  t.end();
});

t.test("cards: a fixed address is vCloud Director's to know, one of IPv6 it can't", (t) => {
  const site = "CB_NETWORK_COUNT=3 CB_NETWORK_1_MODE=static CB_NETWORK_1_ADDRESS=192.0.2.1 CB_NETWORK_1_OVF_NAME=ue CB_NETWORK_2_MODE=dhcp CB_NETWORK_2_OVF_NAME=management CB_NETWORK_2_DEFAULT_ROUTE=yes CB_NETWORK_3_MODE=static CB_NETWORK_3_ADDRESS=2001:db8::1 CB_NETWORK_3_OVF_NAME=internet";
  const rows = [2, 0, 1].flatMap((index, at) => [`/S/NetworkConnection\t/S.1/NetworkConnection.${10 * at}\t\tneedsCustomization=false\tnetwork=was ${index}`, ...[["NetworkConnectionIndex", index], ["MACAddress", `00:50:56:00:00:0${index}`]].map(([name, value], below) => `/S/NetworkConnection/${name}\t/S.1/NetworkConnection.${10 * at}/${name}.${10 * at + below + 1}\t${value}`)]);
  writeFileSync(join(work, "cards.rows"), `${rows.join("\n")}\n`);
  const cards = (how: string): readonly string[] => [...shell(`${site}; cards_body ${how}`).matchAll(/<NetworkConnection network="(.*?)".*?<NetworkConnectionIndex>(.*?)<.*?<\/NetworkConnection>/g)].map((match) =>
    [match[1], match[2], /<IpAddress>(.*?)</.exec(match[0])?.[1] ?? "-", /<IsConnected>(.*?)</.exec(match[0])?.[1], /<MACAddress>[^<]*(..)</.exec(match[0])?.[1], /Mode>(.*?)</.exec(match[0])?.[1]].join(" "),
  );
  t.strictSame(cards("target"), ["ue 0 192.0.2.1 true 00 MANUAL", "management 1 - true 01 DHCP", "internet 2 - true 02 NONE"]);
  t.strictSame(cards("free"), ["was 0 0 - false 00 NONE", "was 1 1 - false 01 NONE", "was 2 2 - false 02 NONE"], "the networks of then");
  t.match(shell(`${site}; cards_body target`), "<PrimaryNetworkConnectionIndex>1</PrimaryNetworkConnectionIndex>");
  t.end();
});

t.test("what the VM is told: secrets and hardware addresses filled in, packed, the same each time", (t) => {
  writeFileSync(join(work, "secrets"), "KEY=QUJD\n");
  writeFileSync(join(work, "macs"), "1 00:50:56:AA:BB:01\n2 00:50:56:AA:BB:02\n");
  writeFileSync(join(work, "in-user"), "#cloud-config\na: '@@CLOUDLET-SECRET:KEY@@'\nb: '@@CLOUDLET-PORT-MAC:2@@@@CLOUDLET-PORT-MAC:1@@'\nc: '@@CLOUDLET-PORT-MAC:12@@'\n");
  writeFileSync(join(work, "in-network"), "version: 2\nethernets:\n  nic1:\n    match: '@@CLOUDLET-PORT-MAC:1@@'\n\n");
  const values = shell("CB_USER_DATA=in-user CB_NETWORK_CONFIG=in-network; vmware_properties .; cat user-data-value; echo; cat network-config-value");
  const [user = "", network = ""] = values.split("\n");
  t.equal(gunzipSync(Buffer.from(user, "base64")).toString(), "#cloud-config\na: 'QUJD'\nb: '00:50:56:aa:bb:0200:50:56:aa:bb:01'\nc: ''\n");
  t.equal(Buffer.from(network, "base64").toString(), "network:\n  version: 2\n  ethernets:\n    nic1:\n      match: '00:50:56:aa:bb:01'\n\n");
  t.notOk(readdirSync(work).includes("user-data"), "what is filled in does not stay");
  writeFileSync(join(work, "meta"), "instance-id: 'it''s'\nlocal-hostname: a-b\n");
  t.equal(shell("vmware_member meta instance-id; vmware_member meta local-hostname"), "it's\na-b\n");
  t.end();
});

t.test("names of ours, and names that only begin like ours", (t) => {
  const script = ["cloud-pf", "cloud-pf-0123456789ab", "cloud-pf-0123456789abcdef", "cloud-pf-0123456789abcdef0", "cloud-pf-by-hand", "cloud-pf2", "cloud", "cloud-pf-"]
    .map((name) => `if named_ours ${name}; then echo yes; else echo no; fi`)
    .join("\n");
  t.equal(shell(`CB_NAME=cloud-pf\n${script}`).trim().split("\n").join(" "), "yes yes yes no no no no no");
  t.end();
});

t.test("what errors mean has a name", (t) => {
  const error = (status: number, minor: string, message: string): string => {
    writeFileSync(join(work, "it.rows"), `/Error\t/Error.1\t\tmessage=${message}\tmajorErrorCode=${status}\tminorErrorCode=${minor}\n`);
    writeFileSync(join(work, "it.error"), "");
    return shell(`api_status=${status}; trouble it; printf '%s' "$trouble_code"`);
  };
  for (const [status, minor, message, code] of [
    [401, "", "Unauthorized", "credentials/refused"],
    [403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "no", "credentials/forbidden"],
    [400, "DUPLICATE_NAME", "The name a already exists", "vcd/name-taken"],
    [400, "BAD_REQUEST", "The following IP/MAC addresses have already been used: the IP address 10.0.0.1 is in use", "address/taken"],
    [400, "STORAGE_LIMIT_EXCEEDED", "The requested operation will exceed the storage quota", "quota/exceeded"],
    [400, "BUSY_ENTITY", "The entity is busy completing an operation", "vcd/busy"],
    [500, "INTERNAL_SERVER_ERROR", "something", "cloud/refused"],
  ] as const) {
    t.equal(error(status, minor, message), code, message);
  }
  writeFileSync(join(work, "it.rows"), "");
  writeFileSync(join(work, "it.error"), "curl: (60) SSL certificate problem: self-signed certificate\nMore details here\n");
  t.equal(shell('api_status=000; trouble it; printf "%s %s" "$trouble_code" "$trouble_what"'), "endpoint/tls curl: (60) SSL certificate problem: self-signed certificate");
  t.end();
});

t.test("by hand: the same values, in files for nobody else", (t) => {
  const bundle = mkdtempSync(join(work, "bundle-"));
  const site = ["CB_FORMAT='1'", "CB_NETWORK_COUNT='1'", "CB_SECRET_COUNT='1'", "CB_SECRET_1_NAME='KEY'", "CB_SECRET_1_REQUIRED='yes'", "CB_SECRET_1_MAX_BYTES='9'", "CB_SECRET_1_DESCRIPTION='key'", "CB_USER_DATA='in-user'", "CB_NETWORK_CONFIG='in-network'"];
  const script = `cp -r ${templates}/common/lib ${bundle}/; cp ${templates}/vcd/lib/*.sh ${templates}/ovf/lib/*.sh ${bundle}/lib/; cp in-user in-network ${bundle}/`;
  t.equal(spawnSync("sh", ["-euc", script], { cwd: work }).status, 0);
  writeFileSync(join(bundle, "site.env"), `${site.join("\n")}\n`);
  writeFileSync(join(work, "own-secrets"), "KEY=ABC\n", { mode: 0o600 });
  const byHand = (...words: readonly string[]) => spawnSync("sh", [join(bundle, "lib/vcd-by-hand.sh"), ...words], { cwd: work, encoding: "utf8", env: { PATH: process.env["PATH"] } });
  const run = byHand(join(work, "own-secrets"), join(work, "made"), "00-50-56-AA-BB-01");
  t.equal(run.status, 0, run.stderr);
  t.match(gunzipSync(Buffer.from(readFileSync(join(work, "made/user-data"), "utf8"), "base64")).toString(), /^a: 'QUJD'$/m);
  t.match(Buffer.from(readFileSync(join(work, "made/network-config"), "utf8"), "base64").toString(), /match: '00:50:56:aa:bb:01'/);
  t.equal(statSync(join(work, "made/user-data")).mode & 0o777, 0o600);
  t.equal(byHand(join(work, "own-secrets"), join(work, "made"), "00:50").status, 2, "no hardware address");
  t.equal(byHand(join(work, "own-secrets"), join(work, "made"), "00:50:56:00:00:01", "00:50:56:00:00:02").status, 2, "one too many");
  writeFileSync(join(work, "own-secrets"), "OTHER=ABC\n");
  t.match(byHand(join(work, "own-secrets"), join(work, "made"), "00:50:56:00:00:01"), { status: 1, stderr: /secrets\/unknown[^]*secrets\/missing/ });
  t.end();
});
