/** Nothing that a spec may say becomes markup of the report's page; what a browser would hide is shown. */

import t from "tap";

import { escaped, escapedContent, html } from "../../../src/evidence/page/html.ts";
import { textOf } from "../../golden/cases.ts";
import { bundleOf } from "./audit/bundle.ts";
import { hostileSpec, hostileTexts } from "./hostile-spec.ts";

t.test("text in content and in attributes", (t) => {
  t.equal(escaped(`<a href="x" title='y'>&amp;`), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;");
  t.equal(escapedContent(`<a> & "b"`), `&lt;a&gt; &amp; "b"`);
  t.equal(escaped("tab\tline\n"), "tab\tline\n");
  t.equal(escaped("a\u202eb\u2066c\u0000d\u200be\u00adf\ufeff\ud800"), "a\\u202eb\\u2066c\\u0000d\\u200be\\u00adf\\ufeff\\ud800");
  t.equal(escaped("Söhne \u05d0 \u{1f600}"), "Söhne \u05d0 \u{1f600}", "what is seen stays");
  t.equal(html`<p title="${'"'}">${"<"}${html`<b>${1}</b>`}${[html`<i>`, html`</i>`]}${undefined}</p>`.markup, `<p title="&quot;">&lt;<b>1</b><i></i></p>`);
  t.end();
});

/** Every tag that the page has by itself: what is in none of these forms came out of its place. */
const name = "(?:a|b|body|caption|circle|code|dd|desc|details|div|dl|dt|figcaption|figure|footer|g|h[1-3]|head|header|html|i|li|main|meta|nav|ol|p|path|rect|section|small|span|style|summary|svg|table|tbody|td|text|th|thead|time|title|tr|ul)";
const attributes = ["id", "class", "aria-label", "aria-labelledby", "aria-describedby", "tabindex", "role", "scope", "datetime", "lang", "charset", "http-equiv", "name", "content", "viewBox", "x", "y", "d", "r", "cx", "cy", "rx", "width", "height", "text-anchor", "transform"].join("|");
const tag = new RegExp(`^<(?:!doctype html|/${name}|${name}(?:\\s+(?:(?:${attributes})="[^"<>]*"|href="#[^"<>]*"))*\\s*/?)>`);

t.test("whatever the spec says, the page has its own tags and attributes only", (t) => {
  for (let turn = 0; turn < hostileTexts.length; turn += 1) {
    const { files } = bundleOf("everything", { spec: () => hostileSpec(turn) });
    const page = textOf(files.find(({ path }) => path === "evidence/report.html"));
    const style = /<style>[^<]*<\/style>/.exec(page)?.[0] ?? "";
    const rest = page.replace(style, "<style></style>");
    const wrong = [...rest.matchAll(/</g)].map(({ index }) => rest.slice(index, index + 400)).filter((at) => !tag.test(at));
    t.strictSame(wrong, [], `turn ${turn}`);
    t.equal([...rest.matchAll(/<section /g)].length, 12, "the sections that it is made of");
    // What turns or hides text must not stand there as itself.
    t.notMatch(rest, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/);
    for (const text of hostileTexts.slice(0, 7)) t.ok(rest.includes(escaped(text)) || rest.includes(escapedContent(text)), `shown: ${text.slice(0, 40)}`);
    t.ok(rest.includes("\\u200f\\u200e\\u00ad\\u200b\\u2060"), "and made visible");
  }
  t.end();
});

t.test("the policy lets nothing load or run, and the only style is the one it names", (t) => {
  const { files } = bundleOf("minimal");
  const page = textOf(files.find(({ path }) => path === "evidence/report.html"));
  t.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'">/);
  t.equal([...page.matchAll(/<style/g)].length, 1);
  t.notMatch(page, /<[^<>]* style="/, "no style in an attribute, which the policy would refuse");
  const css = /<style>([^<]*)<\/style>/.exec(page)?.[1] ?? "";
  t.notMatch(css, /url\(|@import|expression/);
  t.end();
});
