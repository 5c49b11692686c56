/** Small ext file systems made by hand, of one group: what a test wants to be wrong, it edits at places that are told. */

export type Content = string | Buffer | { readonly link: string };

export interface ExtFile {
  readonly bytes: Buffer;
  /** Where the inode of a path begins. Bytes. */
  readonly inodeOf: (path: string) => number;
  /** Blocks with the content of a path, in order. */
  readonly blocksOf: (path: string) => readonly number[];
  /** The first block that nothing is in. */
  readonly free: number;
}

export const blockBytes = 1_024;
export const inodeBytes = 128;
const inodes = 128;
const tableBlock = 5;
const firstData = tableBlock + (inodes * inodeBytes) / blockBytes;

/** Files and links by path, with the folders above them. `gaps`: a block of each content is followed by one of nobody. */
export function extFile(files: Readonly<Record<string, Content>>, how: { readonly by: "extents" | "map"; readonly gaps?: boolean; readonly blocks?: number }): ExtFile {
  const blockCount = how.blocks ?? 512;
  const bytes = Buffer.alloc(blockCount * blockBytes);
  const numbers = new Map<string, number>([["", 2]]);
  const folders = new Map<string, string[]>([["", []]]);
  for (const path of Object.keys(files)) {
    const names = path.split("/");
    for (let depth = 1; depth <= names.length; depth += 1) {
      const each = names.slice(0, depth).join("/");
      if (numbers.has(each)) continue;
      numbers.set(each, 10 + numbers.size);
      folders.get(names.slice(0, depth - 1).join("/"))?.push(each);
      if (depth < names.length) folders.set(each, []);
    }
  }
  let next = firstData;
  const placed = new Map<string, number[]>();
  const take = (): number => {
    const block = next;
    next += how.gaps === true ? 2 : 1;
    if (next > blockCount) throw new Error("too small for what is to be in it");
    return block;
  };
  const inodeOf = (path: string): number => tableBlock * blockBytes + ((numbers.get(path) ?? 0) - 1) * inodeBytes;
  const write = (path: string, mode: number, content: Buffer): void => {
    const at = inodeOf(path);
    bytes.writeUInt16LE(mode, at);
    bytes.writeUInt32LE(content.byteLength, at + 4);
    bytes.writeUInt16LE(1, at + 0x1a);
    if ((mode & 0xf000) === 0xa000 && content.byteLength < 60) {
      content.copy(bytes, at + 0x28);
      return;
    }
    const blocks = Array.from({ length: Math.ceil(content.byteLength / blockBytes) }, take);
    blocks.forEach((block, index) => content.copy(bytes, block * blockBytes, index * blockBytes, (index + 1) * blockBytes));
    placed.set(path, blocks);
    if (how.by === "map") writeMap(bytes, at + 0x28, blocks, take);
    else writeExtents(bytes, at, blocks, take);
  };
  for (const [path, names] of folders) {
    const above = numbers.get(path.split("/").slice(0, -1).join("/")) ?? 2;
    write(path, 0x41ed, folder([[".", numbers.get(path) ?? 2], ["..", above], ...names.map((each) => [each.slice(each.lastIndexOf("/") + 1), numbers.get(each) ?? 0] as const)]));
  }
  for (const [path, content] of Object.entries(files)) {
    const isLink = typeof content === "object" && "link" in content;
    write(path, isLink ? 0xa1ff : 0x81a4, Buffer.from(isLink ? content.link : content));
  }
  writeSuperblock(bytes, blockCount, how.by);
  return { bytes, inodeOf, blocksOf: (path) => placed.get(path) ?? [], free: next };
}

function writeSuperblock(bytes: Buffer, blockCount: number, by: "extents" | "map"): void {
  const at = 1_024;
  const words: readonly (readonly [at: number, value: number])[] = [
    [0x0, inodes], [0x4, blockCount], [0x14, 1], [0x18, 0], [0x20, 8 * blockBytes], [0x24, 8 * blockBytes], [0x28, inodes], [0x4c, 1], [0x60, by === "extents" ? 0x42 : 0x2], [0x64, 1],
  ];
  for (const [place, value] of words) bytes.writeUInt32LE(value, at + place);
  bytes.writeUInt16LE(0xef53, at + 0x38);
  bytes.writeUInt16LE(inodeBytes, at + 0x58);
  bytes.writeUInt32LE(3, 2 * blockBytes);
  bytes.writeUInt32LE(4, 2 * blockBytes + 4);
  bytes.writeUInt32LE(tableBlock, 2 * blockBytes + 8);
}

/** Entries that fill whole blocks. */
export function folder(entries: readonly (readonly [name: string, number: number])[]): Buffer {
  const blocks: Buffer[] = [];
  let block = Buffer.alloc(blockBytes);
  let at = 0;
  let last = 0;
  const close = (): void => {
    block.writeUInt16LE(blockBytes - last, last + 4);
    blocks.push(block);
  };
  for (const [name, number] of entries) {
    const length = 8 + Math.ceil(name.length / 4) * 4;
    if (at + length > blockBytes) {
      close();
      block = Buffer.alloc(blockBytes);
      at = 0;
    }
    last = at;
    block.writeUInt32LE(number, at);
    block.writeUInt16LE(length, at + 4);
    block.writeUInt8(name.length, at + 6);
    block.write(name, at + 8, "latin1");
    at += length;
  }
  close();
  return Buffer.concat(blocks);
}

/** Twelve numbers, then one block of them, then one over blocks of them. */
function writeMap(bytes: Buffer, at: number, blocks: readonly number[], take: () => number): void {
  const perBlock = blockBytes / 4;
  const table = (numbers: readonly number[]): number => {
    const block = take();
    numbers.forEach((number, index) => bytes.writeUInt32LE(number, block * blockBytes + index * 4));
    return block;
  };
  blocks.slice(0, 12).forEach((block, index) => bytes.writeUInt32LE(block, at + index * 4));
  const more = blocks.slice(12);
  if (more.length > 0) bytes.writeUInt32LE(table(more.slice(0, perBlock)), at + 48);
  const rest = more.slice(perBlock);
  if (rest.length > 0) bytes.writeUInt32LE(table(Array.from({ length: Math.ceil(rest.length / perBlock) }, (_, index) => table(rest.slice(index * perBlock, (index + 1) * perBlock)))), at + 52);
}

/** An extent for each run, in the inode or in leaves below it. */
function writeExtents(bytes: Buffer, inode: number, blocks: readonly number[], take: () => number): void {
  const at = inode + 0x28;
  bytes.writeUInt32LE(0x8_0000, inode + 0x20);
  const runs: { logical: number; physical: number; count: number }[] = [];
  for (const [logical, physical] of blocks.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last.physical + last.count === physical) last.count += 1;
    else runs.push({ logical, physical, count: 1 });
  }
  const head = (place: number, entries: number, room: number, depth: number): void => {
    for (const [index, value] of [0xf30a, entries, room, depth].entries()) bytes.writeUInt16LE(value, place + index * 2);
  };
  const leaf = (place: number, part: typeof runs, room: number): void => {
    head(place, part.length, room, 0);
    part.forEach(({ logical, physical, count }, index) => {
      bytes.writeUInt32LE(logical, place + 12 + 12 * index);
      bytes.writeUInt16LE(count, place + 16 + 12 * index);
      bytes.writeUInt32LE(physical, place + 20 + 12 * index);
    });
  };
  if (runs.length <= 4) return leaf(at, runs, 4);
  const perLeaf = 84;
  const leaves = Array.from({ length: Math.ceil(runs.length / perLeaf) }, (_, index) => runs.slice(index * perLeaf, (index + 1) * perLeaf));
  if (leaves.length > 4) throw new Error("too many pieces for a tree of two levels");
  head(at, leaves.length, 4, 1);
  leaves.forEach((part, index) => {
    const block = take();
    leaf(block * blockBytes, part, perLeaf);
    bytes.writeUInt32LE(part[0]?.logical ?? 0, at + 12 + 12 * index);
    bytes.writeUInt32LE(block, at + 16 + 12 * index);
  });
}
