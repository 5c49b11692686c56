/** Debian's package database: /var/lib/dpkg/status, or one file for each package in status.d (distroless images). */

import type { FoundPackage } from "./package.ts";

/** The packages that are installed; deb-control(5), dpkg's `Status: want flag status`. */
export function dpkgPackages(text: string): readonly FoundPackage[] {
  return text.split(/\n{2,}/).flatMap((stanza) => {
    const fields = fieldsOf(stanza);
    const name = fields.get("package");
    const version = fields.get("version");
    const status = fields.get("status") ?? "install ok installed";
    if (name === undefined || version === undefined || !/ (installed|triggers-pending|triggers-awaited)$/.test(status)) return [];
    const source = fields.get("source")?.replace(/ \(.*\)$/, "");
    const supplier = fields.get("maintainer");
    return [
      {
        type: "deb" as const,
        name,
        version,
        architecture: fields.get("architecture") ?? "",
        ...(source === undefined || source === name ? {} : { source }),
        ...(supplier === undefined ? {} : { supplier }),
      },
    ];
  });
}

/** RFC 822 style: a line that begins with white space continues the field before it. */
function fieldsOf(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.split("\n")) {
    const [, key, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key.toLowerCase(), value.trim());
  }
  return fields;
}

/**
 * The licences that a machine-readable /usr/share/doc/PACKAGE/copyright names (DEP-5, copyright-format 1.0), Debian's short
 * names joined by AND, sorted; undefined where the file is prose.
 */
export function debianLicence(copyright: string): string | undefined {
  if (!/^Format: *https?:\/\/(www\.)?debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/? *$/m.test(copyright.slice(0, 4_096))) return undefined;
  const names = copyright
    .split(/\n{2,}/)
    .filter((stanza) => /^Files:/m.test(stanza))
    .flatMap((stanza) => /^License:[ \t]*(.+)$/m.exec(stanza)?.[1]?.trim() ?? []);
  const several = [...new Set(names)].sort();
  if (several.length === 0) return undefined;
  return several.map((name) => (several.length > 1 && / (or|and) /i.test(name) ? `(${name})` : name)).join(" AND ");
}
