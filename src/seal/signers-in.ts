/** Who signed a bundle, as it says itself: nothing of it is verified. */

import { publicKeyPath, signaturesPath } from "../pack/layout.ts";
import type { Contents } from "./contents.ts";
import type { Fingerprint } from "./keys.ts";
import { readPublicKey } from "./keys.ts";
import { parseSignatures } from "./signature-lines.ts";

export async function signersIn({ source, files }: Pick<Contents, "source" | "files">): Promise<readonly Fingerprint[]> {
  const [key, signatures] = [publicKeyPath, signaturesPath].map((path) => files.find((file) => file.path === path));
  if (signatures !== undefined) return [...(parseSignatures(await source.read(signatures.place))?.keys() ?? [])];
  const read = key === undefined ? undefined : readPublicKey(new TextDecoder("latin1").decode(await source.read(key.place)));
  return read?.ok === true ? [read.value.fingerprint] : [];
}
