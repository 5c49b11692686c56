/** The rules of docs/architecture.md that a program can hold: direction of imports, purity, first lines, length. */

import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "../..");

/** From left to right; a file imports its own folder or one to its left. */
const pure = ["core", "spec", "plan", "guest", "platforms", "render", "pack", "evidence", "seal", "ovf"];
const edges = ["store", "deliver", "service", "cli"];
const order = [...pure, ...edges];

/** What a pure folder may use of Node: functions of their arguments alone. */
const pureModules = new Set(["node:crypto", "node:buffer", "node:util"]);
/** Of node:crypto, only what gives the same answer each time. */
const pureCrypto = new Set(["createHash", "createHmac", "createPrivateKey", "createPublicKey", "verify", "KeyObject", "X509Certificate", "timingSafeEqual"]);
const impureWords =
  /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.|globalThis\.process|fetch\(|setTimeout|setInterval|toLocale|localeCompare|Intl\.|console\.)/;

const files = sources(join(root, "src"));

t.test("every folder of src is in the order of the house", (t) => {
  const folders = [...new Set(files.map((file) => folderOf(file.path)))];
  t.strictSame(folders.filter((folder) => !order.includes(folder)), []);
  t.end();
});

t.test("imports go to the left", (t) => {
  const wrong = files.flatMap((file) =>
    importsOf(file).filter((each) => each.target.startsWith(".")).flatMap((each) => {
      const target = relative(join(root, "src"), join(root, "src", file.path, "..", each.target));
      return order.indexOf(folderOf(target)) > order.indexOf(folderOf(file.path)) ? [`${file.path} imports ${target}`] : [];
    }),
  );
  t.strictSame(wrong, []);
  t.end();
});

t.test("relative imports name a .ts file, and nothing imports a whole folder", (t) => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((each) => each.target.startsWith(".") && !/\.(ts|js)$/.test(each.target))
      .map((each) => `${file.path}: ${each.target}`),
  );
  t.strictSame(wrong, []);
  t.end();
});

t.test("pure folders are pure", (t) => {
  const wrong = files
    .filter((file) => pure.includes(folderOf(file.path)))
    .flatMap((file) => {
      const modules = importsOf(file)
        .filter((each) => each.target.startsWith("node:") && !pureModules.has(each.target))
        .map((each) => `${file.path} imports ${each.target}`);
      const crypto = importsOf(file)
        .filter((each) => each.target === "node:crypto")
        .flatMap((each) => each.names.filter((name) => !pureCrypto.has(name)).map((name) => `${file.path} uses ${name} of node:crypto`));
      const words = withoutComments(file.text)
        .split("\n")
        .flatMap((line, index) => (impureWords.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : []));
      return [...modules, ...crypto, ...words];
    });
  t.strictSame(wrong, []);
  t.end();
});

t.test("clock and randomness enter in cli and service only", (t) => {
  const wrong = files
    .filter((file) => !["cli", "service"].includes(folderOf(file.path)))
    .filter((file) => /\bMath\.random|\bDate\.now\(/.test(withoutComments(file.text)))
    .map((file) => file.path);
  t.strictSame(wrong, []);
  t.end();
});

t.test("every file says in its first line what it is for", (t) => {
  const wrong = files.filter((file) => !/^(#!.*\n)?(\/\*\*( |\n \* )|\/\/ )\S/.test(file.text)).map((file) => file.path);
  t.strictSame(wrong, []);
  t.end();
});

t.test("no file is past 400 lines", (t) => {
  const wrong = files.filter((file) => file.text.split("\n").length > 401).map((file) => file.path);
  t.strictSame(wrong, []);
  t.end();
});

t.test("erasable, named, without barrels", (t) => {
  const wrong = files.flatMap((file) => {
    const text = withoutComments(file.text);
    return [
      /^export default/m.test(text) && "default export",
      /^export \*/m.test(text) && "barrel",
      /^(export )?(const )?enum /m.test(text) && "enum",
      /^(export )?namespace /m.test(text) && "namespace",
      /[:<,(] ?any\b(?!\s*\()/.test(text.replace(/"[^"\n]*"|`[^`]*`|\/[^/\n]+\//g, '""')) && "any",
      /\/(utils|helpers|common|manager)\.ts$/.test(file.path) && "a name that says nothing",
    ].flatMap((what) => (what === false ? [] : [`${file.path}: ${what}`]));
  });
  t.strictSame(wrong, []);
  t.end();
});

interface Source {
  readonly path: string;
  readonly text: string;
}

function sources(folder: string): readonly Source[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("generated/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function importsOf(file: Source): readonly { readonly target: string; readonly names: readonly string[] }[] {
  const found = file.text.matchAll(/^(?:import|export)\s(?:type\s)?(?:([\s\S]*?)\sfrom\s)?"([^"]+)";/gm);
  const lazy = file.text.matchAll(/\bimport\("([^"]+)"\)/g);
  return [
    ...[...found].map((match) => ({ target: match[2] ?? "", names: namesIn(match[1] ?? "") })),
    ...[...lazy].map((match) => ({ target: match[1] ?? "", names: [] })),
  ];
}

function namesIn(clause: string): readonly string[] {
  return clause.replace(/[{}]/g, "").split(",").map((name) => name.trim().replace(/^type /, "").replace(/ as .*/, "")).filter((name) => name !== "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " ")).replace(/(^|\s)\/\/.*$/gm, "$1");
}
