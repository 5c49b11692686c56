/** SHA256SUMS: reading it as strictly as it is written. */

import { byCodeUnit } from "../core/json.ts";
import { manifestPath, pathProblem, unsummedPaths } from "../pack/layout.ts";
import { bundleEntries } from "../pack/limits.ts";
import { firstClash } from "../pack/tree.ts";

export type Sums =
  /** From path to 64 hexadecimal digits, in the order of the lines. */
  | { readonly ok: true; readonly sums: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string };

/**
 * Lines of 64 lower-case hexadecimal digits, two spaces, a path, and a newline; sorted by path, none twice. What sha256sum
 * would read otherwise or pass over (escaped names, binary marks, comments, blank lines, carriage returns) is refused.
 */
export function parseSums(bytes: Uint8Array): Sums {
  const text = new TextDecoder("latin1").decode(bytes);
  const wrong = (message: string): Sums => ({ ok: false, message: `SHA256SUMS ${message}` });
  if (!text.endsWith("\n")) return wrong("does not end with a line's end");
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > bundleEntries) return wrong(`has more than ${bundleEntries} lines`);
  const sums = new Map<string, string>();
  let before = "";
  for (const [index, line] of lines.entries()) {
    const [, sum = "", path = ""] = line.match(/^([0-9a-f]{64}) {2}(.*)$/) ?? [];
    if (sum === "" || pathProblem(path) !== undefined) return wrong(`line ${index + 1} is not a sum and a path`);
    if (unsummedPaths.includes(path)) return wrong(`line ${index + 1} lists ${path}, which no sum can hold`);
    if (byCodeUnit(before, path) >= 0) return wrong(`line ${index + 1} is out of order, or twice`);
    sums.set(path, sum);
    before = path;
  }
  if (!sums.has(manifestPath)) return wrong(`does not list ${manifestPath}`);
  const clash = firstClash([...sums.keys()]);
  return clash === undefined ? { ok: true, sums } : wrong(`lists names that are one on some disks: ${clash.join(", ")}`);
}
