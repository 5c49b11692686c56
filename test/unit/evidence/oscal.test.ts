/**
 * The audit as OSCAL assessment results: what points somewhere arrives, no UUID is there twice, findings and risks say what
 * the results say, and nothing of a spec is markup. That it is valid by NIST's schema, test/conformance/evidence holds.
 */

import t from "tap";
import { audit, auditRules } from "../../../src/evidence/audit/audit.ts";
import { inputOfFiles } from "../../../src/evidence/audit/input.ts";
import { auditAsOscal, controlsOf } from "../../../src/evidence/oscal.ts";
import { bodySha256 } from "../../../src/pack/manifest.ts";
import { caseNames } from "../../golden/cases.ts";
import { asRead, bundleOf, composed, edited, resultsOf, type Bundle } from "./audit/bundle.ts";

interface Property {
  readonly name: string;
  readonly value: string;
}

interface Observation {
  readonly uuid: string;
  readonly description: string;
  readonly props: readonly Property[];
  readonly "relevant-evidence"?: readonly { readonly href?: string; readonly description: string; readonly props: readonly Property[] }[];
}

interface Risk {
  readonly uuid: string;
  readonly status: string;
  readonly props: readonly Property[];
  readonly deadline?: string;
  readonly "related-observations": readonly { readonly "observation-uuid": string }[];
}

interface Finding {
  readonly target: { readonly type: string; readonly "target-id": string; readonly status: { readonly state: string; readonly remarks?: string } };
  readonly "related-observations": readonly { readonly "observation-uuid": string }[];
  readonly "related-risks"?: readonly { readonly "risk-uuid": string }[];
}

interface Oscal {
  readonly uuid: string;
  readonly metadata: { readonly "last-modified": string; readonly version: string; readonly parties: readonly { readonly name: string; readonly "email-addresses"?: readonly string[] }[] };
  readonly "import-ap": { readonly href: string };
  readonly results: readonly [{ readonly start: string; readonly observations: readonly Observation[]; readonly risks?: readonly Risk[]; readonly findings: readonly Finding[]; readonly "reviewed-controls": unknown }];
  readonly "back-matter": { readonly resources: readonly { readonly uuid: string; readonly rlinks: readonly { readonly href: string; readonly hashes?: readonly { readonly value: string }[] }[] }[] };
}

function textOf({ files, documents }: Bundle): string {
  return auditAsOscal(inputOfFiles(files, documents), resultsOf({ files, documents }), { name: "cloudlet-bundle", version: "1" });
}

function oscalOf(bundle: Bundle): Oscal {
  return (JSON.parse(textOf(bundle)) as { readonly "assessment-results": Oscal })["assessment-results"];
}

const said = (props: readonly Property[], name: string): string | undefined => props.find((each) => each.name === name)?.value;
const whole = oscalOf(bundleOf("everything"));
const findingOf = ({ results: [{ findings }] }: Oscal, id: string): Finding | undefined => findings.find(({ target }) => target["target-id"] === id);

t.test("what points somewhere arrives, and what is named is named once", (t) => {
  for (const name of caseNames) {
    const uuids: string[] = [];
    const pointers: string[] = [];
    walk(oscalOf(bundleOf(name)), (key, value) => {
      if (key === "uuid") uuids.push(value);
      else if (/-uuids?$/.test(key)) pointers.push(value);
      else if (key === "href" && value.startsWith("#")) pointers.push(value.slice(1));
    });
    t.ok(uuids.length > 100 && uuids.every((uuid) => /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)), name);
    t.equal(new Set(uuids).size, uuids.length, `${name}: none twice`);
    t.strictSame(pointers.filter((pointer) => !uuids.includes(pointer)), [], `${name}: all arrive`);
  }
  t.end();
});

/** Calls `visit` for each text, with the key that it, or the list around it, stands at. */
function walk(node: unknown, visit: (key: string, value: string) => void, key = ""): void {
  if (typeof node === "string") visit(key, node);
  else if (Array.isArray(node)) node.forEach((each) => walk(each, visit, key));
  else if (typeof node === "object" && node !== null) for (const [name, each] of Object.entries(node)) walk(each, visit, name);
}

t.test("controls by the ids of NIST's catalogue", (t) => {
  t.strictSame(controlsOf({ id: "X", sources: ["CIS Ubuntu 24.04 5.1.20", "NIST SP 800-53 r5 AC-6(2), AC-17", "NIST SP 800-53 r5 SR-3"] }), ["ac-6.2", "ac-17", "sr-3"]);
  t.throws(() => controlsOf({ id: "X", sources: ["NIST SP 800-53 r5 AC"] }), /X cites no control of SP 800-53: AC/);
  t.ok(auditRules.flatMap(controlsOf).length > 50, "every rule's sources are read");
  t.match(whole.results[0]["reviewed-controls"], { "control-selections": [{ "include-controls": [{ "control-id": "ac-17" }, { "control-id": "ac-2" }] }] });
  t.end();
});

t.test("findings say of a control what the rules that cite it found", (t) => {
  const bundle = bundleOf("everything");
  const states = new Map(resultsOf(bundle).map(({ rule, state }) => [rule, state]));
  t.strictSame([states.get("GUEST-06"), states.get("NET-05"), states.get("OVF-01")], ["waived", "unmet", "not-applicable"]);
  t.match(findingOf(whole, "ia-11_smt"), { target: { type: "statement-id", status: { state: "not-satisfied", reason: "fail", remarks: "All that is not met is waived." } }, "related-risks": [{}] });
  t.match(findingOf(whole, "sc-7.5_smt"), { target: { status: { state: "not-satisfied", remarks: undefined } } });
  t.match(findingOf(whole, "ac-6_smt"), { target: { status: { state: "satisfied", reason: "pass" } }, "related-risks": undefined });
  t.match(findingOf(whole, "SB-1"), { target: { type: "objective-id", status: { state: "not-satisfied" } } });
  t.equal(findingOf(whole, "au-10_smt"), undefined, "nothing is said of what no file can answer");
  const { observations } = whole.results[0];
  for (const { target, "related-observations": related } of whole.results[0].findings) {
    const seen = related.map((each) => said(observations.find(({ uuid }) => uuid === each["observation-uuid"])?.props ?? [], "state"));
    t.equal(target.status.state, seen.some((state) => state === "unmet" || state === "waived") ? "not-satisfied" : "satisfied", target["target-id"]);
  }
  t.end();
});

t.test("an observation for each result, with file, line and origins; files have their digests", (t) => {
  const bundle = bundleOf("everything");
  const results = resultsOf(bundle);
  const { observations } = whole.results[0];
  t.strictSame(observations.map(({ props }) => [said(props, "rule"), said(props, "state")]), results.map(({ rule, state }) => [rule, state]));
  t.strictSame(observations.map((each) => each["relevant-evidence"]?.length ?? 0), results.map(({ places }) => places.length));
  const [evidence] = observations.find(({ props }) => said(props, "rule") === "NET-05")?.["relevant-evidence"] ?? [];
  t.strictSame([evidence?.description, said(evidence?.props ?? [], "file")], [`site/heat-template.yaml, line ${said(evidence?.props ?? [], "line")}`, "site/heat-template.yaml"]);
  t.equal(said(evidence?.props ?? [], "origin"), "spec:/firewall/egress/0/cidr");
  const resource = whole["back-matter"].resources.find(({ uuid }) => `#${uuid}` === evidence?.href);
  const file = bundle.files.find(({ path }) => path === "site/heat-template.yaml");
  t.strictSame(resource?.rlinks.map(({ href, hashes }) => [href, hashes?.[0]?.value]), [["site/heat-template.yaml", file === undefined ? undefined : bodySha256(file.body)]]);
  t.end();
});

t.test("risks: open, or an approved deviation with its reason until its last day", (t) => {
  const risks = whole.results[0].risks ?? [];
  const of = (rule: string): Risk | undefined => risks.find(({ props }) => said(props, "rule") === rule);
  t.match(of("GUEST-06"), { status: "deviation-approved", deadline: "2027-06-30T23:59:59Z", "risk-log": { entries: [{ description: /^people log in by key/, "status-change": "deviation-approved" }] } });
  t.match(of("NET-05"), { status: "open", deadline: undefined, "risk-log": undefined, remediations: [{ lifecycle: "recommendation" }] });
  t.equal(risks.length, resultsOf(bundleOf("everything")).filter(({ state }) => state === "unmet" || state === "waived").length);
  const { files, documents } = bundleOf("minimal");
  const met = resultsOf({ files, documents }).filter(({ state }) => state === "met");
  t.notMatch(auditAsOscal(inputOfFiles(files, documents), met, { name: "x", version: "1" }), /\[\]/, "OSCAL has no empty lists");
  t.end();
});

t.test("the release's time and supplier; the same each time, and another for other files", (t) => {
  const supplied = bundleOf("everything", { release: (text) => text.replace(/^vmImage:/m, 'supplier: {name: Example Releases, contact: "mailto:release@example.org"}\nvmImage:') });
  t.match(oscalOf(supplied).metadata.parties, [{ name: "ExampleTel" }, { name: "Example Releases", "email-addresses": ["release@example.org"] }]);
  t.strictSame([whole.metadata["last-modified"], whole.results[0].start, whole.metadata.version], ["2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z", "2026.11"]);
  const read = asRead(bundleOf("everything"));
  t.equal(auditAsOscal(read, audit(read), { name: "cloudlet-bundle", version: "1" }), textOf(bundleOf("everything")), "made, or read from a bundle");
  const other = oscalOf(edited(bundleOf("everything"), "install.sh", "set -eu", "set -eu "));
  t.not(other.uuid, whole.uuid);
  t.equal(other["import-ap"].href, whole["import-ap"].href, "the rules are the same ones");
  t.end();
});

t.test("what a spec says is text, not markup", (t) => {
  const reason = String.raw`<img src=x onerror=alert(1)> [a](javascript:b) {{ insert: param, x }} *b* \_ ` + "`c`";
  const spec = composed("everything", { spec: (text) => text.replace(/^( +reason: ).*$/m, (_, key: string) => `${key}${JSON.stringify(reason)}`) });
  if (!spec.ok) throw new Error(JSON.stringify(spec.issues));
  const written = textOf(spec.value);
  const entry = (JSON.parse(written) as { "assessment-results": { results: [{ risks: { "risk-log"?: { entries: { description: string }[] } }[] }] } })["assessment-results"].results[0].risks.flatMap((risk) => risk["risk-log"]?.entries ?? [])[0];
  t.equal(entry?.description, String.raw`\<img src=x onerror=alert(1)\> \[a\](javascript:b) \{\{ insert: param, x \}\} \*b\* \\\_ ` + "\\`c\\`");
  t.notMatch(written, /[^\\]<img/);
  t.end();
});
