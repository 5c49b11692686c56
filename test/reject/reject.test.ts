/** Every code is reached by one edit of a valid document, alone, and the list of codes is complete. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ALL_ISSUE_CODES } from "../../src/cli/issue-codes.ts";
import { issuesAsText } from "../../src/cli/report-issues.ts";
import { ISSUE_CODES } from "../../src/spec/issue-codes.ts";
import { REJECT_CASES } from "./cases.ts";
import { baseOf, issuesOf, judge } from "./judge.ts";

const root = join(import.meta.dirname, "../..");

t.test("the bases are valid", (t) => {
  for (const document of ["spec", "release", "lock", "import"] as const) {
    t.same(issuesOf(document, baseOf(document)), [], document);
  }
  t.end();
});

t.test("each case ends in its code, once, and in no other", (t) => {
  for (const each of REJECT_CASES) {
    const { issues } = judge(each);
    t.same(
      issues.map((issue) => issue.code),
      [each.code],
      each.code,
    );
    for (const issue of issues) {
      t.notMatch(issue.message, /undefined|\[object|NaN/, `${each.code} speaks of what the user wrote`);
      t.ok(
        issue.hint !== undefined ||
          issue.code.startsWith("schema/") ||
          issue.code.startsWith("import/") ||
          issue.code === "spec/variable-value",
        `${each.code} says what to do`,
      );
    }
  }
  t.end();
});

t.test("codes in the code, the list, the cases and the reference are the same", (t) => {
  const listed = Object.keys(ISSUE_CODES).sort();
  const cases = [...new Set(REJECT_CASES.map((each) => each.code))].sort();
  const stages = [...new Set(listed.map((code) => code.split("/")[0]))].join("|");
  const used = new Set(
    sourcesBelow("src/spec").flatMap((text) =>
      [...text.matchAll(new RegExp(`"((?:${stages})/[a-z0-9-]+)"`, "g"))].map((match) => match[1]),
    ),
  );
  const documented = [
    ...readFileSync(join(root, "docs/reference/issues.md"), "utf8").matchAll(/^### ([a-z]+\/[a-z0-9-]+)$/gm),
  ]
    .map((match) => match[1])
    .sort();
  t.same(cases, listed, "reject cases");
  t.same([...used].sort(), listed, "codes in src/spec");
  t.same(documented, Object.keys(ALL_ISSUE_CODES).sort(), "docs/reference/issues.md");
  t.end();
});

t.test("no report shows a secret", (t) => {
  for (const each of REJECT_CASES.filter(
    ({ replace }) => typeof replace === "string" && /correct.horse/.test(replace),
  )) {
    const { text, issues } = judge(each);
    t.notMatch(issuesAsText({ name: "x.yaml", text, issues }), /correct.horse/, each.code);
    t.notMatch(JSON.stringify(issues), /correct.horse/, `${each.code}, the issue itself`);
  }
  t.end();
});

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter(
      (name) =>
        name.endsWith(".ts") && !name.startsWith("generated") && name !== "issue-codes.ts" && name !== "locate.ts",
    )
    .map((name) => readFileSync(join(root, folder, name), "utf8"));
}
