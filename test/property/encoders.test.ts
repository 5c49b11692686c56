/** Hostile strings through every encoder, read by the readers that matter: PyYAML, the shells, JSON. */

import fc from "fast-check";
import { existsSync } from "node:fs";
import t from "tap";

import { shWord } from "../../src/core/sh-word.ts";
import { val } from "../../src/core/origin.ts";
import { cloudConfig } from "../../src/guest/cloud-init-builder.ts";
import { jsonScalar } from "../../src/render/encode-json.ts";
import { readEnv } from "../../src/render/encode-env.ts";
import { yamlBlock, yamlScalar } from "../../src/render/encode-yaml.ts";
import { renderText } from "../../src/render/render.ts";
import type { PyYamlReading } from "./readers.ts";
import { readByPyYaml, wordsByShell } from "./readers.ts";
import { anyText, oneLine, printable, sample } from "./strings.ts";

const isLine = (text: string): boolean => !/[\n\u0085\u2028\u2029]/.test(text);
const v = (text: string) => val(text, "spec:/x");

/** The inputs whose reading is not what was meant. */
function misread<T>(inputs: readonly T[], readings: readonly PyYamlReading[], meant: (input: T) => unknown): readonly unknown[] {
  return inputs.flatMap((input, index) => {
    const reading = readings[index];
    return JSON.stringify(reading?.value) === JSON.stringify(meant(input)) && reading?.error === undefined ? [] : [[input, reading]];
  });
}

t.test("YAML strings: PyYAML reads them as meant, everywhere in a document", (t) => {
  const strings = sample(anyText, 1_500);
  const documents = strings.map((text) => {
    const scalar = yamlScalar(text);
    // PyYAML takes a simple key of at most 1,024 characters, escapes included.
    const key = scalar.length < 1_000 ? scalar : '"k"';
    return `a: ${scalar}\nb:\n  - ${scalar}\n  - [${scalar}, {c: ${scalar}}]\nm:\n  ${key}: ${scalar}\n`;
  });
  t.strictSame(misread(strings, readByPyYaml(documents), (text) => ({ a: text, b: [text, [text, { c: text }]], m: { [yamlScalar(text).length < 1_000 ? text : "k"]: text } })), []);
  t.end();
});

t.test("YAML blocks: PyYAML reads them as meant, at any depth", (t) => {
  const strings = sample(anyText, 1_500).flatMap((text) => [text, `${text}\n`, `#!/bin/sh\n  ${text}\n\n${text}`]).filter((text) => yamlBlock(text, 0) !== undefined);
  t.ok(strings.length > 1_000, `${strings.length} texts can be block literals`);
  const documents = strings.map((text) => `a: ${yamlBlock(text, 0)}\nb:\n  - c: ${yamlBlock(text, 4)}\n  - ${yamlBlock(text, 2)}\nz: 1\n`);
  t.strictSame(misread(strings, readByPyYaml(documents), (text) => ({ a: text, b: [{ c: text }, text], z: 1 })), []);
  t.end();
});

t.test("YAML numbers and booleans: PyYAML reads value and type", (t) => {
  const numbers = [0, -1, 1.5, 1e21, 1e-7, -2.5e-10, 123_456_789_012, 9_007_199_254_740_991, 52.52, ...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), { numRuns: 500, seed: 7 })];
  const readings = readByPyYaml(numbers.map((number) => `[${yamlScalar(number)}]\n`));
  t.strictSame(numbers.filter((number, index) => ((readings[index]?.value as number[])[0] ?? NaN) !== number && !Object.is(number, -0)), []);
  t.strictSame(readByPyYaml([yamlScalar(true), yamlScalar(false)]).map((reading) => reading.types), [["bool"], ["bool"]]);
  t.throws(() => yamlScalar(NaN));
  t.end();
});

t.test("a whole YAML template: every place that a value may have", (t) => {
  const strings = sample(printable, 1_000, (text) => isLine(text) && !/[\u007f-\u009f]/.test(text));
  const template = '# {{a}}\n"in {{a}}": {{a}}\nb: {{block a}}\nc: |\n  x {{a}} y\n  {{sh a}}\nd: 1 # {{a}}\n';
  const documents = strings.map((text) => renderText("yaml", "t", template, { a: v(text) }).text);
  t.strictSame(
    misread(strings.filter((text) => text.length < 1_000), readByPyYaml(documents.filter((_, index) => (strings[index] as string).length < 1_000)), (text) => ({
      [`in ${text}`]: text, b: text, c: `x ${text} y\n${shWord(text)}\n`, d: 1,
    })),
    [],
  );
  t.end();
});

t.test("cloud-config by the builder: PyYAML reads it as meant", (t) => {
  const strings = sample(anyText, 1_500);
  const documents = strings.map((text) => cloudConfig([{ k: text, l: [text, { m: v(text) }], [`key ${text.slice(0, 400)}`]: "x" }]).text);
  t.strictSame(misread(strings, readByPyYaml(documents), (text) => ({ k: text, l: [text, { m: text }], [`key ${text.slice(0, 400)}`]: "x" })), []);
  t.end();
});

t.test("shell words: every shell hands them on unchanged", (t) => {
  const strings = sample(anyText, 2_000);
  const script = strings.map((text) => `printf '%s\\0' ${shWord(text)}\n`).join("");
  for (const shell of ["/bin/dash", "/bin/bash", "/bin/busybox", "/bin/ksh93"]) {
    t.ok(existsSync(shell), `${shell} is needed: apt-get install dash bash busybox ksh`);
    t.strictSame(wordsByShell(shell, script), strings, shell);
  }
  t.end();
});

t.test("a file of variables: the shell and our own reader read the same", (t) => {
  const strings = sample(oneLine, 1_000, isLine);
  const template = "# {{c}}\n{{#each list}}\n{{name}}={{value}}\n{{/each}}\n";
  const list = strings.map((text, index) => ({ name: v(`CB_${index}`), value: v(text) }));
  const { text } = renderText("env", "t", template, { c: v("' $(reboot) `id`"), list });
  t.strictSame([...readEnv(text).values()], strings);
  const script = `${text}${strings.map((_, index) => `printf '%s\\0' "$CB_${index}"\n`).join("")}`;
  t.strictSame(wordsByShell("/bin/dash", script), strings);
  t.end();
});

t.test("JSON: the value, and nothing that a script could take for the end of a line", (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const encoded = jsonScalar(text);
      return JSON.parse(encoded) === text && !/[\u2028\u2029\n]/.test(encoded);
    }),
    { seed: 1, numRuns: 2_000 },
  );
  t.end();
});

t.test("Markdown: a value stays on its line and in its place", (t) => {
  const template = "a {{a}}, {{code a}}\n\n| {{a}} | {{code a}} |\n\n```sh\necho {{a}}\n```\n";
  fc.assert(
    fc.property(printable, (text) => {
      const lines = renderText("markdown", "t", template, { a: v(text) }).text.split("\n");
      const cells = (lines[2] ?? "").replaceAll("\\|", "").split("|").length;
      return lines.length === 8 && cells === 4 && lines[5] === `echo ${shWord(text)}`;
    }),
    { seed: 1, numRuns: 1_000 },
  );
  t.end();
});
