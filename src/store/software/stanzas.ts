/** Stanzas of `NAME:VALUE` lines, parted by empty lines, as the databases of dpkg and apk have them. */

/** What a package states of itself is shorter; what is longer is cut. Bytes. */
const valueBytes = 4_096;
/** Of the names that are wanted. Bytes. */
const nameBytes = 16;
const colon = 0x3a;
const lineFeed = 0x0a;

/**
 * The fields of each that are wanted, the last of a name. Line by line, without regular expressions, and only what is wanted
 * becomes text: a file of strangers may be one line of millions of blanks, or millions of lines.
 */
export function* stanzas(file: Uint8Array, nameOf: (written: string) => string | undefined): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  for (let at = 0; at < file.byteLength; ) {
    const end = file.indexOf(lineFeed, at);
    const stop = end < 0 ? file.byteLength : end;
    if (stop === at) {
      if (fields.size > 0) yield fields;
      fields = new Map();
    }
    const length = file.subarray(at, Math.min(stop, at + nameBytes + 1)).indexOf(colon);
    const name = length < 0 ? undefined : nameOf(textOf(file.subarray(at, at + length)));
    const from = at + length + 1;
    if (name !== undefined) fields.set(name, textOf(file.subarray(from, Math.min(stop, from + valueBytes))).trim());
    at = stop + 1;
  }
  if (fields.size > 0) yield fields;
}

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder();
