/** Closes a tree: its manifest, the sums of all files, and the signature over the sums. */

import type { File } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import { byCodeUnit } from "../core/json.ts";
import { manifestPath, publicKeyPath, sealPaths, signaturePath, signaturesPath, sumsPath, trustFolder } from "../pack/layout.ts";
import { bodySha256, manifestOf, manifestText } from "../pack/manifest.ts";
import { pack } from "../pack/tree.ts";
import type { Tree } from "../pack/tree.ts";
import { signaturesText } from "./signature-lines.ts";
import { signChecked } from "./sign.ts";
import type { Signer } from "./sign.ts";

/**
 * The tree with manifest.json and SHA256SUMS, and what the signers add: one its signature and public key, or, where the tree has
 * a trust policy, any number of them their signatures.
 */
export async function seal(tree: Tree, signers: readonly Signer[]): Promise<Tree> {
  const there = tree.files.find((file) => sealPaths.includes(file.path));
  if (there !== undefined) throw new Error(`the seal makes ${there.path} itself`);
  const manifest = textFile(manifestPath, manifestText(manifestOf(tree)), made);
  const sums = textFile(sumsPath, sumsText([...tree.files, manifest]), made);
  const sealed = [...tree.files, manifest, sums];
  const isPoliced = tree.files.some((file) => file.path.startsWith(trustFolder));
  return pack([...sealed, ...(await signed(sums, signers, isPoliced))], tree.about);
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

async function signed(sums: File, signers: readonly Signer[], isPoliced: boolean): Promise<readonly File[]> {
  if (sums.body.kind !== "bytes") throw new Error("the sums are bytes");
  const [first] = signers;
  if (first === undefined) return [];
  if (!isPoliced && signers.length > 1) throw new Error("without a trust policy, a bundle has one signature");
  const signatures = new Map<Signer["fingerprint"], Uint8Array>();
  for (const signer of signers) signatures.set(signer.fingerprint, await signChecked(signer, sums.body.bytes, "SHA256SUMS"));
  if (isPoliced) return [textFile(signaturesPath, signaturesText(signatures), made)];
  const bytes = signatures.get(first.fingerprint) ?? new Uint8Array();
  return [textFile(publicKeyPath, first.publicKeyPem, made), { ...made, path: signaturePath, mode: 0o644, body: { kind: "bytes", bytes }, spans: [] }];
}
