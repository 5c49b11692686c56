/** Stanzas of `NAME:VALUE` lines, parted by empty lines, as the databases of dpkg and apk have them. */

/** What a package states of itself is shorter; what is longer is cut. Characters. */
const valueLength = 4_096;

/**
 * The fields of each that are wanted, the last of a name. Line by line and without regular expressions: a file of strangers may
 * be one line of millions of blanks, or millions of lines.
 */
export function* stanzas(text: string, nameOf: (written: string) => string | undefined): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    if (stop === at) {
      if (fields.size > 0) yield fields;
      fields = new Map();
    }
    const colon = text.slice(at, Math.min(stop, at + longestName + 1)).indexOf(":");
    const name = colon < 0 ? undefined : nameOf(text.slice(at, at + colon));
    if (name !== undefined) fields.set(name, text.slice(at + colon + 1, Math.min(stop, at + colon + 1 + valueLength)).trim());
    at = stop + 1;
  }
  if (fields.size > 0) yield fields;
}

/** Of the names that are wanted. Characters. */
const longestName = 16;
