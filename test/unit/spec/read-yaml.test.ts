/** YAML's traps end in an issue: no stack trace, no hang, nothing silently read otherwise. */

import t from "tap";
import { DOCUMENT_MAX_BYTES, decodeText } from "../../../src/spec/decode-text.ts";
import { coreMeaning, otherMeaning } from "../../../src/spec/plain-scalar.ts";
import { readYaml } from "../../../src/spec/read-yaml.ts";

/** A hostile document may take so many times the processor time of a plain one of the same size; the slowest takes three times. */
const PATIENCE = 10;

function codes(text: string): readonly string[] {
  return readYaml(text).issues.map((issue) => issue.code);
}

t.test("values are those of YAML 1.2's core schema", (t) => {
  const text = 'a: 1\nb: -2.5\nc: true\nd: null\ne:\nf: \'no\'\ng: [x, {k: z}]\nh: |\n  two\n  lines\n"i": "\\u263a"\n';
  t.same(readYaml(text).value, {
    a: 1,
    b: -2.5,
    c: true,
    d: null,
    e: null,
    f: "no",
    g: ["x", { k: "z" }],
    h: "two\nlines\n",
    i: "☺",
  });
  t.same(readYaml('{"a": [1, "b"], "c": {}}').value, { a: [1, "b"], c: {} }, "JSON is YAML");
  t.equal(Object.is((readYaml("a: -0").value as { a: number }).a, 0), true, "there is one zero");
  t.end();
});

t.test("marks say where each value stands", (t) => {
  const text = "\ufeffa: 'x'\r\nb:\r\n  - \"yz\"\r\n  - {c: 1}\r\n";
  const { marks, value } = readYaml(text);
  t.same(value, { a: "x", b: ["yz", { c: 1 }] }, "BOM and CRLF are no harm");
  const shown = (pointer: string): string => text.slice(marks.get(pointer)?.start, marks.get(pointer)?.end);
  t.equal(shown("/a"), "'x'");
  t.equal(shown("/b/0"), '"yz"');
  t.equal(shown("/b/1/c"), "1");
  t.same(marks.get("/b/1/c")?.key, { start: text.indexOf("c: 1"), end: text.indexOf("c: 1") + 1 });
  t.end();
});

t.test("traps are called by name", (t) => {
  const traps: readonly (readonly [string, readonly string[]])[] = [
    ["", ["yaml/empty"]],
    ["\n\n", ["yaml/empty"]],
    ["---\n", ["yaml/empty"]],
    ["a: b\0", ["yaml/control-character"]],
    ["a: \u0007", ["yaml/control-character"]],
    ["a: 1\na: 2", ["yaml/duplicate-key"]],
    ["a: 1\n'a': 2", ["yaml/duplicate-key"]],
    ["a: &x 1\nb: *x", ["yaml/anchor", "yaml/alias"]],
    ["a: {<<: {b: 1}}", ["yaml/merge-key"]],
    ["a: !!python/object/apply:os.system [id]", ["yaml/tag"]],
    ["a: !!binary aGk=", ["yaml/tag"]],
    ["a: !!str 5", ["yaml/tag"]],
    ["? [a]\n: b", ["yaml/key"]],
    ["a: 1\n---\nb: 2", ["yaml/several-documents"]],
    ["%YAML 1.1\n---\na: 1", ["yaml/directive"]],
    ["a:\n\t- b", ["yaml/tab"]],
    ["a:\tb", ["yaml/tab"]],
    ["a: .inf", ["yaml/number"]],
    ["a: 99999999999999999999", ["yaml/number"]],
    ["no: 1", ["yaml/ambiguous"]],
    ["1: 1", ["yaml/ambiguous"]],
    ["a: 'b", ["yaml/syntax"]],
    ["a: b: c", ["yaml/syntax"]],
    ["@a: b", ["yaml/syntax"]],
  ];
  for (const [text, expected] of traps) t.same(codes(text), expected, JSON.stringify(text));
  t.end();
});

t.test("hostile documents end in time", (t) => {
  const size = DOCUMENT_MAX_BYTES - 100;
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 20 }, (_, index) => `b${index}: &b${index} [${"*a,".repeat(9)}]\n`).join("")}`;
  const hostile: Readonly<Record<string, string>> = {
    brackets: "[".repeat(size),
    braces: "{".repeat(size),
    "keys in braces": "{a: ".repeat(size / 4),
    dashes: "- ".repeat(size / 2),
    questions: "? ".repeat(size / 2),
    indentation: Array.from({ length: 1300 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    anchors: Array.from({ length: 900 }, (_, depth) => `${" ".repeat(depth)}&a`).join("\n"),
    tags: "!!a\n".repeat(size / 4),
    "anchors and tags": "&a\n!b\n".repeat(size / 6),
    quotes: "'".repeat(size),
    "an open quote": `a: "${"x\n".repeat(size / 2)}`,
    pairs: `[${"a: b, ".repeat(size / 7)}]`,
    "pairs in pairs": "[a: ".repeat(size / 4),
    "a list": "- a\n".repeat(size / 4),
    keys: Array.from({ length: 80_000 }, (_, index) => `k${index}: v`).join("\n"),
    "the same key": "a: b\n".repeat(size / 5),
    comments: "#\n".repeat(size / 2),
    documents: "---\na\n".repeat(size / 6),
    blank: " \n".repeat(size / 2),
    tabs: "\t".repeat(size),
    "one line": `a: ${"x ".repeat(size / 2 - 3)}`,
    "a long key": `${"x".repeat(size - 10)}: a`,
    "an alias bomb": bomb,
    "10 MiB of nesting": "[".repeat(10 * 1024 * 1024),
  };
  const timed = (text: string): { readonly reading: ReturnType<typeof readYaml>; readonly took: number } => {
    const start = process.cpuUsage();
    const reading = readYaml(text);
    return { reading, took: process.cpuUsage(start).user / 1000 };
  };
  const plain = timed(Array.from({ length: Math.floor(size / 14) }, (_, index) => `k${String(index).padStart(6, "0")}: word`).join("\n")).took;
  for (const [name, text] of Object.entries(hostile)) {
    const { reading, took } = timed(text);
    t.ok(took < PATIENCE * plain, `${name}: ${took.toFixed(0)} ms; a plain one ${plain.toFixed(0)} ms`);
    t.ok(reading.value !== undefined || reading.issues.length > 0, `${name} ends in a value or an issue`);
  }
  t.end();
});

t.test("what YAML 1.1 reads otherwise", (t) => {
  for (const text of [
    "no",
    "on",
    "Yes",
    "y",
    "0644",
    "0o17",
    "12:30:45",
    "52:54:00:12:34:56",
    "1_000",
    "08",
    "1e3",
    "2026-11-24",
    "2026-11-24T00:00:00Z",
    "0b11",
    "=",
    "<<",
  ]) {
    t.type(otherMeaning(text), "string", text);
  }
  for (const text of [
    "north",
    "644",
    "1000",
    "1.5",
    "-3",
    "true",
    "null",
    "~",
    "5.0.0",
    "a:b",
    "10.0.0.1",
    "sha256:00",
    "2001:db8::1",
    "v1",
    "",
  ]) {
    t.equal(otherMeaning(text), undefined, text);
  }
  t.equal(coreMeaning("0644"), 644);
  t.end();
});

t.test("bytes to text", (t) => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  t.match(decodeText(bytes("\ufeffa: ü")), { ok: true, value: "a: ü" });
  t.match(decodeText(new Uint8Array([0xff, 0xfe, 0x61, 0])), {
    ok: false,
    issues: [{ code: "yaml/encoding", message: /UTF-16/ }],
  });
  t.match(decodeText(new Uint8Array([0x61, 0, 0x62, 0])), {
    ok: false,
    issues: [{ code: "yaml/encoding", message: /UTF-16/ }],
  });
  t.match(decodeText(new Uint8Array([0x61, 0xe9, 0x61])), { ok: false, issues: [{ message: /byte 1 \(0xe9/ }] });
  t.match(
    decodeText(new Uint8Array([0x61, 0xc3, 0xa9, 0xed, 0xa0, 0x80])),
    { ok: false, issues: [{ message: /byte 3 \(0xed/ }] },
    "half a surrogate pair",
  );
  t.match(decodeText(new Uint8Array([0x61, 0xe2, 0x82])), { ok: false, issues: [{ message: /byte 1 / }] }, "cut off");
  t.match(decodeText(bytes("abc\0")), { ok: false, issues: [{ code: "yaml/control-character" }] });
  t.match(decodeText(new Uint8Array(DOCUMENT_MAX_BYTES + 1).fill(0x61)), {
    ok: false,
    issues: [{ code: "yaml/too-long" }],
  });
  t.match(decodeText(new Uint8Array()), { ok: true, value: "" });
  t.end();
});
