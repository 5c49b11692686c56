/** Passwords: scrypt (RFC 7914), its parameters beside the hash, so that they can grow. */

import { scrypt, timingSafeEqual } from "node:crypto";

export interface PasswordCost {
  /** log2 of N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP Password Storage Cheat Sheet: N = 2^17, r = 8, p = 1, which takes 128 MiB; 2^15 with p = 3 is as dear and takes 32. */
export const passwordCost: PasswordCost = { logN: 15, r: 8, p: 3 };

/** NIST SP 800-63B 3.1.1.2: at least 15 characters where a password is all that is asked for. */
export const passwordCharacters = { least: 15, most: 256 };

const saltBytes = 16;
const hashBytes = 32;

export interface Passwords {
  readonly hash: (password: string) => Promise<string>;
  /** `rehash` where it is right and was hashed with other parameters. An unknown person's takes as long. */
  readonly check: (password: string, stored: string | null) => Promise<{ readonly right: boolean; readonly rehash: boolean }>;
}

export function passwordsWith(random: (bytes: number) => Uint8Array, cost: PasswordCost = passwordCost): Passwords {
  const one = oneAfterAnother();
  const hash = async (password: string): Promise<string> => {
    const salt = random(saltBytes);
    return textOf(cost, salt, await one(() => derive(password, salt, cost)));
  };
  return {
    hash,
    check: async (password, stored) => {
      const read = stored === null ? undefined : parse(stored);
      const { salt, cost: its } = read ?? { salt: new Uint8Array(saltBytes), cost };
      const found = await one(() => derive(password, salt, its));
      const wanted = read?.hash ?? new Uint8Array(hashBytes);
      const right = timingSafeEqual(found, wanted) && read !== undefined;
      return { right, rehash: right && textOf(cost, salt, found) !== stored };
    },
  };
}

/** Many logins at once shall not take the memory of all of them. */
function oneAfterAnother(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function derive(password: string, salt: Uint8Array, { logN, r, p }: PasswordCost): Promise<Buffer> {
  const N = 2 ** logN;
  // Unicode has several forms of one text, and keyboards give different ones: SP 800-63B asks for NFKC or NFKD.
  const text = password.normalize("NFKC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hashBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** `$scrypt$ln=15,r=8,p=3$SALT$HASH`, base64. */
function textOf({ logN, r, p }: PasswordCost, salt: Uint8Array, hash: Uint8Array): string {
  return `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

function parse(text: string): { readonly cost: PasswordCost; readonly salt: Uint8Array; readonly hash: Uint8Array } {
  const [, logN, r, p, salt, hash] = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (hash === undefined || salt === undefined) throw new Error("a stored password is not in the form that this program writes");
  return { cost: { logN: Number(logN), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
