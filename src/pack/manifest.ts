/** manifest.json: what is in a bundle, file by file. */

import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { hexOf, isDigest, sha256 } from "../core/digest.ts";
import type { FileBody, Role } from "../core/file.ts";
import { sizeOf } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { oncePer } from "../core/once-per.ts";
import { byPlace, neededEvidence, pathProblem, sealPaths } from "./layout.ts";
import { bundleEntries, entrySizeDigits, manifestBytes } from "./limits.ts";
import { epochOf } from "./tree.ts";
import type { BundleAbout, Tree } from "./tree.ts";

export interface Manifest extends BundleAbout {
  readonly apiVersion: "cloudlet-bundle/v1";
  readonly kind: "Manifest";
  /** Paths of the files whose role is evidence, in their order: one that went missing before the seal is noticed, too. */
  readonly evidence: readonly string[];
  /** Every file but those that the seal adds, in the order of the tar. */
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  readonly path: string;
  readonly mode: "0644" | "0755";
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly role: Role;
  /** The template or static file that it was made from. */
  readonly origin: string;
}

/** The manifest of a tree that is not sealed. */
export function manifestOf(tree: Tree): Manifest {
  return {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Manifest",
    ...tree.about,
    evidence: tree.files.filter((file) => file.role === "evidence").map((file) => file.path),
    files: tree.files.map(({ path, mode, role, body, source }) => ({
      path,
      mode: mode === 0o755 ? "0755" : "0644",
      size: sizeOf(body),
      sha256: bodySha256(body),
      role,
      origin: source,
    })),
  };
}

/** 64 lower-case hexadecimal digits. */
export function bodySha256(body: FileBody): string {
  if (body.kind !== "bytes") return hexOf(body.digest);
  return sumOf(body.bytes);
}

/** SBOM, provenance, manifest and sums all want it: each file is hashed once. Nobody writes into a body. */
const sumOf = oncePer((bytes: Uint8Array) => hexOf(sha256(bytes)));

/**
 * The one text of a manifest: canonical JSON, everything beyond printable ASCII escaped, so that awk in any locale reads
 * it line by line.
 */
export function manifestText(manifest: Manifest): string {
  return asciiJson(manifest as unknown as Json);
}

function asciiJson(value: Json): string {
  return canonicalJson(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Reads what `manifestText` writes for some manifest, and nothing else. */
export function parseManifest(bytes: Uint8Array): Outcome<Manifest> {
  const problem = (message: string): Outcome<Manifest> => ({
    ok: false,
    issues: [{ code: "verify/manifest-form", severity: "error", pointer: "", message: `manifest.json ${message}` }],
  });
  if (bytes.byteLength > manifestBytes) return problem(`has more than ${manifestBytes} bytes`);
  let value: Json;
  const text = new TextDecoder("latin1").decode(bytes);
  try {
    value = JSON.parse(text) as Json;
    if (asciiJson(value) !== text) return problem("is not written in its one form: canonical JSON in ASCII");
  } catch {
    return problem("is not JSON");
  }
  const wrong = shapeProblem(value, manifestShape, "") ?? filesProblem((value as unknown as Manifest).files) ?? evidenceProblem(value as unknown as Manifest);
  return wrong === undefined ? { ok: true, value: value as unknown as Manifest, issues: [] } : problem(wrong);
}

type Shape = ((value: Json) => boolean) | { readonly [key: string]: Shape };

const isText = (value: Json): boolean => typeof value === "string" && value !== "";
const isCount = (value: Json): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && String(value).length <= entrySizeDigits;
const isDigestText = (value: Json): boolean => typeof value === "string" && isDigest(value);

const manifestShape: Shape = {
  apiVersion: (value) => value === "cloudlet-bundle/v1",
  cloudlet: { name: isText, organization: isText, region: isText },
  evidence: (value) => Array.isArray(value),
  files: (value) => Array.isArray(value) && value.length > 0 && value.length <= bundleEntries,
  generator: { name: isText, version: isText },
  kind: (value) => value === "Manifest",
  lock: { digest: isDigestText },
  platform: isText,
  release: { created: (value) => typeof value === "string" && epochOf(value) !== undefined, name: isText, sequence: isCount },
  spec: { digest: isDigestText },
};

const roles: readonly Role[] = ["data", "document", "evidence", "payload", "script", "site", "vm-image"];

const fileShape: Shape = {
  mode: (value) => value === "0644" || value === "0755",
  origin: isText,
  path: (value) => typeof value === "string" && pathProblem(value) === undefined && !sealPaths.includes(value),
  role: (value) => roles.includes(value as Role),
  sha256: (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
  size: isCount,
};

/** What is wrong with the value, or undefined. Exactly the shape's keys have to be there. */
function shapeProblem(value: Json, shape: Shape, at: string): string | undefined {
  if (typeof shape === "function") return shape(value) ? undefined : `has a wrong value at ${at}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `has no object at ${at === "" ? "its top" : at}`;
  const keys = Object.keys(value).sort(byCodeUnit);
  const wanted = Object.keys(shape).sort(byCodeUnit);
  if (keys.join("\n") !== wanted.join("\n")) return `has other keys at ${at === "" ? "its top" : at} than ${wanted.join(", ")}`;
  for (const key of wanted) {
    const problem = shapeProblem((value as JsonObject)[key] as Json, shape[key] as Shape, `${at}/${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function filesProblem(files: readonly ManifestFile[]): string | undefined {
  for (const [index, file] of files.entries()) {
    const problem = shapeProblem(file as unknown as Json, fileShape, `/files/${index}`);
    if (problem !== undefined) return problem;
    const before = files[index - 1];
    if (before !== undefined && byPlace(before.path, file.path) >= 0) return `has ${file.path} out of place, or twice`;
  }
  return undefined;
}

function evidenceProblem({ evidence, files }: Manifest): string | undefined {
  const needed = neededEvidence.find((path) => !evidence.includes(path));
  if (needed !== undefined) return `does not name ${needed} as evidence`;
  const found = files.filter((file) => file.role === "evidence").map((file) => file.path);
  const isSame = found.length === evidence.length && found.every((path, index) => path === evidence[index]);
  return isSame ? undefined : "names other evidence than the files whose role it is";
}
