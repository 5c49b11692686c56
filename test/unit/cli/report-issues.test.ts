/** Issues as text, JSON and SARIF. */

import t from "tap";
import { countOf, issuesAsJson, issuesAsSarif, issuesAsText } from "../../../src/cli/report-issues.ts";
import type { Issue } from "../../../src/core/issue.ts";
import { locate } from "../../../src/spec/locate.ts";

const TEXT =
  "name: one\r\nnetworks:\n  external:\n    - {name: ü, mtu: 5}\nenvironment: {OS_PASSWORD: correct horse, MEX_DNS: x}\n";

function issue(code: Issue["code"], pointer: string, more: Partial<Issue> = {}): Issue {
  return { code, severity: "error", pointer, message: `something about ${pointer}`, ...more };
}

t.test("places", (t) => {
  t.same(locate(TEXT, issue("schema/form", "/name")), { line: 1, column: 7, endLine: 1, endColumn: 10 });
  t.same(locate(TEXT, issue("schema/range", "/networks/external/0/mtu")), {
    line: 4,
    column: 22,
    endLine: 4,
    endColumn: 23,
  });
  t.same(
    locate(TEXT, issue("schema/unknown-key", "/networks/external/0/mtu")),
    { line: 4, column: 17, endLine: 4, endColumn: 20 },
    "the key",
  );
  t.same(
    locate(TEXT, issue("schema/count", "/networks/external")),
    { line: 3, column: 3, endLine: 3, endColumn: 11 },
    "a list is shown at its key",
  );
  t.same(locate(TEXT, issue("schema/missing-key", "")), { line: 1, column: 1, endLine: 1, endColumn: 2 });
  t.same(
    locate(TEXT, issue("spec/mtu", "/networks/external/0/defaultRoute")),
    { line: 4, column: 7, endLine: 4, endColumn: 8 },
    "what is not there, at what holds it",
  );
  t.same(locate("a: [", issue("yaml/syntax", "", { span: { start: 3, end: 4 } })), {
    line: 1,
    column: 4,
    endLine: 1,
    endColumn: 5,
  });
  t.same(locate("", issue("yaml/empty", "")), { line: 1, column: 1, endLine: 1, endColumn: 1 });
  t.end();
});

t.test("text", (t) => {
  const issues = [
    issue("schema/form", "/name", { hint: "do this" }),
    issue("spec/tenant-small", "/networks/external/0/mtu", { severity: "warning" }),
  ];
  t.equal(
    issuesAsText({ name: "spec.yaml", text: TEXT, issues }),
    [
      "spec.yaml:1:7: error: something about /name [schema/form]",
      "    1 | name: one",
      "      |       ^^^",
      "  hint: do this",
      "spec.yaml:4:22: warning: something about /networks/external/0/mtu [spec/tenant-small]",
      "    4 |     - {name: ü, mtu: 5}",
      "      |                      ^",
      "",
    ].join("\n"),
  );
  t.match(issuesAsText({ name: "spec.yaml", text: TEXT, issues }, { colour: true }), /\u001b\[31merror:\u001b\[0m/);
  t.equal(
    issuesAsText({ name: "spec.yaml", issues: [issue("yaml/encoding", "")] }),
    "spec.yaml: error: something about  [yaml/encoding]\n",
  );
  t.equal(countOf(issues), "1 error, 1 warning");
  t.equal(countOf([]), "no issues");
  t.end();
});

t.test("no excerpt shows a secret, whatever the issue is about", (t) => {
  for (const pointer of ["/environment/OS_PASSWORD", "/environment/MEX_DNS", "/environment"]) {
    t.notMatch(
      issuesAsText({ name: "x", text: TEXT, issues: [issue("schema/form", pointer)] }),
      /correct|horse/,
      pointer,
    );
  }
  const broken = "environment:\n  OS_PASSWORD: correct horse: battery\n";
  t.notMatch(
    issuesAsText({ name: "x", text: broken, issues: [issue("yaml/syntax", "", { span: { start: 40, end: 41 } })] }),
    /correct|horse/,
    "in a text that can't be read",
  );
  t.end();
});

t.test("an excerpt is short and does nothing to a terminal", (t) => {
  const long = `{"a": "${"x".repeat(500)}", "b": "${"y".repeat(500)}"}`;
  const shown = issuesAsText({ name: "x", text: long, issues: [issue("schema/form", "/b")] });
  t.ok(shown.split("\n").every((line) => line.length < 140));
  t.match(shown, /…/);
  const hostile = 'a: "\u009b31m\u202etxt"\n';
  t.notMatch(
    issuesAsText({
      name: "x\u001b[2J",
      text: hostile,
      issues: [issue("schema/form", "/a", { message: "\u001b]0;x\u0007" })],
    }),
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/,
  );
  t.end();
});

t.test("JSON and SARIF 2.1.0", (t) => {
  const issues = [issue("schema/form", "/name", { hint: "do this" })];
  t.same(
    JSON.parse(
      issuesAsJson([
        { name: "a.yaml", text: TEXT, issues },
        { name: "b.yaml", issues: [] },
      ]),
    ),
    {
      documents: [
        {
          name: "a.yaml",
          issues: [
            {
              code: "schema/form",
              severity: "error",
              pointer: "/name",
              message: "something about /name",
              hint: "do this",
              line: 1,
              column: 7,
              endLine: 1,
              endColumn: 10,
            },
          ],
        },
        { name: "b.yaml", issues: [] },
      ],
    },
  );
  t.match(
    JSON.parse(
      issuesAsSarif([{ name: "my specs/a.yaml", text: TEXT, issues }], { name: "cloudlet-bundle", version: "1.0.0" }),
    ),
    {
      version: "2.1.0",
      runs: [
        {
          columnKind: "utf16CodeUnits",
          tool: {
            driver: {
              name: "cloudlet-bundle",
              version: "1.0.0",
              rules: [{ id: "schema/form", shortDescription: { text: String } }],
            },
          },
          results: [
            {
              ruleId: "schema/form",
              ruleIndex: 0,
              level: "error",
              message: { text: "something about /name (do this)" },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: "my%20specs/a.yaml" },
                    region: { startLine: 1, startColumn: 7, endLine: 1, endColumn: 10 },
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  );
  t.end();
});
