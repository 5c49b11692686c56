/** Limits of a bundle, each with its number and its reason. docs/bundle-format.md repeats them. */

/** ustar keeps a name in 100 bytes; longer ones need extensions that not every tar reads alike. */
export const bundlePathLength = 100;

/** Every reader holds a line of each, and the evidence has 6 kB of it: this many are gone through in seconds, by verify.sh as well. Some forty are made today. */
export const bundleEntries = 10_000;

/** An entry's size in bytes has at most 15 digits, so that JavaScript, awk and every sh count with it exactly. */
export const entrySizeDigits = 15;

/** ustar keeps a size in 11 octal digits; beyond that, GNU's base-256 form, which all of today's tars read. */
export const octalSizeLimit = 0o77777777777;

/** Times stay below 2^31: 32-bit time_t is still out there, and tar-stream writes later ones wrongly. Seconds. */
export const mtimeLimit = 2_147_483_647;

/** SHA256SUMS with the most entries of the longest names. Bytes. */
export const sumsBytes = bundleEntries * (64 + 2 + bundlePathLength + 1);

/** A lock notes a digest for each so many bytes of a file: 64 kB of them for 10 GiB, and a part of a bundle ends where one ends. */
export const pieceBytes = 16_777_216;

/** evidence/pieces.txt: 10,000 pieces of four files. Bytes. */
export const piecesTextBytes = 40_000 * 200;

/** The small files of a bundle together are held in memory by whoever splits or joins it: 10,000 of 2 kB have as much, with their evidence. Bytes. */
export const headBytes = 134_217_728;

/** Parts of a bundle: a stack of CDs for 600 GiB. */
export const partCount = 1_000;

/** manifest.json is held in memory by whoever verifies; an entry has some 220. Bytes. */
export const manifestBytes = 10_485_760;

/** A DER signature of P-256 has at most 72 bytes: SEC 1 C.8, two integers of up to 33. */
export const signatureBytes = 72;

/** PEM of a P-256 public key: 91 bytes of DER, always 178 characters. */
export const publicKeyBytes = 178;

/** Keys of a trust policy: more people than ever meet for one, and few enough that verify.sh looks at them all in a second. */
export const policyKeys = 16;

/** Trust policies of a bundle, one for each rotation since the first: thirty years of one each. */
export const policyVersions = 32;

/** A trust policy has at most 16 lines of 238 characters and six short ones; signatures, 32 lines of 169. Bytes. */
export const policyBytes = 8_192;
