/** Words of a line that are text in base64: a file's content in a cloud-config, a credential of HTTP. */

import { Buffer } from "node:buffer";

export interface Base64Text {
  /** As it is written. */
  readonly text: string;
  readonly decoded: string;
  /** Column from 1, UTF-16 units; `end` is after the last. */
  readonly start: number;
  readonly end: number;
}

/** Words from 16 characters on, 12 bytes, for chance makes short ones. */
export const mayBeBase64 = /[A-Za-z0-9+/]{16}/;

/** In the order of the line. What decodes to anything but a text is none. */
export function base64TextsIn(line: string): readonly Base64Text[] {
  if (!mayBeBase64.test(line)) return [];
  return [...line.matchAll(words)].flatMap((match): readonly Base64Text[] => {
    const [text] = match;
    const decoded = textIn(text);
    return decoded === undefined ? [] : [{ text, decoded, start: match.index + 1, end: match.index + text.length + 1 }];
  });
}

const words = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![A-Za-z0-9+/=])/g;

const utf8 = new TextDecoder("utf-8", { fatal: true });

function textIn(base64: string): string | undefined {
  const bytes = Buffer.from(base64, "base64");
  // Most words that look like it begin with what no text has: they are not decoded any further.
  if (bytes.subarray(0, 8).some((byte) => byte < 9 || byte === 0x7f || (byte > 13 && byte < 32))) return undefined;
  try {
    const text = utf8.decode(bytes);
    return /[^\t\n\r\P{Cc}]|\p{Cn}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
