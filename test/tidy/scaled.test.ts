/** Who has a folder loads neither PostgreSQL nor S3: their libraries are imported in few files, and those only when asked for. */

import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "../../src");
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, "utf8") }));

/** Modules that are imported when the file is, types aside. */
function imported(text: string): readonly string[] {
  return [...text.matchAll(/^import (?!type )[^;]*? from "([^"]+)";/gm)].map((match) => match[1] ?? "");
}

const loading = new Set(files.filter(({ text }) => imported(text).some((target) => /^(pg|pg-boss|@aws-sdk\/.*)$/.test(target))).map(({ path }) => path));

t.test("few files need the libraries", (t) => {
  t.strictSame([...loading].sort(), ["service/scaled/boss-queue.ts", "service/scaled/notices.ts", "service/scaled/postgres.ts", "store/object-store.ts"]);
  t.end();
});

t.test("whoever imports those is imported in their turn only by what is scaled out", (t) => {
  for (let grown = -1; grown !== loading.size; ) {
    grown = loading.size;
    for (const { path, text } of files) {
      if (imported(text).some((target) => target.startsWith(".") && loading.has(join(path, "..", target)))) loading.add(path);
    }
  }
  t.strictSame([...loading].sort(), ["service/scaled/backing.ts", "service/scaled/boss-queue.ts", "service/scaled/notices.ts", "service/scaled/postgres.ts", "store/object-store.ts", "store/push-blobs.ts"]);
  t.end();
});
