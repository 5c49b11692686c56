/** The groups of diff: what no field explains, what is form alone, and that each field has its rule. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import t from "tap";

import { hexOf, sha256 } from "../../../src/core/digest.ts";
import type { Role } from "../../../src/core/file.ts";
import type { Json } from "../../../src/core/json.ts";
import { below } from "../../../src/core/pointer.ts";
import { differences, differencesAsJson, inDoubt, type DiffFile, type DiffSide, type Difference } from "../../../src/evidence/diff.ts";
import { diffRules, fileGroup, ruleFor } from "../../../src/evidence/diff-rules.ts";
import { differentLines } from "../../../src/evidence/line-diff.ts";
import { readRecord } from "../../../src/evidence/record.ts";
import { isOnlyForm } from "../../../src/evidence/same-meaning.ts";
import { differentValues } from "../../../src/evidence/value-diff.ts";
import { sourced } from "../../../src/core/origin.ts";
import { platforms } from "../../../src/platforms/registry.ts";
import { variablesOf } from "../../../src/spec/property-schema.ts";
import { caseNames, compose, specText, textOf, wellRead } from "../../golden/cases.ts";

const { files } = compose("minimal");

/** A bundle of the minimal spec, with texts replaced. */
function side(edits: Readonly<Record<string, string>> = {}, more: Partial<DiffSide> = {}): DiffSide {
  const text = (path: string): string => edits[path] ?? textOf(files.find((file) => file.path === path));
  const record = wellRead(readRecord({ spec: text("evidence/spec.json"), release: text("evidence/release.json"), lock: text("evidence/lock.json"), origins: text("evidence/origins.json") }));
  const own = files.map(({ path, role }): [string, DiffFile] => [path, file(role, text(path))]);
  return { record, files: new Map([...own, ["blobs/payload.tar", file("payload", undefined)]]), fingerprint: "SHA256:1", generator: "g 1", isMade: (path) => edits[path] === undefined, ...more };
}

function file(role: Role, text: string | undefined): DiffFile {
  return { mode: "0644", role, sha256: hexOf(sha256(text ?? "blob")), text };
}

function told(found: readonly Difference[]): readonly string[] {
  return found.map(({ group, kind, subject, name }) => `${group}: ${kind} ${subject} ${name}`.trim());
}

const original = (path: string): string => textOf(files.find((file) => file.path === path));

t.test("nothing, form alone, and what no field explains", (t) => {
  t.strictSame(differences(side(), side()), []);
  const userData = original("site/user-data");
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["site/user-data", `${userData}# by hand\n`, ["cosmetic: changed file site/user-data"]],
    ["site/user-data", `${userData}packages: [nmap]\n`, ["software: changed file site/user-data"]],
    // Given twice: who may log in can't be read any more.
    ["site/user-data", `${userData}users: [root]\n`, ["privilege: changed file site/user-data"]],
    ["site/user-data", userData.replace("#cloud-config", "#!/bin/sh"), ["software: changed file site/user-data"]],
    ["lib/say.sh", `${original("lib/say.sh")}\n`, ["software: changed file lib/say.sh"]],
    ["START-HERE.md", `${original("START-HERE.md")}More.\n`, ["software: changed file START-HERE.md"]],
    ["evidence/release.json", `${JSON.stringify(JSON.parse(original("evidence/release.json")))}\n`, ["cosmetic: changed file evidence/release.json"]],
    ["evidence/origins.json", original("evidence/origins.json").replace("spec:/name", "spec:/region"), ["data: changed file evidence/origins.json"]],
  ];
  for (const [path, text, wanted] of cases) t.strictSame(told(differences(side(), side({ [path]: text }))), wanted, `${path} ${wanted[0]}`);
  const [last] = differences(side(), side({ "site/user-data": `${userData}packages: [nmap]\n` }));
  t.strictSame(last?.lines, { before: [], after: [{ file: "site/user-data", lines: [userData.split("\n").length] }] });
  t.end();
});

t.test("what files do, though no field says so", (t) => {
  const opened = original("site/heat-template.yaml").replace(/^( +)rules:\n/m, "$&$1  - {direction: ingress, protocol: tcp, port_range_min: 22, port_range_max: 22, remote_ip_prefix: 0.0.0.0/0}\n");
  const [port, ...others] = differences(side(), side({ "site/heat-template.yaml": opened }));
  t.match(port, { group: "exposure", severity: "high", subject: "file", name: "site/heat-template.yaml", after: "ingress tcp 22-22 from 0.0.0.0/0", lines: { before: [], after: [{ lines: { length: 1 } }] } });
  t.strictSame(others, []);
  t.match(differences(side({ "site/heat-template.yaml": opened }), side()), [{ group: "exposure", before: "ingress tcp 22-22 from 0.0.0.0/0" }]);
  const withUser = original("site/user-data").replace(/^users:\n/m, "$&  - {name: intruder, sudo: ALL}\n");
  t.match(differences(side(), side({ "site/user-data": withUser })), [{ group: "privilege", severity: "high", name: "site/user-data", after: "user intruder" }]);
  const settings: readonly (readonly [path: string, find: string | RegExp, replace: string, group: string, after: string])[] = [
    ["site/user-data", "ssh_pwauth: false", "ssh_pwauth: true", "privilege", "ssh_pwauth true"],
    ["site/user-data", "disable_root: true", "disable_root: false", "privilege", "disable_root false"],
    ["site/user-data", "ssh_pwauth: false", "ssh_pwauth: false\nntp: {servers: [time.evil.example]}", "exposure", "ntp.servers time.evil.example"],
    ["site/user-data", "ssh_pwauth: false", "ssh_pwauth: false\nssh_authorized_keys: [x]", "privilege", "ssh_authorized_keys x"],
    ["site/heat-template.yaml", /^( +)security_groups:/m, "$1port_security_enabled: false\n$&", "exposure", "port_security_enabled false"],
    ["site/heat-template.yaml", /key_name: .*/, "key_name: evil", "privilege", "key_name evil"],
  ];
  for (const [path, find, replace, group, after] of settings) {
    const edited = original(path).replace(find, replace);
    t.not(edited, original(path), `${String(find)} stands in ${path}`);
    t.match(differences(side(), side({ [path]: edited })), [{ group, after: new RegExp(`${after}$`) }], replace);
  }
  t.match(differences(side(), side({ "site/heat-template.yaml": original("site/heat-template.yaml").replace("config_drive: true", "config_drive: false") })), [{ group: "software" }]);
  t.end();
});

t.test("evidence that is made of the rest is told where nothing else is", (t) => {
  const audit: DiffFile = { mode: "0644", role: "evidence", sha256: "1".repeat(64), text: "{}" };
  const withAudit = (sha256: string, edits: Readonly<Record<string, string>> = {}): DiffSide => {
    const plain = side(edits);
    return { ...plain, files: new Map([...plain.files, ["evidence/audit.json", { ...audit, sha256, text: `["${sha256}"]` }]]) };
  };
  const [one, two] = ["1".repeat(64), "2".repeat(64)];
  t.strictSame(told(differences(withAudit(one), withAudit(two))), ["data: changed file evidence/audit.json"]);
  t.strictSame(told(differences(withAudit(one), withAudit(two, { "lib/say.sh": ":\n" }))), ["software: changed file lib/say.sh"]);
  t.strictSame(told(differences(withAudit(one), side())), ["data: removed file evidence/audit.json"], "one that is gone is told");
  const untold = (of: DiffSide, text?: string): DiffSide => ({ ...of, files: new Map([...of.files, ["evidence/audit.json", { ...audit, sha256: of.files.get("evidence/audit.json")?.sha256 ?? "", text }]]) });
  const [a, b] = [untold(withAudit(one)), untold(withAudit(two))];
  t.strictSame(told(differences(a, b)), ["data: changed file evidence/audit.json"], "its digest alone is enough");
  t.strictSame(inDoubt(a, b, differences(a, b)), ["evidence/audit.json"], "but for whether it only looks different");
  t.strictSame(told(differences(untold(a, "{}"), untold(b, "{ }"))), ["cosmetic: changed file evidence/audit.json"]);
  t.strictSame(inDoubt(untold(a, "{}"), untold(b, "{ }"), differences(untold(a, "{}"), untold(b, "{ }"))), []);
  t.end();
});

t.test("where a value comes from: a place, a default with its reason, a template", (t) => {
  const spec = JSON.parse(original("evidence/spec.json")) as Record<string, Json>;
  const [port] = differences(side(), side({ "evidence/spec.json": JSON.stringify({ ...spec, compute: { ...(spec["compute"] as object), platformVm: { vcpus: 6 } } }, null, 2) }));
  t.match(port, { name: "/compute/platformVm/vcpus", origins: { before: [{ origin: "default:platform-vm-vcpus", reason: String }], after: [{ origin: "spec:/compute/platformVm/vcpus", place: { file: "evidence/spec.json" } }] } });
  const plain = side();
  const script = { ...(plain.files.get("lib/say.sh") as DiffFile), source: "templates/common/lib/say.sh" };
  const withSource = (text: string): DiffSide => ({ ...plain, files: new Map([...plain.files, ["lib/say.sh", { ...script, text, sha256: hexOf(sha256(text)) }]]), isMade: () => false });
  t.match(differences(withSource(":\n"), withSource("id\n")), [{ origins: { after: [{ origin: "constant:templates/common/lib/say.sh", reason: "the template's own text" }] } }]);
  t.end();
});

t.test("fields: a port opened, a container, a size; with their lines in both", (t) => {
  const spec = JSON.parse(original("evidence/spec.json")) as Record<string, Json>;
  const opened = { ...spec, firewall: { ingress: [{ protocol: "tcp", ports: { from: 443, to: 443 }, cidr: "0.0.0.0/0" }] } };
  const withPort = side({ "evidence/spec.json": JSON.stringify(opened, null, 2) });
  const [port] = differences(side(), withPort);
  t.match(port, { group: "exposure", severity: "high", subject: "spec", kind: "added", name: "/firewall/ingress/0", after: { cidr: "0.0.0.0/0" } });
  t.equal(port?.origins.after[0]?.place?.file, "evidence/spec.json");
  t.strictSame(told(differences(withPort, side())), ["exposure: removed spec /firewall/ingress/0"]);
  const explicit = side({ "evidence/spec.json": JSON.stringify({ ...spec, dynamicIps: spec["dynamicIps"], policies: { maintenance: "normal" } }) });
  t.strictSame(told(differences(side(), explicit)), ["cosmetic: changed file evidence/spec.json"], "a default that is written out changes nothing");
  const release = JSON.parse(original("evidence/release.json")) as { containers: readonly { image: string }[] };
  const other = { ...release, containers: release.containers.map((each, index) => (index === 0 ? { ...each, image: "other/crm:2" } : each)) };
  t.strictSame(told(differences(side(), side({ "evidence/release.json": JSON.stringify(other) }))), ["software: changed release /containers/0/image"]);
  // What the rules refuse may stand in a bundle of another version.
  const toTheWorld = { ...spec, firewall: { ssh: { from: ["0.0.0.0/0"] } } };
  t.strictSame(told(differences(side(), side({ "evidence/spec.json": JSON.stringify(toTheWorld) }))), ["exposure: added spec /firewall/ssh/from"]);
  const unread = side({ "evidence/spec.json": JSON.stringify({ ...spec, apiVersion: "cloudlet-bundle/v9" }) });
  t.ok(told(differences(side(), unread)).includes("software: changed spec /apiVersion"), "a spec of another version is compared as it is written");
  t.end();
});

t.test("files, modes, blobs, signer, generator", (t) => {
  const more = side();
  const script = more.files.get("install.sh") as DiffFile;
  const changed = new Map(more.files);
  changed.delete("verify.sh");
  changed.set("lib/new.sh", script);
  changed.set("install.sh", { ...script, mode: "0755" });
  changed.set("blobs/payload.tar", { ...(more.files.get("blobs/payload.tar") as DiffFile), sha256: "0".repeat(64) });
  t.strictSame(told(differences(side(), side({}, { files: changed, fingerprint: "SHA256:2", generator: undefined }))), [
    "privilege: changed mode install.sh",
    "privilege: changed signer",
    "software: changed file blobs/payload.tar",
    "software: added file lib/new.sh",
    "software: removed file verify.sh",
    "software: removed generator",
  ]);
  t.strictSame(told(differences(side({}, { fingerprint: undefined }), side())), ["privilege: added signer"]);
  const json = differencesAsJson({ before: "a", after: "b" }, differences(side({}, { fingerprint: undefined }), side()));
  t.match(JSON.parse(json), { before: "a", after: "b", differences: [{ group: "privilege", severity: "high", after: "SHA256:1" }] });
  t.end();
});

t.test("values: entries are matched by what they are", (t) => {
  const compare = (a: Json, b: Json): readonly string[] =>
    differentValues(sourced(a, "spec") as never, sourced(b, "spec") as never).map(({ kind, before, after }) => `${kind} ${before?.pointer ?? "-"} ${after?.pointer ?? "-"}`);
  t.strictSame(compare({ l: [{ name: "a", x: 1 }, { name: "b" }] }, { l: [{ name: "b" }, { name: "a", x: 2 }] }), ["moved /l /l", "changed /l/0/x /l/1/x"]);
  t.strictSame(compare({ l: ["a", "a", "b"] }, { l: ["a", "b", "c"] }), ["removed /l/1 -", "added - /l/2"]);
  t.strictSame(compare({ l: [{ cidr: "a", to: 1 }, "x", { name: "n" }] }, { l: [{ cidr: "b", to: 1 }, "y", { name: "m" }] }), ["changed /l/0/cidr /l/0/cidr", "changed /l/1 /l/1", "removed /l/2 -", "added - /l/2"], "in its place, but for what has a name");
  t.strictSame(compare({ g: { x: 1, y: 2 } }, {}), ["removed /g/x -", "removed /g/y -"]);
  t.strictSame(compare({ l: [[1]] }, { l: [{ x: 1 }] }), ["removed /l/0 -", "added - /l/0"]);
  t.strictSame(compare({ x: "1", y: [1] }, { x: 1, y: 1 }), ["changed /x /x", "changed /y /y"]);
  t.end();
});

t.test("lines: the fewest, hunk by hunk", (t) => {
  t.strictSame(differentLines(["a", "b", "c", "d"], ["a", "x", "c", "y", "d"]), [{ before: [2], after: [2] }, { before: [], after: [4] }]);
  t.strictSame(differentLines(["a"], ["a"]), []);
  t.strictSame(differentLines([], ["a", "b"]), [{ before: [], after: [1, 2] }]);
  const long = Array.from({ length: 5_000 }, (_, index) => `line ${index}`);
  const [one] = differentLines(["x", ...long, "y"], ["z", ...long, "w"]);
  t.equal(one?.before.length, 5_002, "beyond the table's size, all between counts");
  t.end();
});

t.test("form alone", (t) => {
  t.ok(isOnlyForm("a.json", '{"a":1,"b":[1]}', '{ "b": [1],\n "a": 1 }'));
  t.notOk(isOnlyForm("a.json", '{"a":[1,2]}', '{"a":[2,1]}'), "the order of a list is meant");
  t.notOk(isOnlyForm("a.json", '{"a":1}', '{"a":1,"a":1}'), "what we would refuse to read");
  t.ok(isOnlyForm("a.yaml", "a: 1\nb: x\n", "# c\nb: x\na: 1\n"));
  t.ok(isOnlyForm("a.md", "a  b\n", "a\nb\n"));
  t.notOk(isOnlyForm("a.sh", "a\n", "a \n"), "of a script every byte counts");
  t.end();
});

t.test("whose signatures count is a matter of privilege, whatever the file's role", (t) => {
  t.equal(fileGroup("trust/0001.policy", "data"), "privilege");
  t.equal(fileGroup("site.env", "data"), "software");
  t.end();
});

/** Names, zones and ways of doing it: a variable that is new has to be thought about here. */
const harmless: readonly string[] = [
  "MEX_CATALOG", "MEX_COMPUTE_AVAILABILITY_ZONE", "MEX_COMPUTE_CLUSTER", "MEX_DATASTORE", "MEX_ENABLE_ANTI_AFFINITY", "MEX_IMAGE_DISK_FORMAT", "MEX_MANAGEMENT_CLUSTER",
  "MEX_MANAGEMENT_DATASTORE", "MEX_NETWORK_AVAILABILITY_ZONE", "MEX_TEMPLATE_FOLDER", "MEX_VM_APP_IMAGE_CLEANUP_ON_DELETE", "MEX_VM_APP_METRICS_COLLECT_INTERVAL",
  "MEX_VM_APP_SUBNET_DHCP_ENABLED", "MEX_VM_VERSION", "MEX_VOLUME_AVAILABILITY_ZONE", "OS_IDENTITY_API_VERSION", "OS_REGION_NAME", "VCD_CLIENT_REFRESH_INTERVAL", "VCD_NSX_TYPE", "VDC_NAME",
];

t.test("every field of the golden specs has a rule of its own", (t) => {
  for (const name of caseNames) {
    const leaves = (value: Json, pointer: string): readonly string[] =>
      typeof value !== "object" || value === null ? [pointer] : Object.entries(value).flatMap(([key, each]) => leaves(each as Json, below(pointer, key)));
    t.strictSame(leaves(load(specText(name)) as Json, "").filter((pointer) => ruleFor("spec", pointer).pointer === ""), [], name);
  }
  const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/reading.md"), "utf8").split("\n");
  const row = (group: string, pointer: string): boolean => page.some((line) => line.startsWith(`| ${group} | `) && line.includes(pointer === "" ? "*everything else*" : `\`${pointer}\``));
  t.strictSame(diffRules.filter((rule) => rule.document !== "lock" && !row(rule.group, rule.pointer.replace("/controller/environment/", "/environment/"))), [], "docs/reference/reading.md has each rule in its row");
  const variables = platforms.flatMap(({ name }) => [...variablesOf(name)].filter(([, { secret, internal }]) => !secret && !internal).map(([variable]) => variable));
  const asData = variables.filter((name) => ruleFor("spec", `/environment/${name}`).pointer === "/environment");
  t.strictSame([...new Set(asData)].sort(), harmless, "each variable has its group");
  const pointers = diffRules.map((rule) => `${rule.document}:${rule.pointer}`);
  t.equal(new Set(pointers).size, pointers.length, "no field has two rules");
  t.end();
});
