/**
 * Writes src/evidence/generator.ts: this program's name, version, licence and the packages that it is made of, from
 * package.json and package-lock.json. A test holds the file to them.
 *
 * usage: node scripts/generate-generator.ts
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { byCodeUnit } from "../src/core/json.ts";

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const place = join(root, "src/evidence/generator.ts");

/** They carry requests, keep the service's state and take a bundle elsewhere; no byte of one is made by them, so none of its documents names them. */
const besides: ReadonlySet<string> = new Set(["@aws-sdk/client-s3", "@aws-sdk/lib-storage", "@fastify/swagger", "fastify", "jose", "kysely", "pg", "pg-boss", "ssh2"]);

export function generatorText(): string {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: Record<string, LockedPackage> };
  const own = packages[""];
  if (own === undefined) throw new Error("package-lock.json has no root");
  const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };
  const { dependencies = {} } = own;
  const making: LockedPackage = { ...own, dependencies: Object.fromEntries(Object.entries(dependencies).filter(([each]) => !besides.has(each))) };
  const parts = [...reached("", making, packages)].sort(byCodeUnit).map((path) => {
    const each = packages[path] as LockedPackage;
    return { path, each, ref: refOf(path, each) };
  });
  const lines = new Map(
    parts.map(({ path, each, ref }) => [
      ref,
      `    { name: ${text(nameOf(path))}, version: ${text(each.version)}, licence: ${text(each.license ?? "")}, sha512: ${text(sha512Of(each))}, dependsOn: [${depends(path, each, packages).map(text).join(", ")}] },`,
    ]),
  );
  return [
    "/** What makes the bundles: this program and the packages that it is built of. Made by scripts/generate-generator.ts; not for editing. */",
    "",
    "export interface GeneratorPart {",
    "  readonly name: string;",
    "  readonly version: string;",
    "  /** SPDX licence expression; empty where the package states none. */",
    "  readonly licence: string;",
    "  /** Of the package as npm packs it: 128 hexadecimal digits. */",
    "  readonly sha512: string;",
    "  /** `name@version` of other parts. */",
    "  readonly dependsOn: readonly string[];",
    "}",
    "",
    "export interface Generator {",
    "  readonly name: string;",
    "  readonly version: string;",
    "  readonly licence: string;",
    "  readonly dependsOn: readonly string[];",
    "  readonly parts: readonly GeneratorPart[];",
    "}",
    "",
    "export const generator: Generator = {",
    `  name: ${text(name)},`,
    `  version: ${text(own.version)},`,
    `  licence: ${text(own.license ?? "")},`,
    `  dependsOn: [${depends("", making, packages).map(text).join(", ")}],`,
    "  parts: [",
    ...[...lines.keys()].sort(byCodeUnit).map((ref) => lines.get(ref) ?? ""),
    "  ],",
    "};",
    "",
  ].join("\n");
}

function text(value: string): string {
  return JSON.stringify(value);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

function refOf(path: string, { version }: LockedPackage): string {
  return `${nameOf(path)}@${version}`;
}

function sha512Of({ integrity = "" }: LockedPackage): string {
  if (!integrity.startsWith("sha512-")) throw new Error(`not a SHA-512: ${integrity}`);
  return Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
}

type Packages = Readonly<Record<string, LockedPackage>>;

/** Paths of what a package needs, and what that needs. */
function reached(path: string, from: LockedPackage, packages: Packages, found = new Set<string>()): ReadonlySet<string> {
  for (const each of placesOf(path, from, packages)) {
    if (found.has(each)) continue;
    found.add(each);
    reached(each, packages[each] as LockedPackage, packages, found);
  }
  return found;
}

function depends(path: string, from: LockedPackage, packages: Packages): readonly string[] {
  return placesOf(path, from, packages)
    .map((each) => refOf(each, packages[each] as LockedPackage))
    .sort(byCodeUnit);
}

/** As Node finds them: in the package's own node_modules first, then further up. */
function placesOf(path: string, { dependencies = {} }: LockedPackage, packages: Packages): readonly string[] {
  return Object.keys(dependencies).map((name) => {
    for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/")))) {
      const here = `${from === "" ? "" : `${from}/`}node_modules/${name}`;
      if (packages[here] !== undefined) return here;
      if (from === "") throw new Error(`package-lock.json has no ${name} for ${path}`);
    }
  });
}

if (import.meta.main) writeFileSync(place, generatorText());
