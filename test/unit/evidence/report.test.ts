/** The report: its data by the published schema, its page by what stands in it, both the same when made again from a bundle. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";

import { canonicalJson, type Json } from "../../../src/core/json.ts";
import { audit } from "../../../src/evidence/audit/audit.ts";
import { inputOfBundle, inputOfFiles, type AuditInput } from "../../../src/evidence/audit/input.ts";
import type { OriginsDocument } from "../../../src/evidence/origins.ts";
import { originsAt } from "../../../src/evidence/origins.ts";
import { chunksOf, joined } from "../../../src/evidence/report/known-texts.ts";
import { reportFiles } from "../../../src/evidence/report/report-files.ts";
import { reportOf, type Report } from "../../../src/evidence/report/report.ts";
import { isBlobPath } from "../../../src/pack/layout.ts";
import { caseNames, textOf } from "../../golden/cases.ts";
import { bundleOf, edited, type Bundle } from "./audit/bundle.ts";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../../schemas/report.schema.json"), "utf8")) as object;
const isReport = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

const textAt = ({ files }: Bundle, path: string): string => textOf(files.find((file) => file.path === path));
const pageOf = (bundle: Bundle): string => textAt(bundle, "evidence/report.html");
const inputOf = ({ files, documents }: Bundle): AuditInput => inputOfFiles(files, documents);
const reportIn = (bundle: Bundle): Report => reportOf(inputOf(bundle), audit(inputOf(bundle)));

/** As it is read from a bundle without its blobs. */
function asRead({ files, documents }: Bundle): AuditInput {
  const origins = JSON.parse(textOf(files.find(({ path }) => path === "evidence/origins.json"))) as OriginsDocument;
  const made = inputOfFiles(files, documents).files;
  return inputOfBundle(made.map(({ path, mode, role, source, sha256, size, text }) => ({ path, mode, role, source, sha256, size, text: isBlobPath(path) ? undefined : text })), origins, documents);
}

t.test("pieces of a report are joined as they are, however long and of whatever letters", (t) => {
  const pieces = ["a", new TextEncoder().encode("b"), "\u00fc\u{1f600}".repeat(40_000), "", "c", new Uint8Array(), "d"];
  const wanted = pieces.map((piece) => (typeof piece === "string" ? piece : new TextDecoder().decode(piece))).join("");
  t.equal(new TextDecoder().decode(joined(pieces)), wanted);
  t.ok([...chunksOf(pieces)].length < 8);
  t.strictSame([...chunksOf([])], []);
  t.end();
});

t.test("report.json is what its schema says, canonical, and like the page the same when made again from a bundle without blobs", (t) => {
  for (const name of caseNames) {
    const bundle = bundleOf(name);
    const text = textAt(bundle, "evidence/report.json");
    t.ok(isReport(JSON.parse(text)), `${name}: ${JSON.stringify(isReport.errors?.slice(0, 3))}`);
    t.equal(canonicalJson(JSON.parse(text) as Json), text, `${name}: one text`);
    const input = asRead(bundle);
    for (const file of reportFiles(input, audit(input))) t.equal(textOf(file), textAt(bundle, file.path), `${name}: ${file.path}`);
  }
  const broken = JSON.parse(textAt(bundleOf("minimal"), "evidence/report.json")) as { exposure: { passes: { ports: string }[] } };
  if (broken.exposure.passes[0] !== undefined) broken.exposure.passes[0].ports = "22 or so";
  t.notOk(isReport(broken), "the schema refuses what is none");
  t.end();
});

t.test("the manifest's other files are named as made later, and no text is told twice", (t) => {
  const report = reportIn(bundleOf("minimal"));
  t.strictSame(report.later, ["evidence/audit.json", "evidence/report.json", "evidence/report.html", "evidence/provenance.json", "manifest.json", "SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pub"]);
  t.ok(reportIn(bundleOf("vsphere")).later.includes("ovf/platformvm.cert"));
  const texts = report.files.filter(({ text }) => text !== undefined).map(({ path }) => path);
  for (const path of ["install.sh", "site.env", "site/user-data", "evidence/spec.json", "evidence/release.json", "evidence/lock.json"]) t.ok(texts.includes(path), path);
  for (const path of ["evidence/origins.json", "evidence/sbom.cdx.json", "blobs/payload.tar"]) {
    t.notOk(texts.includes(path), path);
    t.match(report.files.find((file) => file.path === path), { size: Number, sha256: /^[0-9a-f]{64}$/ });
  }
  const long = edited(bundleOf("minimal"), "site/runbook.md", /$/, "x".repeat(300_000));
  t.equal(reportIn(long).files.find(({ path }) => path === "site/runbook.md")?.text, undefined, "too long for a page");
  t.end();
});

t.test("every line's cause is what the bundle's own map of origins says", (t) => {
  const bundle = bundleOf("everything");
  const map = JSON.parse(textAt(bundle, "evidence/origins.json")) as OriginsDocument;
  const { files, origins, causes } = JSON.parse(textAt(bundle, "evidence/report.json")) as { files: readonly { path: string; causes?: readonly string[] }[]; origins: readonly { origin: string }[]; causes: readonly string[] };
  for (const file of files.filter(({ path }) => map.files[path] !== undefined)) {
    const told = new Map<number, string>();
    for (const run of file.causes ?? []) {
      const [, first, last = first, cause] = /^(\d+)(?:-(\d+))? (\d+)$/.exec(run) ?? [];
      const words = (causes[Number(cause)] ?? "").replace("if", "").split(/ +/).filter((word) => word !== "");
      for (let line = Number(first); line <= Number(last); line += 1) told.set(line, words.map((index) => origins[Number(index)]?.origin).sort().join(" "));
    }
    const wanted = Object.keys(map.files[file.path] ?? {}).map((line) => [Number(line), [...new Set(originsAt(map, file.path, Number(line)).flatMap((span): readonly string[] => span.origins))].sort().join(" ")] as const);
    t.strictSame([...told].sort(([a], [b]) => a - b), wanted.sort(([a], [b]) => a - b), file.path);
  }
  t.end();
});

t.test("an origin is told with what the document has there, or with its reason", (t) => {
  const { origins } = reportIn(bundleOf("everything"));
  const of = (origin: string): unknown => origins.find((each) => each.origin === origin);
  t.match(of("spec:/secrets/0/name"), { value: "OS_PASSWORD" }, "as it was written, without the slots that are added");
  t.match(of("release:/name"), { value: "2026.11" });
  t.match(of("default:access-key"), { reason: String });
  t.match(of("constant:not-chosen"), { reason: /leaves it out/ });
  t.strictSame(origins.filter(({ value, reason }) => value === undefined && reason === undefined), []);
  t.end();
});

t.test("exposure: each rule of the cloud and of the guest, once, with who it is", (t) => {
  const all = reportIn(bundleOf("everything")).exposure;
  t.match(all.passes.map(({ direction, cidr, who, protocol, ports, by }) => `${direction} ${cidr} ${who} ${protocol} ${ports} ${by.join()}`), [
    "in 198.51.100.0/24 operators, by SSH tcp 22 security group",
    "in 2001:db8:0:1::/64 operators, by SSH tcp 22 security group",
    "in 198.51.100.0/24 metrics tcp 9092-9093 security group",
    "in 198.51.100.128/25 named in the spec any all security group",
    "out 0.0.0.0/0 everybody tcp all security group",
    "out 192.0.2.0/24 named in the spec udp 53 security group",
    "out 0.0.0.0/0 everybody icmp all security group",
    "out ::/0 everybody icmp all security group",
  ]);
  t.match(all.networks, [
    { card: 1, name: "provider", addresses: ["198.51.100.77"], cidr: "198.51.100.0/24", gateway: "198.51.100.1", defaultRoute: false },
    { card: 2, name: "inner", mode: "floating", defaultRoute: true },
    { card: 3, name: "public", mode: "dhcp", addresses: [] },
  ]);
  t.strictSame(all.internal, { name: "mex-inner", cidr: "10.101.0.0/16" });
  t.strictSame(all.calls.map(({ what, address }) => `${what} ${address}`), [
    "controller, notify eu.ctrl.example.net:37001",
    "controller, access API eu.ctrl.example.net:41001",
    "Kafka kafka.example.net:9093",
    "DNS 192.0.2.53",
    "DNS 2001:db8::53",
    "time (NTP) ntp.example.net",
    "time (NTP) 192.0.2.123",
  ]);
  const pool = reportIn(bundleOf("pool"));
  t.match(pool.exposure.pool.filter(({ platform }) => platform), { length: 1 });
  t.match(pool.keys.hostKeys[0], { machine: pool.exposure.pool.find(({ platform }) => platform)?.name, key: { fingerprint: /^SHA256:/ } });
  const two = reportIn(bundleOf("high-availability")).exposure;
  t.match(two.machines, [{ role: "primary" }, { role: "secondary" }]);
  const guest = reportIn(bundleOf("libvirt-high-availability")).exposure;
  t.ok(guest.passes.every(({ by, places }) => by.join() === "guest firewall" && places.length === 2), "of both machines");
  t.end();
});

t.test("keys: fingerprints as ssh-keygen and openssl write them", (t) => {
  const { users, sshAuthorities, certificates, policies } = reportIn(bundleOf("everything")).keys;
  // ssh-keygen -lf of the key, openssl x509 -noout -fingerprint -sha256 -enddate of the certificate.
  const fingerprint = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
  t.match(users, [{ name: "ops", sudo: true, keys: [{ type: "ssh-ed25519", fingerprint, comment: "ops" }, { fingerprint, comment: "ops at night" }] }, { name: "reader", sudo: false, keys: [{ fingerprint }] }]);
  t.match(sshAuthorities, [{ comment: "ca", fingerprint }]);
  t.match(certificates, [{ subject: "CN=Site CA", issuer: "CN=Site CA", notBefore: "2026-11-24T09:20:40Z", notAfter: "2126-10-31T09:20:40Z", fingerprint: "SHA256:e312335531b10ab9a6b06974edff04b437fc6cd9b10b9b4203ad96c353409735" }]);
  t.strictSame(policies, []);
  t.end();
});

t.test("a Nova key pair lets somebody in, too: named by the spec, or chosen by whoever installs", (t) => {
  t.strictSame(reportIn(bundleOf("everything")).keys.siteKeyPair, { name: "ops-key" });
  t.match(pageOf(bundleOf("everything")), /gets the Nova key pair <code>ops-key<\/code>/);
  t.strictSame(reportIn(bundleOf("minimal")).keys.siteKeyPair, { name: null });
  t.match(pageOf(bundleOf("minimal")), "The spec names no Nova key pair");
  t.equal(reportIn(bundleOf("libvirt-high-availability")).keys.siteKeyPair, null);
  t.end();
});

t.test("a trust policy is told with its threshold and keys, and how it is checked then", (t) => {
  const bundle = bundleOf("minimal");
  const policy = `cloudlet-bundle trust policy v1\nversion 1\nprevious none\nthreshold 2\nuntil 2028-01-01T00:00:00Z refuse\nkey SHA256:${"5a".repeat(32)} ${"A".repeat(124)} alice\nkey SHA256:${"6b".repeat(32)} ${"B".repeat(124)} bob\n`;
  const file = { path: "trust/0001.policy", mode: 0o644, role: "data", source: "trust", spans: [], body: { kind: "bytes", bytes: new TextEncoder().encode(policy) } } as const;
  const { keys, signature, later } = reportIn({ ...bundle, files: [...bundle.files, file] });
  t.match(keys.policies, [{ version: 1, threshold: 2, until: "2028-01-01T00:00:00Z refuse", fingerprint: /^SHA256:[0-9a-f]{64}$/, keys: [{ name: "alice" }, { name: "bob", fingerprint: `SHA256:${"6b".repeat(32)}` }] }]);
  t.ok(signature.some(({ command }) => command.includes("verify.sh")));
  t.ok(later.includes("SHA256SUMS.signatures") && !later.includes("SHA256SUMS.sig"));
  t.end();
});

t.test("a rule counts once, by the gravest; the headline follows", (t) => {
  const ofCase = (name: string, edit: (bundle: Bundle) => Bundle = (same) => same): { readonly verdict: Report["verdict"]; readonly page: string } => {
    const input = inputOf(edit(bundleOf(name)));
    const results = audit(input);
    return { verdict: reportOf(input, results).verdict, page: reportFiles(input, results).map(textOf)[1] ?? "" };
  };
  const { verdict, page } = ofCase("everything");
  const { all, met, waived, notApplicable, unmet } = verdict.rules;
  t.equal(all, met + waived + notApplicable + unmet.high + unmet.medium + unmet.low);
  t.match(page, /<section class="verdict look"/);
  t.equal(verdict.scorecard.length, 8);
  const open = ofCase("everything", (bundle) => edited(bundle, "site/user-data", "disable_root: true", "disable_root: false"));
  t.equal(open.verdict.rules.unmet.high, unmet.high + 1);
  t.match(open.page, /<section class="verdict bad"[^]*Not in order: 1 rule of high severity not met; 1 waived/);
  t.match(open.page, /GUEST-01<\/code>[^]*?<a href="#site\/user-data:\d+">/);
  t.match(page, /Waived until <time datetime="2027-06-30">2027-06-30<\/time>:<\/b> people log in by key/);
  t.end();
});

t.test("every link of the page leads to an anchor of it, and no anchor is there twice", (t) => {
  for (const name of caseNames) {
    const page = pageOf(bundleOf(name));
    const ids = [...page.matchAll(/<[a-z][^<>\n]* id="([^"]*)"/g)].map(([, id]) => id ?? "");
    t.equal(new Set(ids).size, ids.length, `${name}: ${ids.filter((id, index) => ids.indexOf(id) !== index).slice(0, 3).join(", ")}`);
    const links = [...page.matchAll(/<a [^<>\n]*href="([^"]*)"/g)].map(([, target]) => target ?? "");
    t.ok(links.length > 50, name);
    t.strictSame(links.filter((target) => !target.startsWith("#") || !ids.includes(target.slice(1))), [], name);
  }
  t.end();
});

t.test("every text stands in the page, line by line", (t) => {
  for (const name of ["minimal", "hostile-names"]) {
    const bundle = bundleOf(name);
    const page = pageOf(bundle);
    for (const file of reportIn(bundle).files.filter(({ text }) => text !== undefined)) {
      const start = page.indexOf(`<details class="file" id="text:${file.path}">`);
      const list = page.slice(page.indexOf('<ol class="text">\n', start), page.indexOf("</ol>", start));
      const lines = list.split(/\n?<li[^>]*>/).slice(1).map((line) => unescaped(line.replace(/<small>.*<\/small>/, "")).replace(/\n$/, ""));
      t.equal(lines.join("\n"), (file.text ?? "").replace(/\n$/, ""), `${name}: ${file.path}`);
    }
  }
  t.end();
});

function unescaped(markup: string): string {
  return markup.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ({ lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" })[name] ?? "");
}

t.test("what was made once for a static file is not taken for another's", (t) => {
  const first = pageOf(bundleOf("minimal"));
  for (const name of ["vsphere", "pool"]) bundleOf(name);
  t.equal(pageOf(bundleOf("minimal")), first);
  const input = inputOf(edited(bundleOf("minimal"), "install.sh", "#!/bin/sh", "#!/bin/bash"));
  t.match(textOf(reportFiles(input, audit(input))[1]), /<li>#!\/bin\/bash\n/);
  t.end();
});
