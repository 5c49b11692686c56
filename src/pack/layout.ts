/** The paths that stages after rendering know by name, and the order in which all of a bundle stand (docs/bundle-format.md). */

import { byCodeUnit } from "../core/json.ts";
import { bundlePathLength } from "./limits.ts";

export const manifestPath = "manifest.json";
export const sumsPath = "SHA256SUMS";
export const signaturePath = "SHA256SUMS.sig";
export const publicKeyPath = "SHA256SUMS.pub";
/** In the place of signature and public key where the bundle has a trust policy. */
export const signaturesPath = "SHA256SUMS.signatures";

/** What the seal adds. None of these is listed in the manifest; all but the manifest are not in the sums either. */
export const sealPaths: readonly string[] = [manifestPath, sumsPath, signaturePath, publicKeyPath, signaturesPath];
export const unsummedPaths: readonly string[] = [sumsPath, signaturePath, publicKeyPath, signaturesPath];

/** Where the trust policies lie, from the first to the one in force, each with its signatures beside it. */
export const trustFolder = "trust/";

export function policyPath(version: number): string {
  return `${trustFolder}${String(version).padStart(4, "0")}.policy`;
}

export function policySignaturesPath(version: number): string {
  return `${trustFolder}${String(version).padStart(4, "0")}.signatures`;
}

export const secretsTemplatePath = "site/secrets.template";

export const specPath = "evidence/spec.json";
export const releasePath = "evidence/release.json";
export const lockPath = "evidence/lock.json";
export const originsPath = "evidence/origins.json";
export const cycloneDxPath = "evidence/sbom.cdx.json";
export const spdxPath = "evidence/sbom.spdx.json";
export const provenancePath = "evidence/provenance.json";
export const auditPath = "evidence/audit.json";
export const reportJsonPath = "evidence/report.json";
export const reportHtmlPath = "evidence/report.html";
export const piecesPath = "evidence/pieces.txt";

/** Evidence that every bundle has, in order. */
export const neededEvidence: readonly string[] = [auditPath, lockPath, originsPath, provenancePath, releasePath, reportHtmlPath, reportJsonPath, cycloneDxPath, spdxPath, specPath];

export const payloadPath = "blobs/payload.tar";

export function vmImagePath(format: "qcow2" | "raw" | "vmdk"): string {
  return `blobs/vm-image.${format}`;
}

/** An OVF package: its files lie in one folder, because a descriptor names the disks beside it (DSP0243 1.1 clause 5.1). */
export const ovfPath = "ovf/platformvm.ovf";
export const ovfManifestPath = "ovf/platformvm.mf";
export const ovfCertificatePath = "ovf/platformvm.cert";
export const vmImageDiskPath = "ovf/vm-image.vmdk";
export const payloadDiskPath = "ovf/payload.vmdk";

/** What is made after the audit, and so is not looked at by it: it tells of the rest, or signs it. */
export const afterAudit: readonly string[] = [auditPath, reportJsonPath, reportHtmlPath, provenancePath, ovfCertificatePath, ...sealPaths];

/** What is big and comes last. */
export function isBlobPath(path: string): boolean {
  return path.startsWith("blobs/") || path === vmImageDiskPath || path === payloadDiskPath;
}

/** Small text first, blobs last, each by code unit: a reader has the sums before the first gigabyte. */
export function byPlace(a: string, b: string): number {
  return Number(isBlobPath(a)) - Number(isBlobPath(b)) || byCodeUnit(a, b);
}

/**
 * What is wrong with a path, or undefined. Letters, digits, `.`, `_`, `-` alone, and parts that begin with a letter or
 * digit: such a path needs no quoting in any shell, sum file or URL, is never hidden, absolute or `..`, and never an option.
 */
export function pathProblem(path: string): string | undefined {
  if (path.length > bundlePathLength) return `longer than ${bundlePathLength} characters`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(path)) {
    return "not made of parts that begin with a letter or digit and hold letters, digits, '.', '_', '-'";
  }
  return undefined;
}
