/** What the documents say of the repository is so: links lead somewhere, commands exist, folders and budgets are the real ones. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { verbs } from "../../src/cli/verbs.ts";
import { verifyCodes } from "../../src/seal/verdict.ts";
import { platforms } from "../../src/platforms/registry.ts";

const root = join(import.meta.dirname, "../..");
const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" }).split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const documents = tracked.filter((path) => path.endsWith(".md") && !path.startsWith("test/") && !path.startsWith("templates/"));

t.test("every link of a document leads to a file", (t) => {
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  t.strictSame(broken, []);
  t.end();
});

t.test("every npm command of a document is a script", (t) => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const unknown = documents.flatMap((path) =>
    [...read(path).matchAll(/\bnpm (?:run (?:--silent )?)?([a-z]+)/g)]
      .map((match) => match[1] ?? "")
      .filter((name) => !(name in scripts) && !["run", "ci", "install", "and", "puts", "or"].includes(name))
      .map((name) => `${path}: npm run ${name}`),
  );
  t.strictSame(unknown, []);
  t.end();
});

t.test("every verb of a document is one of ours", (t) => {
  const names = new Set([...verbs.map((verb) => verb.name), "help"]);
  const unknown = documents.flatMap((path) =>
    [...read(path).matchAll(/(?:^|[`\s])cloudlet-bundle ([a-z][a-z-]+)\b(?=[ `\n])/gm)]
      .map((match) => match[1] ?? "")
      .filter((name) => !names.has(name) && /`[^`\n]*cloudlet-bundle|^ {2,}cloudlet-bundle|^cloudlet-bundle/m.test(read(path)) && !proseAfterName.has(name))
      .map((name) => `${path}: ${name}`),
  );
  t.strictSame(unknown, []);
  t.end();
});

/** Words that follow the product's name in a sentence. */
const proseAfterName = new Set(["makes", "is", "turns", "verifies", "does", "reads", "and", "itself"]);

t.test("the architecture's table lists the folders of src", (t) => {
  const listed = [...read("docs/architecture.md").matchAll(/^\| `src\/(\w+)` \|/gm)].map((match) => match[1]);
  t.strictSame([...listed].sort(), readdirSync(join(root, "src")).sort());
  t.end();
});

t.test("each platform has its page, schema and templates", (t) => {
  for (const platform of platforms) {
    t.ok(existsSync(join(root, `docs/platforms/${platform.name}.md`)), `${platform.name}: page`);
    t.ok(existsSync(join(root, "schemas", platform.parameterSchema)), `${platform.name}: schema`);
    t.ok(existsSync(join(root, "templates", platform.name)), `${platform.name}: templates`);
  }
  t.end();
});

t.test("the budgets are the ones that the benchmark holds", (t) => {
  const limits = [...read("scripts/bench.ts").matchAll(/^ {2,}add(?:Pairs)?\([^;]*?, ([\d.]+)(?:, "(?:x|ms|MiB)")?\);$/gm)].map((match) => Number(match[1]));
  const documented = [...read("docs/budgets.md").matchAll(/^\| [^|]+ \| ([\d.]+) (?:×|ms|MiB) \|/gm)].map((match) => Number(match[1]));
  t.ok(limits.length >= 8, `${limits.length} budgets`);
  t.strictSame([...new Set(limits)].sort(), [...new Set(documented)].sort());
  t.end();
});

t.test("the format page names every code of verify, and no other", (t) => {
  const named = [...read("docs/bundle-format.md").matchAll(/`(verify\/[a-z-]+)`/g)].map((match) => match[1]);
  t.strictSame([...new Set(named)].sort(), Object.keys(verifyCodes).sort());
  t.end();
});

t.test("the tree holds no path of a machine and no registry's address", (t) => {
  const wrong = tracked
    .filter((path) => !/\.(png|tar|qcow2)$/.test(path) && path !== "test/tidy/documents.test.ts" && !path.startsWith("test/labs/"))
    .flatMap((path) => {
      const text = read(path);
      return [/\/(?:root|home)\/\w+\/(?!\.|accesskey|crm_cache)/, /"resolved": *"https?:/, /registry\.npmjs|pypi\.org|proxy\.golang/].flatMap((pattern) => {
        const match = pattern.exec(text);
        return match === null ? [] : [`${path}: ${match[0]}`];
      });
    });
  t.strictSame(wrong, []);
  t.end();
});
