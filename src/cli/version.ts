/** Which version of the program this is. */

import { versionOf } from "../store/package-folder.ts";
import type { Io } from "./io.ts";

export function version(io: Io): string {
  return versionOf(io.packageFolder);
}
