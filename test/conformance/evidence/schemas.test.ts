/**
 * Every document that a bundle tells of itself is what its standard says, by published schemas and by the libraries of those
 * who made the standards: for each cloudlet of bundles/, for a spec with everything, and for one whose names are hostile.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { audit } from "../../../src/evidence/audit/audit.ts";
import { inputOfFiles } from "../../../src/evidence/audit/input.ts";
import { auditAsOscal } from "../../../src/evidence/oscal.ts";
import { textOf } from "../../golden/cases.ts";
import { bundleOf } from "../../unit/evidence/audit/bundle.ts";
import { buildBundle } from "../bundle.ts";
import { judges } from "./judges.ts";

t.setTimeout(900_000);
const root = join(import.meta.dirname, "../../..");
const ledger = join(root, "bundles");
const specs: readonly (readonly [string, string])[] = [
  ...readdirSync(ledger).sort().map((name) => [name, join(ledger, name, "cloudlet.yaml")] as const),
  ...["everything", "hostile-names", "vcd-everything"].map((name) => [name, join(root, "test/golden", name, "spec.yaml")] as const),
];

/** Where each kind of document is, once `audit` has written the two that are not in a bundle. */
async function documentsOf(name: string, specPath: string): Promise<Readonly<Record<keyof typeof judges, string>>> {
  const { folder, tar } = await buildBundle(`evidence-${name}`, readFileSync(specPath, "utf8"));
  const audited = (form: "sarif" | "oscal"): string => {
    const path = `${tar}.${form}.json`;
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/cloudlet-bundle.js"), "audit", tar, `--${form}`], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (stdout === "") throw new Error(`${name}: ${stderr}`);
    writeFileSync(path, stdout);
    return path;
  };
  const evidence = (file: string): string => join(folder, "evidence", file);
  return { cyclonedx: evidence("sbom.cdx.json"), spdx: evidence("sbom.spdx.json"), statement: evidence("provenance.json"), sarif: audited("sarif"), oscal: audited("oscal") };
}

const made: Readonly<Record<keyof typeof judges, string>>[] = [];
for (const [name, specPath] of specs) {
  t.test(name, async (t) => {
    const documents = await documentsOf(name, specPath);
    made.push(documents);
    for (const kind of Object.keys(judges) as (keyof typeof judges)[]) {
      for (const judge of judges[kind]) t.strictSame(await judge(documents[kind]), [], kind);
    }
  });
}

t.test("packages, whatever they say of licence and maintainer, and whoever answers for the release", async (t) => {
  const folder = join(root, "out/conformance/evidence/packages");
  mkdirSync(folder, { recursive: true });
  const said = ["MIT", "GPL-2+ or Artistic", "as it is: \"</script>\" & 'so'", " blank ", "(MIT", "NONE", "NOASSERTION", "LicenseRef-x", "\u202eevil", "x".repeat(1_000)];
  const packages = said.map((text, index) => ({ purl: `pkg:deb/debian/p${index}@1:2~${index}?arch=all&distro=debian-12`, layer: 0, licence: text, supplier: text }));
  const release = (text: string): string => text.replace(/^vmImage:/m, `supplier: {name: ${JSON.stringify("Eve (e@x) & \"Sons\" <b>")}, contact: "https://example.org/a?b=(c)"}\nvmImage:`);
  const { files, documents } = bundleOf("everything", { release, software: { system: { id: "debian", version: "12" }, databases: [{ kind: "dpkg", state: "read" }], packages } });
  const input = inputOfFiles(files, documents);
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const evidence = (name: string): string => written(name, textOf(files.find(({ path }) => path === `evidence/${name}`)));
  const paths = { cyclonedx: evidence("sbom.cdx.json"), spdx: evidence("sbom.spdx.json"), statement: evidence("provenance.json"), oscal: written("oscal.json", auditAsOscal(input, audit(input), { name: "cloudlet-bundle", version: "1" })) };
  for (const [kind, path] of Object.entries(paths)) {
    for (const judge of judges[kind as keyof typeof paths]) t.strictSame(await judge(path), [], kind);
  }
});

/** One edit for each judge; each has to see it. */
const broken: Readonly<Record<keyof typeof judges, readonly (readonly [from: string | RegExp, to: string])[]>> = {
  cyclonedx: [['"aggregate": "complete"', '"aggregate": "whole"']],
  spdx: [['"spdxVersion": "SPDX-2.3"', '"spdxVersion": 2.3'], [/"relatedSpdxElement": "SPDXRef-[^"]*"/, '"relatedSpdxElement": "SPDXRef-nowhere"']],
  sarif: [['"kind": "pass"', '"kind": "good"']],
  oscal: [['"state": "satisfied"', '"state": "well"'], [/"activities": \[/, '"activities": [{"uuid": "1"},'], [/("uuid": "[^"]*")([^]*?)"uuid": "[^"]*"/, "$1$2$1"]],
  statement: [['"buildDefinition"', '"definition"']],
};

t.test("each of them refuses what is none", async (t) => {
  const [first] = made;
  for (const kind of Object.keys(judges) as (keyof typeof judges)[]) {
    const path = first?.[kind] ?? "";
    for (const [index, judge] of judges[kind].entries()) {
      const [from, to] = broken[kind][index] ?? ["", ""];
      const before = readFileSync(path, "utf8");
      const after = before.replace(from, to);
      t.not(after, before, `${kind}, ${index}: there is something to break`);
      writeFileSync(`${path}.broken`, after);
      t.ok((await judge(`${path}.broken`)).length > 0, `${kind}, ${index}`);
    }
  }
});
