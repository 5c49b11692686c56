/** Waivers: what they cover, when they are over, and what is said of those that cover nothing. */

import t from "tap";

import { audit } from "../../../../src/evidence/audit/audit.ts";
import { auditText, readAudit } from "../../../../src/evidence/audit/audit-file.ts";
import { inputOfFiles } from "../../../../src/evidence/audit/input.ts";
import { isExpired } from "../../../../src/evidence/audit/waivers.ts";
import { caseNames, textOf } from "../../../golden/cases.ts";
import { asRead, bundleOf, composed, resultsFor, resultsOf } from "./bundle.ts";

/** Everything, with these waivers instead of its own. */
function withWaivers(...waivers: readonly string[]): (text: string) => string {
  return (text) => text.replace(/^audit:[\s\S]*?(?=^secrets:)/m, `audit: {waivers: [${waivers.join(", ")}]}\n`);
}

const waiver = (rule: string, more = "", expires = "2027-01-01"): string => `{rule: ${rule}, reason: it is known, expires: "${expires}"${more}}`;

t.test("a waiver covers its rule, everywhere or at its place", (t) => {
  t.match(resultsFor("GUEST-06", bundleOf("everything")), [{ state: "waived", waiver: { expires: "2027-06-30" }, places: [{ file: "site/user-data" }] }]);
  const states = (...waivers: readonly string[]): readonly string[] => resultsFor("GUEST-17", bundleOf("everything", { spec: withWaivers(...waivers) })).map(({ state, places }) => `${state} ${places.length}`);
  t.strictSame(states(), ["unmet 3"]);
  t.strictSame(states(waiver("GUEST-17")), ["waived 3"]);
  t.strictSame(states(waiver("GUEST-17", ", place: site/user-data")), ["waived 3"]);
  t.strictSame(states(waiver("GUEST-17", ", place: site/heat-template.yaml")), ["unmet 3"]);
  t.strictSame(states(waiver("GUEST-17", ", place: /users/0")), ["unmet 1", "waived 2"], "of the fields that cause the lines");
  t.strictSame(states(waiver("GUEST-17", ", place: /users/0"), waiver("GUEST-17", ", place: /users")), ["waived 2", "waived 1"], "the first counts");
  t.strictSame(states(waiver("GUEST-16")), ["unmet 3"], "another rule's");
  t.strictSame(resultsFor("IMG-02", bundleOf("everything", { spec: withWaivers(waiver("IMG-02")) })).map(({ state }) => state), ["waived"], "a finding without a place");
  t.end();
});

t.test("one that is over before the release is refused; one that covers nothing is a warning", (t) => {
  const issues = (...waivers: readonly string[]): readonly string[] => composed("everything", { spec: withWaivers(...waivers) }).issues.filter(({ code }) => code.startsWith("audit/")).map(({ code, severity, pointer }) => `${severity} ${code} ${pointer}`);
  t.strictSame(issues(waiver("GUEST-06", "", "2026-11-24")), [], "the release's own day");
  t.strictSame(issues(waiver("GUEST-06", "", "2026-11-23")), ["error audit/waiver-expired /audit/waivers/0/expires"]);
  t.strictSame(issues(waiver("GUEST-06"), waiver("GUEST-01")), ["warning audit/waiver-unused /audit/waivers/1"]);
  t.strictSame(issues(waiver("GUEST-06", ", place: /users/1")), ["warning audit/waiver-unused /audit/waivers/0"]);
  t.notOk(composed("everything", { spec: withWaivers(waiver("GUEST-06", "", "2020-01-01")) }).ok);
  t.strictSame([isExpired({ expires: "2027-01-01" }, "2027-01-01T23:59:59Z"), isExpired({ expires: "2027-01-01" }, "2027-01-02T00:00:00Z")], [false, true], "it holds through its last day");
  t.end();
});

t.test("evidence/audit.json is what is found in the bundle again, to the byte", (t) => {
  for (const name of caseNames) {
    const bundle = bundleOf(name);
    const input = asRead(bundle);
    const { files, documents } = bundle;
    const results = resultsOf(bundle);
    const text = textOf(files.find(({ path }) => path === "evidence/audit.json"));
    t.equal(auditText(input, audit(input)), text, name);
    t.equal(auditText(inputOfFiles(files, documents), results), text, `${name}, twice`);
    t.strictSame(readAudit(text), results);
  }
  t.end();
});

t.test("a file that nothing lists", (t) => {
  const bundle = bundleOf("minimal");
  const input = asRead(bundle);
  const more = { ...input, files: input.files.map((file) => (file.path === "install.sh" ? { ...file, sha256: undefined, text: file.text, lines: file.lines } : file)) };
  t.match(audit(more).filter(({ rule }) => rule === "SC-1"), [{ state: "unmet", places: [{ file: "install.sh" }] }]);
  t.match(resultsFor("SC-1", bundle), [{ state: "met", message: /each listed with its digest$/ }]);
  t.end();
});

t.test("what is no such document", (t) => {
  for (const text of ["", "{}", '{"results": [1]}', '{"results": [{"rule": "X", "message": "", "state": "odd", "places": []}]}', '{"results": [{"rule": "X", "message": "", "state": "waived", "places": [], "waiver": {"reason": "", "expires": "soon"}}]}']) {
    t.equal(readAudit(text), undefined, text);
  }
  t.end();
});
