/** Closes a tree: its manifest, the sums of all files, and the signature over the sums. */

import { EnvironmentError } from "../core/environment-error.ts";
import type { File } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import { byCodeUnit } from "../core/json.ts";
import { manifestPath, publicKeyPath, sealPaths, signaturePath, sumsPath } from "../pack/layout.ts";
import { bodySha256, manifestOf, manifestText } from "../pack/manifest.ts";
import { pack } from "../pack/tree.ts";
import type { Tree } from "../pack/tree.ts";
import { isSignature } from "./sign.ts";
import type { Signer } from "./sign.ts";

/** The tree with manifest.json and SHA256SUMS, and, where there is a signer, its signature and public key. */
export async function seal(tree: Tree, signer: Signer | undefined): Promise<Tree> {
  const there = tree.files.find((file) => sealPaths.includes(file.path));
  if (there !== undefined) throw new Error(`the seal makes ${there.path} itself`);
  const manifest = textFile(manifestPath, manifestText(manifestOf(tree)), made);
  const sums = textFile(sumsPath, sumsText([...tree.files, manifest]), made);
  const sealed = [...tree.files, manifest, sums];
  return pack(signer === undefined ? sealed : [...sealed, ...(await signed(sums, signer))], tree.about);
}

/** As sha256sum writes and reads it: one line per file, by code unit of the path. */
export function sumsText(files: readonly File[]): string {
  return files
    .map(({ path, body }) => ({ path, line: `${bodySha256(body)}  ${path}\n` }))
    .sort((a, b) => byCodeUnit(a.path, b.path))
    .map(({ line }) => line)
    .join("");
}

const made = { role: "data", source: "seal" } as const;

async function signed(sums: File, signer: Signer): Promise<readonly File[]> {
  if (sums.body.kind !== "bytes") throw new Error("the sums are bytes");
  const signature = await signer.sign(sums.body.bytes);
  if (!isSignature(sums.body.bytes, signer.publicKeyPem, signature)) {
    throw new EnvironmentError(`what the signer gave is no signature by ${signer.fingerprint}`, {
      hint: "it must be ECDSA P-256 with SHA-256 over exactly the bytes given, in DER, by the private half of the public key given",
    });
  }
  return [
    textFile(publicKeyPath, signer.publicKeyPem, made),
    { ...made, path: signaturePath, mode: 0o644, body: { kind: "bytes", bytes: signature }, spans: [] },
  ];
}
