/** Edits of a bundle's tar, each of one thing, chosen by chance: whoever has no key could make every one of them. */

import { entriesOf } from "./damages.ts";

/** From 0 to below 1. */
export type Random = () => number;

export interface Edit {
  readonly what: string;
  readonly tar: Buffer;
}

interface Member {
  /** 512 bytes. */
  readonly header: Buffer;
  readonly body: Buffer;
}

type MembersEdit = (members: readonly Member[], random: Random) => { readonly what: string; readonly members: readonly Member[] };

/** One edit. It changes what a tar holds and writes that in its due form, or it changes bytes of the tar itself. */
export function editedBy(random: Random, tar: Buffer): Edit {
  const kind = pick(random, [...membersEdits, flip, flip, insertByte, deleteByte, cut]);
  if (isBytesEdit(kind)) return kind(tar, random);
  const { what, members } = kind(membersOf(tar), random);
  return { what, tar: tarOf(members) };
}

type BytesEdit = (tar: Buffer, random: Random) => Edit;

const bytesEdits: ReadonlySet<unknown> = new Set<BytesEdit>([flip, insertByte, deleteByte, cut]);

function isBytesEdit(kind: MembersEdit | BytesEdit): kind is BytesEdit {
  return bytesEdits.has(kind);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

/** Of all bytes, so mostly of headers, padding and the big files. */
function flip(tar: Buffer, random: Random): Edit {
  const at = below(random, tar.byteLength);
  const copy = Buffer.from(tar);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << below(random, 8)), at);
  return { what: `a bit of byte ${at}`, tar: copy };
}

function insertByte(tar: Buffer, random: Random): Edit {
  const at = below(random, tar.byteLength + 1);
  return { what: `a byte more at ${at}`, tar: Buffer.concat([tar.subarray(0, at), Buffer.from([below(random, 256)]), tar.subarray(at)]) };
}

function deleteByte(tar: Buffer, random: Random): Edit {
  const at = below(random, tar.byteLength);
  return { what: `byte ${at} less`, tar: Buffer.concat([tar.subarray(0, at), tar.subarray(at + 1)]) };
}

function cut(tar: Buffer, random: Random): Edit {
  const at = below(random, tar.byteLength);
  return { what: `cut at ${at}`, tar: tar.subarray(0, at) };
}

const bodyEdit = (what: string, change: (body: Buffer, random: Random) => Buffer): MembersEdit => (members, random) => {
  const chosen = below(random, members.length);
  const member = members[chosen] as Member;
  return { what: `${what} ${nameOf(member)}`, members: members.map((each, index) => (index === chosen ? sized(each, change(member.body, random)) : each)) };
};

const membersEdits: readonly MembersEdit[] = [
  bodyEdit("a flipped bit in", flippedBody),
  bodyEdit("a flipped bit in", flippedBody),
  bodyEdit("a byte more in", (body, random) => {
    const at = below(random, body.byteLength + 1);
    return Buffer.concat([body.subarray(0, at), Buffer.from([pick(random, [0, 10, 32, 35, 120])]), body.subarray(at)]);
  }),
  bodyEdit("a byte less in", (body, random) => {
    const at = below(random, body.byteLength);
    return Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]);
  }),
  bodyEdit("an end cut off", (body, random) => body.subarray(0, below(random, body.byteLength))),
  bodyEdit("a line's end at the end of", (body) => Buffer.concat([body, Buffer.from("\n")])),
  (members, random) => {
    const [a, b] = [below(random, members.length), below(random, members.length - 1)];
    const other = b >= a ? b + 1 : b;
    const [one, two] = [members[a] as Member, members[other] as Member];
    const swapped = members.map((each, index) => (index === a ? sized(one, two.body) : index === other ? sized(two, one.body) : each));
    return { what: `${nameOf(one)} and ${nameOf(two)} changed places`, members: swapped };
  },
  (members, random) => {
    const chosen = below(random, members.length);
    const name = `${nameOf(members[chosen] as Member)}${pick(random, ["x", ".old", "0"])}`;
    return { what: `renamed to ${name}`, members: inOrder(members.map((each, index) => (index === chosen ? renamed(each, name) : each))) };
  },
  (members, random) => {
    const chosen = below(random, members.length);
    const member = members[chosen] as Member;
    const mode = pick(random, ["000644 ", "000755 ", "004755 ", "000666 ", "000600 "].filter((each) => member.header.toString("latin1", 100, 107) !== each));
    return { what: `mode ${mode}of ${nameOf(member)}`, members: members.map((each, index) => (index === chosen ? withHeader(each, (block) => block.write(mode, 100)) : each)) };
  },
  (members, random) => {
    const name = pick(random, ["a", "install.sh2", "lib/zz.sh", "site/more", "evidence/more.json", "trust/0001.policy", "blobs/more", "SHA256SUMS.signatures"]);
    const like = members.find((each) => nameOf(each) === "site.env") as Member;
    return { what: `${name} more`, members: inOrder([...members, renamed(sized(like, Buffer.from("more\n")), name)]) };
  },
  (members, random) => {
    const gone = below(random, members.length);
    return { what: `without ${nameOf(members[gone] as Member)}`, members: members.filter((_, index) => index !== gone) };
  },
  (members, random) => {
    const twice = below(random, members.length);
    return { what: `${nameOf(members[twice] as Member)} twice`, members: members.flatMap((each, index) => (index === twice ? [each, each] : [each])) };
  },
];

function flippedBody(body: Buffer, random: Random): Buffer {
  const at = below(random, body.byteLength);
  const copy = Buffer.from(body);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << below(random, 8)), at);
  return copy;
}

function membersOf(tar: Buffer): readonly Member[] {
  return entriesOf(tar).map(({ start, size }) => ({ header: tar.subarray(start, start + 512), body: tar.subarray(start + 512, start + 512 + size) }));
}

function nameOf({ header }: Member): string {
  return header.toString("latin1", 0, header.indexOf(0));
}

/** The header changed, with its checksum made good: POSIX.1-2017 pax, ustar Interchange Format. */
function withHeader(member: Member, change: (block: Buffer) => void): Member {
  const header = Buffer.from(member.header);
  change(header);
  header.fill(0x20, 148, 156);
  header.write(`${header.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, "0")} \0`, 148, "latin1");
  return { ...member, header };
}

function sized(member: Member, body: Buffer): Member {
  return { ...withHeader(member, (block) => block.write(body.byteLength.toString(8).padStart(11, "0"), 124)), body };
}

function renamed(member: Member, name: string): Member {
  return withHeader(member, (block) => block.fill(0, 0, 100).write(name, 0));
}

/** The order that a bundle has, so that it isn't by the order alone that the edit is seen. */
function inOrder(members: readonly Member[]): readonly Member[] {
  const isBig = (member: Member): number => Number(nameOf(member).startsWith("blobs/"));
  return [...members].sort((a, b) => isBig(a) - isBig(b) || Buffer.compare(Buffer.from(nameOf(a)), Buffer.from(nameOf(b))));
}

function tarOf(members: readonly Member[]): Buffer {
  return Buffer.concat([...members.flatMap(({ header, body }) => [header, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512)]), Buffer.alloc(1_024)]);
}
