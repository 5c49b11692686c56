/** Debian's package database: /var/lib/dpkg/status, or one file for each package in status.d (distroless images). */

import type { DatabaseFile } from "./database-file.ts";
import { atMost, type FoundPackage } from "./package.ts";
import { stanzas } from "./stanzas.ts";

/** The packages that are installed; deb-control(5), dpkg's `Status: want flag status`. */
export function dpkgPackages(file: DatabaseFile): readonly FoundPackage[] {
  return atMost(packages(file));
}

const wanted = ["package", "version", "status", "source", "maintainer", "architecture"];

/** RFC 822 style: a line that begins with white space continues the field before it, and is none of these. */
function* packages(file: DatabaseFile): Generator<FoundPackage> {
  for (const fields of stanzas(file, (written) => wanted.find((name) => name === written.toLowerCase()))) {
    const name = fields.get("package");
    const version = fields.get("version");
    const status = fields.get("status") ?? "install ok installed";
    if (!name || !version || !/ (installed|triggers-pending|triggers-awaited)$/.test(status)) continue;
    const source = withoutVersion(fields.get("source"));
    const supplier = fields.get("maintainer");
    yield {
      type: "deb",
      name,
      version,
      architecture: fields.get("architecture") ?? "",
      ...(source === undefined || source === name ? {} : { source }),
      ...(supplier === undefined ? {} : { supplier }),
    };
  }
}

/** `glibc (2.36-9)`: the source package, and its version where it has another. */
function withoutVersion(source: string | undefined): string | undefined {
  const at = source?.endsWith(")") === true ? source.indexOf(" (") : -1;
  return at < 0 ? source : source?.slice(0, at);
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
