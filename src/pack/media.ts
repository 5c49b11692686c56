/** How large a part may be: a number of bytes, a size with its unit, or the name of a medium. */

/** Usable bytes of media, each with its reason. */
const media: Readonly<Record<string, number>> = {
  /** FAT32 keeps a file's size in 32 bits (Microsoft FAT specification, DIR_FileSize). */
  fat32: 4_294_967_295,
  /** A DVD+R has 2,295,104 sectors of 2,048 bytes (ECMA-349), somewhat less than a DVD-R; 4 MiB are left for the file system. */
  dvd: 2_295_104 * 2_048 - 4_194_304,
  /** A CD-R of 80 minutes has 360,000 sectors of 2,048 bytes (ECMA-130, mode 1); 2 MiB are left for the file system. */
  cd: 360_000 * 2_048 - 2_097_152,
};

const units: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };

export const sizeForms = `${Object.keys(media).join(", ")}, bytes, or a size as 1GB or 700MiB`;

/** Bytes; undefined where the text is no size. Letters may be large or small; a fraction is cut off at the byte. */
export function partSizeOf(text: string): number | undefined {
  const named = media[text.toLowerCase()];
  if (named !== undefined && Object.hasOwn(media, text.toLowerCase())) return named;
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  const bytes = Math.floor(Number(digits) * (factor ?? Number.NaN));
  return digits !== "" && bytes > 0 && bytes < 1e15 ? bytes : undefined;
}
