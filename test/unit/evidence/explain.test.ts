/** Every value has an origin that can be told, and what a field of the spec changes is what explain says it takes part in. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import type { File } from "../../../src/core/file.ts";
import { constants } from "../../../src/evidence/constants.ts";
import { explainFile, explainOrigins, readPointer } from "../../../src/evidence/explain.ts";
import type { OriginExplained } from "../../../src/evidence/explain.ts";
import { readRecord, type BundleRecord } from "../../../src/evidence/record.ts";
import { remake, templateLinesOf } from "../../../src/evidence/trace.ts";
import { defaultNamed, defaultsAt } from "../../../src/spec/default-reasons.ts";
import { PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "../../../src/spec/defaults.ts";
import { assets, caseNames, compose, specText, textOf, wellRead } from "../../golden/cases.ts";

function recordOf(files: readonly File[]): BundleRecord {
  const text = (name: string): string => textOf(files.find((file) => file.path === `evidence/${name}.json`));
  return wellRead(readRecord({ spec: text("spec"), release: text("release"), lock: text("lock"), origins: text("origins") }));
}

function linesAt(files: readonly File[], path: string): readonly string[] {
  const file = files.find((each) => each.path === path);
  return file === undefined ? [] : textOf(file).split("\n");
}

t.test("every origin of every golden case can be told: a value with its line, or a reason", (t) => {
  for (const name of caseNames) {
    const record = recordOf(compose(name).files);
    const explained = explainOrigins(record);
    const untold = record.origins.origins.filter((origin) => !isTold(explained(origin)));
    t.strictSame(untold, [], name);
  }
  t.end();
});

function isTold(explained: OriginExplained): boolean {
  switch (explained.kind) {
    case "default":
    case "constant":
      return explained.reason !== undefined;
    default:
      return explained.value !== undefined && explained.places.length === 1;
  }
}

t.test("every constant of the sources has its words, and every default its own name", (t) => {
  const root = join(import.meta.dirname, "../../../src");
  const used = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && path !== "evidence/constants.ts")
    .flatMap((path) => [...readFileSync(join(root, path), "utf8").matchAll(/"constant:([a-z-]+)"/g)].map((match) => match[1] as string));
  // What a template is measured with never reaches a bundle.
  t.strictSame([...new Set(used)].filter((name) => name !== "harmless").sort(), Object.keys(constants).sort());
  const names = [...SPEC_DEFAULTS, ...Object.values(PLATFORM_DEFAULTS).flat(), ...RELEASE_DEFAULTS].map((each) => each.name);
  t.equal(new Set(names).size, names.length);
  t.strictSame(names.filter((name) => defaultNamed(name)?.fills === undefined), []);
  t.equal(defaultNamed("of-another-version"), undefined);
  t.strictSame(defaultsAt("/users/3/sudo").map((each) => each.name), ["users", "sudo"]);
  t.strictSame(defaultsAt("/networks/external/3/defaultRoute").map((each) => each.name), ["external-networks", "default-route"]);
  t.strictSame(defaultsAt("/compute/tenant").map((each) => each.name), ["tenant-vcpus", "tenant-memory", "tenant-disk", "tenant-gpus"]);
  t.end();
});

t.test("a line with its template, its stretches and their origins", (t) => {
  const { files } = compose("everything");
  const record = recordOf(files);
  const made = remake(record, assets);
  const path = "site.env";
  const text = textOf(files.find((file) => file.path === path));
  const templateLines = templateLinesOf(made, path, text);
  const specFile = { name: "cologne.yaml", text: specText("everything") };
  const lines = explainFile(record, { path, text, source: "templates/common/site.env", templateLines }, explainOrigins(record, specFile));
  t.equal(lines.length, text.split("\n").length - 1);
  const line = lines.find((each) => each.text.startsWith("CB_CLOUDLET="));
  t.match(line, { line: 3, template: { path: "templates/common/site.env", line: 3 }, values: [{ start: 13, end: 24, text: "'cologne-5'", shows: true }] });
  const [origin] = line?.values[0]?.origins ?? [];
  t.match(origin, { kind: "spec", pointer: "/name", value: "cologne-5" });
  const place = origin?.kind === "spec" ? origin.places : [];
  t.match(specText("everything").split("\n")[(place[0]?.line ?? 0) - 1], /^name: cologne-5$/);
  t.match(linesAt(files, "evidence/spec.json")[(place[1]?.line ?? 0) - 1], /^ {2}"name": "cologne-5",$/);
  t.strictSame(explainFile(record, { path, text, source: undefined, templateLines }, explainOrigins(record), 1)[0]?.values, [], "a comment is the template's own");
  t.equal(templateLinesOf(made, path, `${text}# by hand\n`), undefined, "of a text that this build does not make, no template's line is told");
  const script = textOf(files.find((file) => file.path === "install.sh"));
  t.strictSame(templateLinesOf(made, "install.sh", script)?.slice(0, 3), [1, 2, 3]);
  t.strictSame(remake({ ...record, documents: { ...record.documents, spec: { ...record.documents.spec, text: "{}" } } }, assets).size, 0);
  t.end();
});

t.test("every line of a rendered file knows its line of the template", (t) => {
  for (const name of caseNames) {
    const wrong = compose(name).files.flatMap((file) => {
      const template = assets.get(file.source.replace(/^templates\//, ""))?.split("\n") ?? [];
      const known = file.templateLines;
      if (known === undefined) return [];
      const own = new Set(file.spans.map((span) => span.line));
      return linesAt([file], file.path).slice(0, -1).flatMap((line, index) => {
        const from = template[(known[index] ?? 0) - 1];
        return from !== undefined && (own.has(index + 1) || from.includes("{{") || from.trimEnd() === line.trimEnd()) ? [] : [`${file.path}:${index + 1} ${line}`];
      });
    });
    t.strictSame(wrong, [], name);
  }
  t.end();
});

t.test("a pointer as people write it; a record that is not one", (t) => {
  t.equal(readPointer("networks/dns/0"), "/networks/dns/0");
  t.equal(readPointer("/a~1b"), "/a~1b");
  t.equal(readPointer(""), "");
  t.equal(readPointer("/a~2"), undefined);
  const origins = JSON.stringify({ origins: ["spec:/a"], files: { f: { 1: ["1-2 0"] } } });
  const sound = { spec: "{}", release: "{}", lock: "{}", origins };
  t.ok(readRecord(sound).ok);
  for (const [name, text] of [["spec", "[]"], ["lock", "{"], ["origins", "{}"], ["origins", origins.replace("1-2 0", "1-2 1")], ["origins", origins.replace("spec:/a", "nix:/a")], ["origins", origins.replace("1-2 0", "x")]] as const) {
    t.match(readRecord({ ...sound, [name]: text }).issues, [{ code: "evidence/form" }], `${name} ${text}`);
  }
  t.end();
});
