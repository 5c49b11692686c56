/** Stanzas of `NAME:VALUE` lines, parted by empty lines, as the databases of dpkg and apk have them. */

import type { DatabaseFile } from "./database-file.ts";

/** What a package states of itself is shorter; what is longer is cut. Bytes. */
const valueBytes = 4_096;
/** Of the names that are wanted. Bytes. */
const nameBytes = 16;
/** Read at a time. Bytes. */
const windowBytes = 262_144;
const colon = 0x3a;
const lineFeed = 0x0a;

/**
 * The fields of each that are wanted, the last of a name. Line by line, without regular expressions, and only what is wanted
 * becomes text: a file of strangers may be one line of millions of blanks, or millions of lines.
 */
export function* stanzas(file: DatabaseFile, nameOf: (written: string) => string | undefined): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  for (const line of lines(file)) {
    if (line.byteLength === 0) {
      if (fields.size > 0) yield fields;
      fields = new Map();
    }
    const length = line.subarray(0, nameBytes + 1).indexOf(colon);
    const name = length < 0 ? undefined : nameOf(textOf(line.subarray(0, length)));
    if (name !== undefined) fields.set(name, textOf(line.subarray(length + 1, length + 1 + valueBytes)).trim());
  }
  if (fields.size > 0) yield fields;
}

/** Each without its line feed; of one that is longer than a window, what begins it. */
function* lines(file: DatabaseFile): Generator<Uint8Array> {
  let isInLine = false;
  for (let start = 0; start < file.size; ) {
    const window = file.read(start, windowBytes);
    if (window.byteLength === 0) return;
    const isLast = start + window.byteLength >= file.size;
    let from = 0;
    for (let end = window.indexOf(lineFeed); end >= 0; end = window.indexOf(lineFeed, from)) {
      if (!isInLine) yield window.subarray(from, end);
      isInLine = false;
      from = end + 1;
    }
    if (isLast || from === 0) {
      // The rest of the file, or of a line that fills the window.
      if (from < window.byteLength && !isInLine) yield window.subarray(from);
      isInLine = true;
      from = window.byteLength;
    }
    start += from;
  }
}

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder();
