/**
 * What a bundle consists of, as one neutral list: its files, the VM image, the containers with their layers and packages,
 * and the program that made it. Both SBOMs are written from it. docs/reference/evidence.md says what each part tells.
 */

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { hexOf } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { byCodeUnit } from "../core/json.ts";
import { oncePer } from "../core/once-per.ts";
import { purlText } from "../core/purl.ts";
import { auditPath, cycloneDxPath, ovfCertificatePath, provenancePath, reportHtmlPath, reportJsonPath, sealPaths, signaturePath, signaturesPath, publicKeyPath, spdxPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { traitsOf } from "../plan/traits.ts";
import type { Lock, LockedBlob } from "../spec/lock.ts";
import type { Documents } from "./texts.ts";
import { containerComponents, refOf } from "./container-components.ts";
import { generator } from "./generator.ts";

/** What is known of one thing: said, known not to be there, or not known. */
export type Stated = { readonly kind: "stated"; readonly text: string } | { readonly kind: "none" } | { readonly kind: "unknown" };

const unknown: Stated = { kind: "unknown" };

export interface Component {
  /** Unique in the list. */
  readonly ref: string;
  readonly kind: "bundle" | "file" | "vm-image" | "payload" | "container" | "image-config" | "layer" | "package" | "program" | "program-part";
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  /** Where it lies in the bundle, for what is a file of it. */
  readonly path?: string;
  /** Permission bits of that file. */
  readonly mode?: number;
  /** What the manifest says that file is for. */
  readonly role?: string;
  /** Bytes. */
  readonly size?: number;
  /** Hexadecimal, lower case; without any of them, `SHA256SUMS` holds the digest, or it is not known. */
  readonly digests: { readonly sha1?: string; readonly sha256?: string; readonly sha512?: string };
  readonly supplier: Stated;
  readonly licence: Stated;
  /** An http(s) address that it was fetched from. */
  readonly source?: string;
  /** Refs of what it is made of, or depends on. */
  readonly parts: readonly string[];
  /** Whether `parts` is all there is. */
  readonly completeness: "complete" | "incomplete" | "unknown";
  /** Not in every such bundle: the signature and its key, the certificate of an OVF package. */
  readonly optional?: true;
}

export interface SoftwareList {
  readonly bundle: Component;
  /** All that is in it, by ref. */
  readonly components: readonly Component[];
  /** What made it, and what that is built of. */
  readonly program: Component;
  readonly programParts: readonly Component[];
  /** RFC 3339: the release's time. */
  readonly created: string;
  /** Who answers for the release, where it says so. */
  readonly supplier: { readonly name: string; readonly contact: string } | undefined;
}

/** What is made after the list, and so can't have its digest in it; an OVF package's certificate is besides. */
const later: readonly string[] = [cycloneDxPath, spdxPath, auditPath, reportJsonPath, reportHtmlPath, provenancePath, ...sealPaths];

/** The list of a bundle with these files: all but the SBOMs, the audit, the report, the provenance, the seal and what signs an OVF package, which it names nevertheless. */
export function softwareList(files: readonly File[], documents: Documents): SoftwareList {
  const { release } = documents.release;
  const { spec } = documents.spec;
  const supplier: Stated = release.supplier === undefined ? unknown : { kind: "stated", text: release.supplier.name };
  const listed = files.map((file) => fileComponent(file, documents, supplier));
  const certificate = traitsOf(spec.platform.type).disks === "vmdk" ? [ovfCertificatePath] : [];
  const made = [...later, ...certificate].map((path) => laterComponent(path, release.created, supplier));
  const inside = files.some((file) => file.role === "vm-image") ? withVmImage : withoutVmImage;
  const components = [...listed, ...made, ...inside(documents.lock.lock)].sort((a, b) => byCodeUnit(a.ref, b.ref));
  const bundle: Component = {
    ref: "bundle",
    kind: "bundle",
    name: `${spec.name}-${spec.organization}`,
    version: release.name,
    purl: purlText({ type: "generic", namespace: spec.organization, name: spec.name, version: release.name }),
    digests: {},
    supplier,
    licence: unknown,
    parts: [...listed, ...made].map((each) => each.ref).sort(byCodeUnit),
    completeness: "complete",
  };
  return { bundle, components, ...programComponents, created: release.created, supplier: release.supplier };
}

const withVmImage = oncePer((lock: Lock) => containerComponents(lock, true));
const withoutVmImage = oncePer((lock: Lock) => containerComponents(lock, false));

function fileComponent(file: File, documents: Documents, supplier: Stated): Component {
  const { path, mode, role, body } = file;
  const shared = { path, mode, role, supplier } as const;
  if (role === "vm-image") return { ...shared, ...vmImage(documents) };
  if (role === "payload") return { ...shared, ...payload(documents) };
  if (body.kind !== "bytes") throw new Error(`${path} is no text, and the list of components knows no such role: ${role}`);
  // Static scripts are in every bundle of a release: the same bytes at the same place are the same component.
  const known = ofBytes.get(body.bytes);
  // BSI TR-03183-2 section 5.2.2: what has no version of its own goes by the time at which it was made.
  const version = documents.release.release.created;
  if (known?.path === path && known.mode === mode && known.role === role && known.version === version && isDeepStrictEqual(known.supplier, supplier)) return known;
  const made: Component = {
    ...shared,
    ref: `file:${path}`,
    kind: "file",
    name: path,
    version,
    size: body.bytes.byteLength,
    digests: { ...furtherDigests(body.bytes), sha256: bodySha256(body) },
    // Templates and scripts are this program's; what tells of a bundle is nobody's work.
    licence: file.source.startsWith("templates/") ? { kind: "stated", text: generator.licence } : { kind: "none" },
    parts: [],
    completeness: "complete",
  };
  ofBytes.set(body.bytes, made);
  return made;
}

const ofBytes = new WeakMap<Uint8Array, Component>();

const furtherDigests = oncePer((bytes: Uint8Array): { readonly sha1: string; readonly sha512: string } => {
  const digest = (name: string): string => createHash(name).update(bytes).digest("hex");
  return { sha1: digest("sha1"), sha512: digest("sha512") };
});

function vmImage({ release: { release }, lock: { lock } }: Documents): Omit<Component, "supplier"> {
  const { name, version, source } = release.vmImage;
  return {
    ref: `vm-image:${lock.vmImage.digest}`,
    kind: "vm-image",
    name,
    version,
    purl: purlText({ type: "generic", name, version, qualifiers: { checksum: lock.vmImage.digest } }),
    ...blob(lock.vmImage),
    licence: unknown,
    ...(/^https?:/.test(source) ? { source } : {}),
    parts: (lock.vmImage.software?.packages ?? []).map(refOf).sort(byCodeUnit),
    // A list names what a package manager installed; it is not proven that it is all.
    completeness: lock.vmImage.software === undefined ? "unknown" : "incomplete",
  };
}

function payload({ release: { release }, lock: { lock } }: Documents): Omit<Component, "supplier"> {
  return {
    ref: `payload:${lock.payload.digest}`,
    kind: "payload",
    name: "payload",
    version: release.name,
    ...blob(lock.payload),
    licence: unknown,
    parts: lock.containers.map((container) => `container:${container.role}`).sort(byCodeUnit),
    completeness: "complete",
  };
}

function blob({ digest, sha512, size }: LockedBlob): Pick<Component, "digests" | "size"> {
  return { digests: { sha256: hexOf(digest), sha512 }, size };
}

function laterComponent(path: string, created: string, supplier: Stated): Component {
  const optional = [signaturePath, publicKeyPath, signaturesPath, ovfCertificatePath].includes(path);
  return {
    ref: `file:${path}`,
    kind: "file",
    name: path,
    version: created,
    path,
    mode: 0o644,
    role: path === ovfCertificatePath ? "site" : sealPaths.includes(path) ? "seal" : "evidence",
    digests: {},
    supplier,
    licence: { kind: "none" },
    parts: [],
    completeness: "complete",
    ...(optional ? { optional } : {}),
  };
}

/** The same for every bundle of this version. */
const programComponents = ((): Pick<SoftwareList, "program" | "programParts"> => {
  const refOf = (part: string): string => `program-part:${part}`;
  const stated = (text: string): Stated => (text === "" ? unknown : { kind: "stated", text });
  const program: Component = {
    ref: "program",
    kind: "program",
    name: generator.name,
    version: generator.version,
    purl: purlText({ type: "generic", name: generator.name, version: generator.version }),
    digests: {},
    supplier: unknown,
    licence: stated(generator.licence),
    parts: generator.dependsOn.map(refOf),
    completeness: "complete",
  };
  const programParts = generator.parts.map(({ name, version, licence, sha512, dependsOn }): Component => {
    const [scope, bare] = name.startsWith("@") ? (name.split("/") as [string, string]) : [undefined, name];
    return {
      ref: refOf(`${name}@${version}`),
      kind: "program-part",
      name,
      version,
      purl: purlText({ type: "npm", ...(scope === undefined ? {} : { namespace: scope }), name: bare, version }),
      digests: { sha512 },
      supplier: unknown,
      licence: stated(licence),
      parts: dependsOn.map(refOf),
      completeness: "complete",
    };
  });
  return { program, programParts };
})();
