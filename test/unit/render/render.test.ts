/** Templates to text: the lint, strict names, encoders by place, spans, parse-back. */

import t from "tap";

import type { Scalar } from "../../../src/core/json.ts";
import type { Origin, Val } from "../../../src/core/origin.ts";
import { val } from "../../../src/core/origin.ts";
import type { Format, View } from "../../../src/platforms/draft.ts";
import { readEnv } from "../../../src/render/encode-env.ts";
import { markdownCode, markdownText } from "../../../src/render/encode-markdown.ts";
import { xmlAttribute, xmlText } from "../../../src/render/encode-xml.ts";
import { render, renderText } from "../../../src/render/render.ts";

const hostile = `O'Brien & Söhne, "Edge" #1: $(reboot) {{x}}`;

function v<T extends Scalar>(value: T, origin: Origin = "spec:/x"): Val<T> {
  return val(value, origin);
}

function text(format: Format, template: string, view: View): string {
  return renderText(format, "t", template, view).text;
}

t.test("templates are the logic-less half of Handlebars", (t) => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["triple", "a: {{{x}}}\n", /t:1:4: templates may not have a raw hole/],
    ["ampersand", "\na: {{&x}}\n", /t:2:4: templates may not have a raw hole/],
    ["partial", "{{> x}}\n", /a partial/],
    ["partial from data", "{{> (lookup . 'x')}}\n", /a partial/],
    ["inline partial", "{{#*inline 'a'}}b{{/inline}}\n", /a DecoratorBlock/],
    ["helper", "a: {{lookup x 1}}\n", /a helper named lookup/],
    ["named argument", "a: {{x y=1}}\n", /a named argument|a helper/],
    ["two arguments", "a: {{block x y}}\n", /more than one argument/],
    ["literal", "a: {{block 'x'}}\n", /an argument that isn't a name/],
    ["data variable", "{{#each l}}a: {{@index}}\n{{/each}}\n", /@index; the plan decides/],
    ["with", "{{#with x}}a{{/with}}\n", /a block named with/],
    ["unless", "{{#unless x}}a{{/unless}}\n", /a block named unless/],
    ["whitespace control", "a: {{~x}}\n", /whitespace control/],
    ["whitespace control of a block", "{{#if x~}}a{{/if}}\n", /whitespace control/],
    ["block parameters", "{{#each x as |y|}}a{{/each}}\n", /block parameters/],
    ["subexpression", "{{#if (x y)}}a{{/if}}\n", /an argument that isn't a name/],
    ["brackets", "a: {{[x y]}}\n", /a name that needs brackets/],
    ["else of each", "{{#each l}}a{{else}}b{{/each}}\n", /\{\{else\}\} of an \{\{#each\}\}/],
  ];
  for (const [name, template, message] of refused) {
    t.throws(() => text("yaml", template, { x: v("1"), y: v("2"), l: [v("1")] }), { message }, name);
  }
  t.throws(() => text("yaml", "a: \u0001\n", {}), /a control character/);
  t.end();
});

t.test("a name that the view lacks is an error everywhere", (t) => {
  for (const template of ["a: {{y}}\n", "{{#if y}}a: 1\n{{/if}}\n", "{{#each y}}a\n{{/each}}\n", "a: {{x.y}}\n", "a: {{block y}}\n", "{{#each l}}- {{y}}\n{{/each}}\n"]) {
    t.throws(() => text("yaml", template, { x: { z: v("1") }, l: [{ z: v("1") }] }), /the view has no/, template);
  }
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "x.value", "l.length", "_x"]) {
    t.throws(() => text("yaml", `a: {{${name}}}\n`, { x: v("1"), l: [v("1")] }), /the view has no/, name);
  }
  t.throws(() => text("yaml", "a: {{x}}\n", { x: undefined }), /is no value/);
  t.throws(() => text("yaml", "a: {{x}}\n", { x: { y: v("1") } }), /is no value/);
  t.throws(() => text("yaml", "a: {{x}}\n", { x: v("a\u0001b") }), /a control character in x/);
  t.equal(text("yaml", "{{#if x}}\na: 1\n{{else}}\nb: 2\n{{/if}}\n", { x: undefined }), "b: 2\n", "an absent value is a key all the same");
  t.end();
});

t.test("if asks for presence, or for a boolean; each for a list", (t) => {
  const template = "l:\n{{#each l}}\n  - {{name}}\n{{#if ../on}}\n  - 2\n{{/if}}\n{{/each}}\n{{#if l}}\nfull: 1\n{{/if}}\n";
  const l = [{ name: v("a") }, { name: v("b") }];
  t.equal(text("yaml", template, { l, on: v(true) }), 'l:\n  - "a"\n  - 2\n  - "b"\n  - 2\nfull: 1\n');
  t.equal(text("yaml", template, { l, on: v(false) }), 'l:\n  - "a"\n  - "b"\nfull: 1\n');
  t.equal(text("yaml", template, { l, on: v("") }), 'l:\n  - "a"\n  - 2\n  - "b"\n  - 2\nfull: 1\n', "an empty text is there");
  t.equal(text("yaml", template, { l: [], on: v(true) }), "l:\n");
  t.equal(text("yaml", "{{#each l}}\n- {{this}}\n{{/each}}\n", { l: [v("no"), v(3)] }), '- "no"\n- 3\n');
  t.throws(() => text("yaml", "{{#each l}}a{{/each}}\n", { l: v("x") }), /something else than a list/);
  t.end();
});

t.test("YAML: the place decides", (t) => {
  const view = { a: v(hostile), n: v(1e-7), i: v(-3), b: v(false), lines: [v("#!x"), v("  y"), v("")], pem: v(" a\nb\n"), blank: v("a\n\n") };
  t.equal(
    text("yaml", '{{a}}: {{n}} # {{a}}\n"k {{a}}": [{{i}}, {{b}}, { x: {{a}} }]\n', view),
    `"O'Brien & Söhne, \\"Edge\\" #1: $(reboot) {{x}}": 1.0e-7 # ${hostile}\n` +
      `"k O'Brien & Söhne, \\"Edge\\" #1: $(reboot) {{x}}": [-3, false, { x: "O'Brien & Söhne, \\"Edge\\" #1: $(reboot) {{x}}" }]\n`,
  );
  t.equal(text("yaml", "a:\n  - k: {{block lines}}\n  - {{block pem}}\n", view), "a:\n  - k: |2\n      #!x\n        y\n  - |2\n     a\n    b\n");
  t.equal(text("yaml", "k: {{block blank}}\n", view), 'k: "a\\n\\n"\n', "what a block literal can't hold is quoted");
  t.equal(text("yaml", "k: |\n  x {{sh a}} y\n\n  z\nb: {{b}}\n", view), `k: |\n  x 'O'\\''Brien & Söhne, "Edge" #1: $(reboot) {{x}}' y\n\n  z\nb: false\n`);
  t.throws(() => text("yaml", "a: b {{a}}\n", view), /only part of a scalar/);
  t.throws(() => text("yaml", "a: {{a}}b\n", view), /only part of a scalar/);
  t.throws(() => text("yaml", "a: {{a}}{{b}}\n", view), /only part of a scalar/);
  t.throws(() => text("yaml", "a: 'x {{a}}'\n", view), /only part of a scalar/);
  t.throws(() => text("yaml", "a: {{block pem}} # x\n", view), /\{\{block\}\} ends its line/);
  t.throws(() => text("yaml", "a: |\n  {{pem}}\n", view), /can't hold/);
  t.throws(() => text("yaml", "a: {{code a}}\n", view), /for Markdown/);
  t.throws(() => text("yaml", "a: >\n  {{a}}\n", view), /not what the document holds/, "folded text would lose spaces");
  t.throws(() => text("yaml", "a: {{a}}\nb: 0644\n", view), /differently/, "the template's own text is YAML 1.1 and 1.2 alike");
  t.throws(() => text("yaml", "{{a}}: 1\n{{a}}: 2\n", view), /duplicat/i);
  t.end();
});

t.test("JSON, XML and env", (t) => {
  const view = { a: v(`"<&>'\n\u2028`), n: v(3), b: v(true), name: v("X_1"), q: v(hostile) };
  t.equal(text("json", '{"k": {{a}}, "in {{a}}": [{{n}}, {{b}}]}\n', view), `{"k": "\\"<&>'\\n\\u2028", "in \\"<&>'\\n\\u2028": [3, true]}\n`);
  t.equal(text("xml", '<a b="{{a}}">{{a}}</a>\n', view), `<a b="&quot;&lt;&amp;&gt;'&#10;\u2028">"&lt;&amp;&gt;'\n\u2028</a>\n`);
  t.throws(() => text("xml", "<a b='{{a}}'/>\n", view), /not in double quotes/);
  t.throws(() => text("xml", "<!-- {{a}} -->\n", view), /a hole in a comment/);
  t.throws(() => xmlText("\ufffe"), /can't hold/);
  t.equal(xmlAttribute("a\tb"), "a&#9;b");
  const env = text("env", "# {{q}}\nCB_{{name}}={{q}}\nCB_N={{n}}\nCB_E=\n", view);
  t.equal(env, `# ${hostile}\nCB_X_1='O'\\''Brien & Söhne, "Edge" #1: $(reboot) {{x}}'\nCB_N='3'\nCB_E=\n`);
  t.strictSame([...readEnv(env)], [["CB_X_1", hostile], ["CB_N", "3"], ["CB_E", ""]]);
  t.throws(() => text("env", "A={{a}}\n", view), /a line break in a variable/);
  t.throws(() => text("env", "{{q}}=1\n", view), /not a part of a variable's name/);
  t.throws(() => text("env", "A=x{{n}}\n", view), /neither a name nor the whole value/);
  t.throws(() => text("env", "A={{n}}\nA={{n}}\n", view), /comes twice/);
  for (const bad of ["A=b", "A='b' # c", "A='b", "export A='b'", "a='b'", 'A="b"', "A='b'c", "A=$(x)"]) t.throws(() => readEnv(bad), /is not NAME=/, bad);
  t.end();
});

t.test("Markdown: text, code, tables, fences", (t) => {
  const view = { a: v(hostile), m: v("*a* _b_ [c](d) <e> `f` |g| &amp; https://h $x$"), d: v("- x"), n: v("12. x"), l: v("a\nb"), f: v("```"), lines: [v("x"), v("```")] };
  t.equal(text("markdown", "x {{m}}\n", view), "x \\*a\\* \\_b\\_ \\[c\\](d) \\<e> \\`f\\` \\|g\\| \\&amp; https\\://h \\$x\\$\n");
  t.equal(text("markdown", "{{d}}\n\n{{n}}\n", view), "\\- x\n\n12\\. x\n");
  t.equal(text("markdown", "x {{code m}}\n| {{code m}} |\n", view), "x ``*a* _b_ [c](d) <e> `f` |g| &amp; https://h $x$``\n| ``*a* _b_ [c](d) <e> `f` \\|g\\| &amp; https://h $x$`` |\n");
  t.equal(text("markdown", "```sh\necho {{a}}\n```\n```\n{{a}}\n```\n", view), `\`\`\`sh\necho 'O'\\''Brien & Söhne, "Edge" #1: $(reboot) {{x}}'\n\`\`\`\n\`\`\`\n${hostile}\n\`\`\`\n`);
  t.throws(() => text("markdown", "x {{l}}\n", view), /a line break/);
  t.throws(() => text("markdown", "x `{{a}}`\n", view), /write \{\{code/);
  t.throws(() => text("markdown", "```\n{{f}}\n```\n", view), /would end its fence/);
  t.throws(() => text("markdown", "```\n{{block lines}}\n```\n", view), /a fence inside a fence/);
  t.throws(() => text("markdown", "{{block lines}}\n", view), /outside a fence/);
  t.equal(markdownCode("`"), "`` ` ``");
  t.equal(markdownText("R&D & more"), "R\\&D & more");
  t.end();
});

t.test("every hole leaves a span with its origins", (t) => {
  const template = "a: {{a}}\n{{#if on}}\nfixed: 1\n{{/if}}\nl:\n{{#each l}}\n  - k: {{n}}\n    m: 2\n{{/each}}\nt: {{block lines}}\n";
  const { text, spans } = renderText("yaml", "t", template, {
    a: v("x", "spec:/a"),
    on: v(true, "default:on"),
    l: [{ n: v(1, "spec:/l/0") }, { n: v(2, "spec:/l/1") }],
    lines: [v("one", "spec:/one"), v("two", "spec:/two"), v("", "constant:t")],
  });
  t.equal(text, 'a: "x"\nfixed: 1\nl:\n  - k: 1\n    m: 2\n  - k: 2\n    m: 2\nt: |2\n  one\n  two\n');
  t.strictSame(
    spans.map(({ line, start, end, origins }) => `${line}:${start}-${end} ${origins.join(" ")}`),
    [
      "1:4-7 spec:/a",
      "2:1-9 default:on",
      "4:3-9 spec:/l/0",
      "4:8-9 spec:/l/0",
      "5:5-9 spec:/l/0",
      "6:3-9 spec:/l/1",
      "6:8-9 spec:/l/1",
      "7:5-9 spec:/l/1",
      "9:3-6 spec:/one",
      "10:3-6 spec:/two",
    ],
  );
  t.end();
});

t.test("drafts: static, text, and a template that quotes a file before it", (t) => {
  const assets = new Map([
    ["a/t.yaml", "k: {{x}}\n"],
    ["a/q.yaml", "content: {{block quoted}}\n"],
    ["a/s.sh", "#!/bin/sh\n"],
  ]);
  const one = { kind: "template", mode: 0o644, role: "site", format: "yaml", view: { x: v("no", "spec:/k") } } as const;
  const files = render(
    [
      { ...one, path: "t.yaml", template: "a/t.yaml" },
      { ...one, path: "q.yaml", template: "a/q.yaml", quotes: { quoted: "t.yaml" } },
      { kind: "static", path: "s.sh", mode: 0o755, role: "script", asset: "a/s.sh" },
    ],
    assets,
  );
  const texts = files.map((file) => (file.body.kind === "bytes" ? new TextDecoder().decode(file.body.bytes) : ""));
  t.strictSame(texts, ['k: "no"\n', 'content: |2\n  k: "no"\n', "#!/bin/sh\n"]);
  t.strictSame(files[1]?.spans, [{ line: 2, start: 3, end: 10, origins: ["spec:/k"] }], "the quoted line keeps its origins");
  t.strictSame(files.map((file) => file.source), ["templates/a/t.yaml", "templates/a/q.yaml", "templates/a/s.sh"]);
  t.throws(() => render([{ ...one, path: "q.yaml", template: "a/q.yaml", quotes: { quoted: "t.yaml" } }], assets), /isn't rendered before/);
  t.throws(() => render([{ ...one, path: "x", template: "a/none" }], assets), /no such template/);
  t.end();
});
