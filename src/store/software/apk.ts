/** Alpine's package database: /lib/apk/db/installed. */

import type { DatabaseFile } from "./database-file.ts";
import { atMost, type FoundPackage } from "./package.ts";
import { stanzas } from "./stanzas.ts";

/** Blocks of `LETTER:VALUE` lines, apk's installed database: P name, V version, A architecture, L licence, o origin, m maintainer. */
export function apkPackages(file: DatabaseFile): readonly FoundPackage[] {
  return atMost(packages(file));
}

function* packages(file: DatabaseFile): Generator<FoundPackage> {
  for (const fields of stanzas(file, (written) => (["P", "V", "A", "L", "o", "m"].includes(written) ? written : undefined))) {
    const name = fields.get("P");
    const version = fields.get("V");
    if (!name || !version) continue;
    const source = fields.get("o");
    const licence = fields.get("L");
    const supplier = fields.get("m");
    yield {
      type: "apk",
      name,
      version,
      architecture: fields.get("A") ?? "",
      ...(!source || source === name ? {} : { source }),
      ...(!licence ? {} : { licence }),
      ...(!supplier ? {} : { supplier }),
    };
  }
}
