/** Takes a few small files out of a layer, an uncompressed tar, going from header to header without reading what lies between. */

import { open, type FileHandle } from "node:fs/promises";

/** What a layer does at one path. */
export type LayerChange =
  | { readonly kind: "file"; readonly path: string; readonly bytes: Uint8Array }
  /** Larger than it may be, or one too many. */
  | { readonly kind: "too-big"; readonly path: string }
  /** The path of a lower layer is gone, with all below it. */
  | { readonly kind: "removed"; readonly path: string }
  /** All below this folder of lower layers is gone. */
  | { readonly kind: "emptied"; readonly path: string };

/** What is taken out of one layer, all together: it is held in memory. Bytes. */
const layerBytes = 64 * 1024 * 1024;

/** Long names and pax records; a bigger one is no header. Bytes. */
const headerBytes = 1_048_576;

const blockBytes = 512;

/** OCI image-spec, layer.md "Whiteouts". */
const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

/**
 * The changes of the layer at the paths that are wanted, and what it removes, in the order of the tar. `mostOf` gives the
 * most bytes of a file that are wanted; 0: it is not. Links are left out. Throws where the file is no tar.
 */
export async function layerChanges(path: string, mostOf: (path: string) => number, signal?: AbortSignal): Promise<readonly LayerChange[]> {
  const file = await open(path, "r");
  try {
    const changes: LayerChange[] = [];
    let room = layerBytes;
    const reader = new WindowReader(file);
    let named: Named = {};
    for (let offset = 0; ; ) {
      signal?.throwIfAborted();
      const header = await reader.read(offset, blockBytes);
      if (header.byteLength < blockBytes || header.every((byte) => byte === 0)) return changes;
      const { name, size, type } = readHeader(header, named);
      const body = offset + blockBytes;
      offset = body + Math.ceil(size / blockBytes) * blockBytes;
      if (type === "x" || type === "L") {
        if (size > headerBytes) throw new Error(`a header of ${size} bytes`);
        named = { ...named, ...(type === "x" ? paxOf(await reader.read(body, size)) : { path: textOf(await reader.read(body, size)) }) };
        continue;
      }
      if (type === "K" || type === "g") continue;
      named = {};
      const change = await changeOf(clean(name), type, size, (each) => Math.min(room, mostOf(each)), () => reader.read(body, size));
      if (change?.kind === "file") room = Math.max(1, room - size);
      if (change !== undefined) changes.push(change);
    }
  } finally {
    await file.close();
  }
}

async function changeOf(
  path: string,
  type: string,
  size: number,
  mostOf: (path: string) => number,
  bytes: () => Promise<Uint8Array>,
): Promise<LayerChange | undefined> {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, Math.max(0, path.length - base.length - 1));
  if (base === opaque) return { kind: "emptied", path: folder };
  if (base.startsWith(whiteout)) return { kind: "removed", path: `${folder === "" ? "" : `${folder}/`}${base.slice(whiteout.length)}` };
  const most = type === "0" ? mostOf(path) : 0;
  if (most === 0) return undefined;
  return size > most ? { kind: "too-big", path } : { kind: "file", path, bytes: await bytes() };
}

/** What extended headers said of the entry that follows them. */
interface Named {
  readonly path?: string;
  readonly size?: number;
}

/** POSIX.1-2017 pax, ustar Interchange Format, with GNU's base-256 sizes. */
function readHeader(header: Uint8Array, named: Named): { readonly name: string; readonly size: number; readonly type: string } {
  const isUstar = textOf(header.subarray(257, 262)) === "ustar";
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : "";
  const own = `${prefix === "" ? "" : `${prefix}/`}${textOf(header.subarray(0, 100))}`;
  const flag = header[156] ?? 0;
  const type = flag === 0 || flag === 0x37 ? "0" : String.fromCharCode(flag);
  const size = named.size ?? sizeOf(header.subarray(124, 136));
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("no tar: an entry has no size");
  return { name: named.path ?? own, size: "123456".includes(type) ? 0 : size, type };
}

function sizeOf(field: Uint8Array): number {
  if ((field[0] ?? 0) & 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  const digits = textOf(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : NaN;
}

/** `LENGTH KEY=VALUE\n`, the length in bytes of all of it. */
function paxOf(bytes: Uint8Array): Named {
  const named: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(textOf(bytes.subarray(at, space)));
    if (space < 0 || !Number.isInteger(length) || length <= space - at) break;
    const [key, ...value] = textOf(bytes.subarray(space + 1, at + length - 1)).split("=");
    if (key === "path") named.path = value.join("=");
    if (key === "size") named.size = Number(value.join("="));
    at += length;
  }
  return named;
}

/** Up to the first NUL. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function clean(name: string): string {
  return name.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
}

/** Small reads out of a window, large ones past it: small files lie close together, and the big ones are not read. */
class WindowReader {
  readonly #file: FileHandle;
  readonly #window = Buffer.allocUnsafeSlow(65_536);
  #start = 0;
  #end = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Fewer bytes where the file ends. */
  async read(start: number, size: number): Promise<Uint8Array> {
    if (size > this.#window.byteLength) return this.#into(Buffer.allocUnsafeSlow(size), start);
    if (start < this.#start || start + size > this.#end) {
      this.#start = start;
      this.#end = start + (await this.#into(this.#window, start)).byteLength;
    }
    // A copy: the window moves on.
    return Uint8Array.from(this.#window.subarray(start - this.#start, Math.min(this.#end, start + size) - this.#start));
  }

  async #into(buffer: Buffer, start: number): Promise<Uint8Array> {
    let at = 0;
    while (at < buffer.byteLength) {
      const { bytesRead } = await this.#file.read(buffer, at, buffer.byteLength - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  }
}
