/** What each golden spec becomes is what lies on disk, to the byte; after a wanted change: node test/golden/update.ts */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import { caseNames, renderedFiles } from "./cases.ts";

for (const name of caseNames) {
  t.test(name, (t) => {
    const folder = join(import.meta.dirname, name, "expected");
    const files = renderedFiles(name);
    const onDisk = !existsSync(folder)
      ? []
      : readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
          .sort();
    t.strictSame(files.map((file) => file.path), onDisk, "the same files");
    for (const { path, text } of files) {
      if (onDisk.includes(path)) t.equal(text, readFileSync(join(folder, path), "utf8"), path);
    }
    t.end();
  });
}
