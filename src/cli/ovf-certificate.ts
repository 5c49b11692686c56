/** Whose certificate an OVF package carries, as the command line names it, and the certificate's file in a bundle. */

import type { Command } from "commander";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Outcome } from "../core/issue.ts";
import { ovfManifestPath } from "../pack/layout.ts";
import type { Tree } from "../pack/tree.ts";
import { certificateText, certified, readCertificate } from "../seal/ovf-certificate.ts";
import { pemSigner, type SignedThing, type Signer } from "../seal/sign.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface CertificateOptions {
  readonly ovfCertificate?: string;
  readonly ovfKey?: string;
}

export function certificateOptions(command: Command): Command {
  return command
    .option("--ovf-certificate <file>", "of an OVF package: sign its manifest, and enclose this X.509 certificate (PEM), which deploying clients show")
    .option("--ovf-key <file>", "the certificate's private key (PEM, RSA or ECDSA P-256); what signs the bundle when left out");
}

/** What signs a manifest: RSA or P-256, the same bytes always with the same signature. */
interface CertificateSigner {
  readonly publicKeyPem: string;
  sign(bytes: Uint8Array, thing?: SignedThing): Promise<Uint8Array>;
}

/**
 * The tree with the OVF package's certificate, where one is asked for. `tree` is undefined where an issue stands in the way:
 * `ovf/no-package`, `ovf/certificate-key` and those of `readCertificate`.
 */
export async function withCertificate(
  io: Io,
  tree: Tree,
  { ovfCertificate, ovfKey }: CertificateOptions,
  bundleSigner: Signer | undefined,
): Promise<{ readonly tree: Tree | undefined; readonly reports: readonly ReportedDocument[] }> {
  if (ovfCertificate === undefined) return { tree, reports: [] };
  const manifest = tree.files.find((file) => file.path === ovfManifestPath)?.body;
  if (manifest?.kind !== "bytes") return refused(ovfCertificate, "ovf/no-package", `a bundle for ${tree.about.platform} holds no OVF package`, "Leave --ovf-certificate out.");
  const signer = ovfKey === undefined ? bundleSigner : keySigner(await readFile(absolute(io, ovfKey), "utf8"));
  if (signer === undefined) return refused(ovfCertificate, "ovf/certificate-key", "nobody said with which key the certificate signs", "Name it: --ovf-key FILE.");
  if ("issues" in signer) return { tree: undefined, reports: [{ name: ovfKey ?? "", issues: signer.issues }] };
  const certificate = readCertificate(await readFile(absolute(io, ovfCertificate), "utf8"), signer.publicKeyPem, io.now());
  const reports = [{ name: ovfCertificate, issues: certificate.issues }];
  if (!certificate.ok) return { tree: undefined, reports };
  const text = certificateText(await signer.sign(manifest.bytes, "ovf-manifest"), certificate.value);
  return { tree: certified(tree, text), reports };
}

function refused(name: string, code: `ovf/${string}`, message: string, hint: string): { readonly tree: undefined; readonly reports: readonly ReportedDocument[] } {
  return { tree: undefined, reports: [{ name, issues: [{ code, severity: "error", pointer: "", message, hint }] }] };
}

/** The key's text is never part of an issue. */
function keySigner(pem: string): CertificateSigner | Extract<Outcome<never>, { ok: false }> {
  const unfit = { ok: false, issues: [{ code: "ovf/certificate-key", severity: "error", pointer: "", message: "this is no private key of RSA or ECDSA P-256 in PEM, unencrypted", hint: "openssl pkey -in KEY -out PLAIN shows what a key is, and decrypts it." }] } as const;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return unfit;
  }
  if (key.asymmetricKeyType === "ec") {
    const made = pemSigner(pem);
    return made.ok ? made.value : unfit;
  }
  if (key.asymmetricKeyType !== "rsa") return unfit;
  const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  // RFC 8017 section 8.2: PKCS #1 v1.5 has no randomness, and it is what DSP0243's own example and OpenSSL's dgst mean.
  return { publicKeyPem, sign: async (bytes) => sign("sha256", bytes, key) };
}
