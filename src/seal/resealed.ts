/** A bundle's tar with other files of the seal: everything else goes through as it is, piece by piece. */

import { byPlace, sealPaths } from "../pack/layout.ts";
import { blockSize, encodeHeader, endSize, paddingOf } from "../pack/tar.ts";
import type { ArchiveSource } from "./bundle-source.ts";
import type { Form } from "./form.ts";

/** How much is held at once. Bytes. */
const pieceBytes = 1_048_576;

/** Bytes of the whole, and its pieces. The source's form must be good; `files` stand in the place of those of the same path. */
export function resealed(source: ArchiveSource, form: Form, files: ReadonlyMap<string, Uint8Array>): { readonly size: number; readonly pieces: AsyncGenerator<Uint8Array> } {
  const stranger = [...files.keys()].find((path) => !sealPaths.includes(path));
  if (stranger !== undefined) throw new Error(`${stranger} is not of the seal`);
  const paths = [...new Set([...form.files.keys(), ...files.keys()])].sort(byPlace);
  const mtime = [...form.files.values()][0]?.mtime ?? 0;
  const sizeOf = (path: string): number => files.get(path)?.byteLength ?? form.files.get(path)?.size ?? 0;
  const size = paths.reduce((sum, path) => sum + blockSize + sizeOf(path) + paddingOf(sizeOf(path)), endSize);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const path of paths) {
      const bytes = files.get(path);
      const place = form.files.get(path)?.place;
      if (bytes !== undefined) {
        yield Buffer.concat([encodeHeader({ path, mode: 0o644, size: bytes.byteLength, mtime }), bytes, new Uint8Array(paddingOf(bytes.byteLength))]);
      } else if (place !== undefined) {
        const end = place.end + paddingOf(place.end - place.start);
        for (let at = place.start - blockSize; at < end; at += pieceBytes) yield await source.read({ file: "", start: at, end: Math.min(end, at + pieceBytes) });
      }
    }
    yield new Uint8Array(endSize);
  }
  return { size, pieces: pieces() };
}
