/** The page of diff: one file that loads and runs nothing, whatever the bundles are called and hold. */

import { createHash } from "node:crypto";
import t from "tap";

import { hexOf, sha256 } from "../../../src/core/digest.ts";
import { changedStretch } from "../../../src/evidence/changed-stretch.ts";
import { differences, type DiffFile, type DiffSide } from "../../../src/evidence/diff.ts";
import { differencesAsHtml } from "../../../src/evidence/diff-html.ts";
import { readRecord } from "../../../src/evidence/record.ts";
import { composeText, specText, textOf, wellRead } from "../../golden/cases.ts";
import type { File } from "../../../src/core/file.ts";

function side(files: readonly File[]): DiffSide {
  const text = (name: string): string => textOf(files.find((file) => file.path === `evidence/${name}.json`));
  const record = wellRead(readRecord({ spec: text("spec"), release: text("release"), lock: text("lock"), origins: text("origins") }));
  const own = files.map((file): [string, DiffFile] => [file.path, { mode: "0644", role: file.role, sha256: hexOf(sha256(textOf(file))), text: textOf(file) }]);
  return { record, files: new Map(own), fingerprint: undefined, generator: "g 1", isMade: () => true };
}

const pageOf = (before: string, after: string, names: readonly [string, string] = ["a.tar", "b.tar"]): string => {
  const [a, b] = [side(wellRead(composeText(before)).files), side(wellRead(composeText(after)).files)];
  return [...differencesAsHtml({ name: names[0], side: a }, { name: names[1], side: b }, differences(a, b))].join("");
};

/** Every element, so that one that a text brought along would be seen. */
const elements = (page: string): readonly string[] => [...new Set([...page.matchAll(/<([a-z][a-z0-9]*)/g)].map((match) => match[1] ?? ""))].sort();

const known = ["a", "article", "body", "caption", "code", "dd", "del", "div", "dl", "dt", "footer", "h1", "h2", "h3", "head", "header", "html", "ins", "li", "main", "meta", "nav", "p", "pre", "section", "span", "style", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"];

t.test("values and lines of both sides, with what differs marked", (t) => {
  const spec = specText("minimal");
  const page = pageOf(spec, `${spec}dynamicIps: 9\n`.replace(/^dynamicIps: 8\n/m, ""));
  t.match(page, /<h2 id="sizing-title">sizing, 1: how much of the IaaS it takes<\/h2>/);
  t.match(page, /<h3>changed spec <code>\/dynamicIps<\/code><\/h3>\n<dl>\n<dt>before<\/dt><dd><pre><del>\d+<\/del><\/pre><\/dd>/);
  t.match(page, /<dt>after by<\/dt><dd><code>spec:\/dynamicIps<\/code> evidence\/spec\.json:\d+:\d+<\/dd>/);
  t.match(page, "<ins>9</ins>");
  t.equal(pageOf(spec, spec).match(/No difference\./g)?.length, 1);
  t.equal(page, pageOf(spec, `${spec}dynamicIps: 9\n`.replace(/^dynamicIps: 8\n/m, "")), "the same bytes for the same sides");
  t.end();
});

t.test("nothing is loaded or run: one policy, and its digest is that of the style", (t) => {
  const page = pageOf(specText("minimal"), specText("everything"));
  const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
  t.match(page, `content="default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'"`);
  t.strictSame(elements(page).filter((name) => !known.includes(name)), []);
  t.notMatch(page.replace(style, ""), /\s(style|on[a-z]+|src|srcdoc)=|href="(?!#)/);
  t.ok(page.indexOf("Content-Security-Policy") < page.indexOf("<style>"));
  t.end();
});

t.test("hostile texts are shown, and do nothing", (t) => {
  const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>&lt;\u202e`;
  const page = pageOf(specText("hostile-names"), specText("hostile-names").replace("note: \"O'Brien", "note: \"</pre><script>x()</script><b>O'Brien"), [hostile, "</title><script>x</script>"]);
  t.strictSame(elements(page).filter((name) => !known.includes(name)), []);
  t.notMatch(page, /<script|<img|<b>|\u202e/);
  t.match(page, "<ins>&lt;/pre&gt;&lt;script&gt;x()&lt;/script&gt;&lt;b&gt;</ins>");
  t.match(page, String.raw`&lt;img src=x onerror=alert(1)&gt;&amp;lt;\u202e`);
  t.end();
});

t.test("the stretch that differs", (t) => {
  const middles = (a: string, b: string): readonly string[] => changedStretch(a, b).map(({ start, middle, end }) => `${start}[${middle}]${end}`);
  t.strictSame(middles("10.0.0.0/16", "10.0.1.0/16"), ["10.0.[0].0/16", "10.0.[1].0/16"]);
  t.strictSame(middles("aa", "aaa"), ["aa[]", "aa[a]"]);
  t.strictSame(middles("", "x"), ["[]", "[x]"]);
  t.strictSame(middles("\ud83d\ude00", "\ud83d\ude01"), ["[\ud83d\ude00]", "[\ud83d\ude01]"], "no character is cut in two");
  t.end();
});
