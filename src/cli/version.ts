/** Which version of the program this is. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Io } from "./io.ts";

export function version(io: Io): string {
  const text = readFileSync(join(io.packageFolder, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
