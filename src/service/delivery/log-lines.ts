/** The log of install.sh as lines that are fit to be shown, each with the byte of the log at which it ends. */

import { plainText } from "../../deliver/plain-text.ts";

/** Without an end of line for so long, it is one anyway. */
const lineBytes = 65_536;
const [newline, carriageReturn] = [0x0a, 0x0d];

/** `from`: the byte at which the first piece begins. */
export function logLines(from: number, tell: (text: string, at: number) => void): { readonly take: (piece: Uint8Array) => void; readonly end: () => void } {
  let rest = Buffer.alloc(0);
  let at = from;
  const line = (bytes: Buffer): void => {
    const text = plainText(bytes.toString("utf8")).trimEnd();
    if (text !== "") tell(text, at);
  };
  return {
    take: (piece) => {
      rest = Buffer.concat([rest, piece]);
      for (let end = endIn(rest); end >= 0; end = endIn(rest)) {
        at += end + 1;
        line(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      }
      if (rest.length < lineBytes) return;
      at += rest.length;
      line(rest);
      rest = Buffer.alloc(0);
    },
    end: () => {
      at += rest.length;
      line(rest);
      rest = Buffer.alloc(0);
    },
  };
}

function endIn(bytes: Buffer): number {
  const [a, b] = [bytes.indexOf(newline), bytes.indexOf(carriageReturn)];
  return a < 0 ? b : b < 0 ? a : Math.min(a, b);
}
