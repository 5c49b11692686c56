/** Bytes of a document to its text: UTF-8, with nothing in it that an editor would hide. */

import type { Issue, Outcome } from "../core/issue.ts";

/** Far more than any spec needs (ours have 4 KiB), little enough to be read in a blink. Bytes. */
export const DOCUMENT_MAX_BYTES = 1_048_576;

/**
 * The text of a document. A UTF-8 byte order mark is taken off; UTF-16, bytes that are not UTF-8, NUL and more than
 * `DOCUMENT_MAX_BYTES` end in an issue.
 */
export function decodeText(bytes: Uint8Array): Outcome<string> {
  if (bytes.byteLength > DOCUMENT_MAX_BYTES) return refused(tooLong(bytes.byteLength));
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return refused(utf16());
  // Without a mark, UTF-16 shows by the zero byte beside an ASCII letter.
  if (bytes.byteLength >= 2 && (first === 0) !== (second === 0)) return refused(utf16());
  const bad = firstInvalid(bytes);
  if (bad !== undefined) return refused(notUtf8(bytes, bad));
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const nul = text.indexOf("\0");
  if (nul >= 0) return refused(nulAt(nul));
  return { ok: true, value: text, issues: [] };
}

export function tooLong(size: number): Issue {
  return {
    code: "yaml/too-long",
    severity: "error",
    pointer: "",
    message: `the document has ${size} bytes; at most ${DOCUMENT_MAX_BYTES} are read`,
    hint: "is this the right file? A spec is a few kilobytes",
  };
}

export function nulAt(offset: number): Issue {
  return {
    code: "yaml/control-character",
    severity: "error",
    pointer: "",
    message: "the document holds a NUL character (U+0000), which no text may",
    hint: "delete it; is this perhaps a binary file?",
    span: { start: offset, end: offset + 1 },
  };
}

function refused(issue: Issue): Outcome<string> {
  return { ok: false, issues: [issue] };
}

function utf16(): Issue {
  return {
    code: "yaml/encoding",
    severity: "error",
    pointer: "",
    message: "the document is UTF-16; it must be UTF-8",
    hint: "save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8",
  };
}

function notUtf8(bytes: Uint8Array, offset: number): Issue {
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  const line = bytes.subarray(0, offset).filter((each) => each === 0x0a).length + 1;
  return {
    code: "yaml/encoding",
    severity: "error",
    pointer: "",
    message: `byte ${offset} (0x${byte}, on line ${line}) is not UTF-8`,
    hint: "save the document as UTF-8; Latin-1 files can be converted: iconv -f LATIN1 -t UTF-8",
  };
}

/** Offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7). */
function firstInvalid(bytes: Uint8Array): number | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    decoder.decode(bytes);
    return undefined;
  } catch {
    let low = 0;
    let high = bytes.byteLength;
    // The longest prefix that may go on well holds the bad sequence's first bytes, three at most.
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (decodes(bytes.subarray(0, middle), true)) low = middle;
      else high = middle - 1;
    }
    while (!decodes(bytes.subarray(0, low), false)) low -= 1;
    return low;
  }
}

function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
