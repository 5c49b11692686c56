/** What lies in the folder of the program itself: its templates, and which version it is. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../core/assets.ts";

/** Every text of `templates/`, by its path below it. */
export function assetsOf(packageFolder: string): Assets {
  const folder = join(packageFolder, "templates");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

/** Which version of the program lies in that folder. */
export function versionOf(packageFolder: string): string {
  const text = readFileSync(join(packageFolder, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
