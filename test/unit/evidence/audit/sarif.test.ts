/** The audit as SARIF: valid by the published schema, with kinds, levels, regions, suppressions, digests and fingerprints. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import t from "tap";
import { inputOfFiles } from "../../../../src/evidence/audit/input.ts";
import { auditAsSarif } from "../../../../src/evidence/audit/sarif.ts";
import { bodySha256 } from "../../../../src/pack/manifest.ts";
import { caseNames } from "../../../golden/cases.ts";
import { bundleOf, edited, resultsOf, type Bundle } from "./bundle.ts";

interface Result {
  readonly ruleId: string;
  readonly kind: string;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly locations?: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string; readonly index?: number } } }[];
}

interface Sarif {
  readonly runs: readonly [{ readonly automationDetails: { readonly id: string }; readonly artifacts: readonly { readonly location: { readonly uri: string }; readonly hashes?: { readonly "sha-256": string } }[]; readonly results: readonly Result[] }];
}

function textOf(bundle: Bundle): string {
  return auditAsSarif(inputOfFiles(bundle.files, bundle.documents), resultsOf(bundle), { name: "cloudlet-bundle", version: "1" });
}

function sarifOf(bundle: Bundle): Sarif {
  return JSON.parse(textOf(bundle)) as Sarif;
}

const resultOf = ({ runs: [{ results }] }: Sarif, rule: string): Result | undefined => results.find(({ ruleId }) => ruleId === rule);
const fingerprintOf = (sarif: Sarif, rule: string): string | undefined => resultOf(sarif, rule)?.partialFingerprints["ruleAndCauses/v1"];

t.test("valid by the published schema", (t) => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8")) as Record<string, unknown>;
  // It is of draft 4, which says `id` where later ones say `$id`; of what else changed it uses nothing. Formats are not asked.
  const { id: _, $schema: __, ...rest } = schema;
  const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(rest);
  for (const name of caseNames) t.ok(validate(sarifOf(bundleOf(name))), `${name}: ${JSON.stringify(validate.errors)}`);
  const { runs: [run] } = sarifOf(bundleOf("minimal"));
  t.notOk(validate({ version: "2.1.0", runs: [{ ...run, results: [{ ...run.results[0], kind: "odd" }] }] }), "the schema refuses what is none");
  t.end();
});

t.test("kinds and levels; a waiver is an accepted suppression", (t) => {
  const sarif = sarifOf(edited(bundleOf("everything"), "site/user-data", "disable_root: true", "disable_root: false"));
  t.match(resultOf(sarif, "GUEST-01"), { kind: "fail", level: "error", locations: [{ physicalLocation: { artifactLocation: { uri: "site/user-data", uriBaseId: "BUNDLE" }, region: { startLine: Number } } }] });
  t.match(resultOf(sarif, "GUEST-06"), { kind: "fail", level: "warning", suppressions: [{ kind: "external", status: "accepted", justification: /people log in by key/ }] });
  t.match(resultOf(sarif, "GUEST-02"), { kind: "pass", level: "none" });
  t.match(resultOf(sarif, "OVF-01"), { kind: "notApplicable", level: "none" });
  t.equal(sarif.runs[0].automationDetails.id, "cloudlet-bundle/audit/ExampleTel/cologne-5/2026.11");
  t.end();
});

t.test("every file that was looked at has its digest, and locations point at it", (t) => {
  const bundle = bundleOf("everything");
  const { artifacts, results } = sarifOf(bundle).runs[0];
  const digests = new Map(bundle.files.map(({ path, body }) => [path, bodySha256(body)]));
  t.ok(artifacts.length > 20);
  for (const { location, hashes } of artifacts) t.equal(hashes?.["sha-256"], digests.get(location.uri), location.uri);
  const places = results.flatMap(({ locations = [] }) => locations.map(({ physicalLocation }) => physicalLocation.artifactLocation));
  t.ok(places.length > 5);
  for (const { uri, index } of places) t.equal(artifacts[index ?? -1]?.location.uri, uri);
  t.end();
});

t.test("a fingerprint outlives a line that moved, and no other cause", (t) => {
  const whole = bundleOf("everything");
  const before = sarifOf(whole);
  const moved = sarifOf(edited(whole, "site/user-data", "#cloud-config\n", "#cloud-config\n\n"));
  const ofNoCause = edited(whole, "site/user-data", "Defaults use_pty", "password=hunter2!");
  const other = edited(whole, "site/user-data", "Defaults use_pty", "password=hunter3!");
  t.equal(fingerprintOf(moved, "NET-05"), fingerprintOf(before, "NET-05"));
  t.equal(fingerprintOf(sarifOf(edited(ofNoCause, "site/user-data", "#cloud-config\n", "#cloud-config\n\n")), "SECRET-01"), fingerprintOf(sarifOf(ofNoCause), "SECRET-01"), "by the text");
  t.not(fingerprintOf(sarifOf(other), "SECRET-01"), fingerprintOf(sarifOf(ofNoCause), "SECRET-01"));
  const all = before.runs[0].results.map(({ partialFingerprints }) => partialFingerprints["ruleAndCauses/v1"]);
  t.equal(new Set(all).size, all.length, "no two results have the same");
  t.equal(textOf(whole), textOf(bundleOf("everything")), "and it is written the same each time");
  t.end();
});
