/** Writes the golden files anew: `node test/golden/update.ts`. Read the difference before you keep it. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { caseNames, renderedFiles } from "./cases.ts";

for (const name of caseNames) {
  const folder = join(import.meta.dirname, name, "expected");
  rmSync(folder, { recursive: true, force: true });
  for (const { path, text } of renderedFiles(name)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
