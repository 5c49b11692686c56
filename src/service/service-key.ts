/** The key that the service signs with: its own, made at the first start, or one that an external command holds. */

import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Outcome } from "../core/issue.ts";
import { generateKey } from "../seal/keys.ts";
import { pemSigner, type Signer } from "../seal/sign.ts";

/** Reads the key, making it where it is missing. Throws an EnvironmentError where others may read it, or it is none. */
export async function ownSigner(path: string, random: (bytes: number) => Uint8Array): Promise<Signer> {
  await makeKey(path, () => generateKey(random));
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new EnvironmentError(`${path} may be read by others`, { hint: `if nobody has: chmod 600 ${path}; else make a new one and tell the operators` });
  }
  return signerOr(pemSigner(await readFile(path, "utf8")), path);
}

export function signerOr(made: Outcome<Signer>, path: string): Signer {
  if (made.ok) return made.value;
  const [issue] = made.issues;
  throw new EnvironmentError(`${path}: ${issue?.message ?? "no key"}`, issue?.hint === undefined ? {} : { hint: issue.hint });
}

/** Written aside, synced and linked: under its name a key is whole, and one that is there is never replaced. */
export async function makeKey(path: string, contents: () => string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.new`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(contents());
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(aside, path);
  } finally {
    await unlink(aside);
  }
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
