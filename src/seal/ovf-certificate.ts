/** The certificate of an OVF package (DSP0243 1.1.0 clause 5.1): the signature over its manifest, and whose it is. */

import { X509Certificate, createPublicKey, verify } from "node:crypto";
import { textFile } from "../core/file.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import { ovfCertificatePath, ovfManifestPath } from "../pack/layout.ts";
import { baseName } from "../pack/ovf-package.ts";
import type { Tree } from "../pack/tree.ts";
import { pack } from "../pack/tree.ts";
import { pemOf } from "./keys.ts";

/** One line `SHA256(platformvm.mf)= hexadecimal signature`, then the certificate. */
export function certificateText(signature: Uint8Array, certificatePem: string): string {
  return `SHA256(${baseName(ovfManifestPath)})= ${Buffer.from(signature).toString("hex")}\n${certificatePem}`;
}

/** The tree with this text as the certificate of its OVF package. */
export function certified(tree: Tree, text: string): Tree {
  return pack([...tree.files, textFile(ovfCertificatePath, text, { role: "site", source: "seal/ovf-certificate" })], tree.about);
}

/**
 * The first certificate of a PEM text, in its one form. Issues: `ovf/certificate-form`; `ovf/certificate-key` where its key
 * is not `publicKeyPem`; `ovf/certificate-time`, a warning, where `now` (milliseconds since the Epoch) is outside its time.
 */
export function readCertificate(pem: string, publicKeyPem: string, now: number): Outcome<string> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return { ok: false, issues: [found("error", "ovf/certificate-form", "this is no X.509 certificate in PEM", "A certificate's file begins with -----BEGIN CERTIFICATE-----.")] };
  }
  const issues: Issue[] = [];
  if (!certificate.publicKey.equals(createPublicKey(publicKeyPem))) {
    issues.push(found("error", "ovf/certificate-key", "the certificate is of another key than the one that signs", "Give the certificate's own key: --ovf-key FILE."));
  }
  return outcome([...issues, ...timeIssues(certificate, now)], () => pemOf("CERTIFICATE", certificate.raw));
}

function timeIssues({ validFrom, validTo }: X509Certificate, now: number): readonly Issue[] {
  if (now >= Date.parse(validFrom) && now <= Date.parse(validTo)) return [];
  return [found("warning", "ovf/certificate-time", `the certificate is good from ${validFrom} to ${validTo} only`, "Deploying clients will say so; get a new one.")];
}

/** What is wrong with the text of a `.cert` whose manifest has these bytes, or undefined. */
export function certificateProblem(text: string, manifestName: string, manifest: Uint8Array): string | undefined {
  const [, name, hex, pem] = /^SHA256\(([^)\n]+)\)= ((?:[0-9a-f]{2})+)\n(-----BEGIN CERTIFICATE-----\n[^]*)$/.exec(text) ?? [];
  if (name === undefined || hex === undefined || pem === undefined) return "is not a line SHA256(manifest)= signature and a certificate in PEM";
  if (name !== manifestName) return `is about ${name}, not about ${manifestName}`;
  try {
    const { publicKey } = new X509Certificate(pem);
    const isGood = verify("sha256", manifest, publicKey, Buffer.from(hex, "hex"));
    return isGood ? undefined : `holds a signature that is not over ${manifestName}, or not by the certificate's key`;
  } catch {
    return "holds no X.509 certificate";
  }
}

function found(severity: Issue["severity"], code: Issue["code"], message: string, hint: string): Issue {
  return { code, severity, pointer: "", message, hint };
}
