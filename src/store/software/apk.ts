/** Alpine's package database: /lib/apk/db/installed. */

import type { FoundPackage } from "./package.ts";

/** Blocks of `LETTER:VALUE` lines, apk's installed database: P name, V version, A architecture, L licence, o origin, m maintainer. */
export function apkPackages(text: string): readonly FoundPackage[] {
  return text.split(/\n{2,}/).flatMap((block) => {
    const fields = new Map(block.split("\n").flatMap((line) => (/^[A-Za-z]:/.test(line) ? [[line.slice(0, 1), line.slice(2).trim()] as const] : [])));
    const name = fields.get("P");
    const version = fields.get("V");
    if (!name || !version) return [];
    const source = fields.get("o");
    const licence = fields.get("L");
    const supplier = fields.get("m");
    return [
      {
        type: "apk" as const,
        name,
        version,
        architecture: fields.get("A") ?? "",
        ...(!source || source === name ? {} : { source }),
        ...(!licence ? {} : { licence }),
        ...(!supplier ? {} : { supplier }),
      },
    ];
  });
}
