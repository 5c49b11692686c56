/** What a disk image's file is, and how large the disk is that a guest sees of it: from its first bytes. */

export type DiskImage =
  | {
      readonly format: "qcow2" | "vmdk";
      /** Bytes. */
      readonly virtualSize: number;
      /** Of a VMDK: its createType. */
      readonly kind?: string;
      /** Why it can't be used, if it can't. */
      readonly problem?: string;
    }
  | { readonly format: "raw"; readonly problem?: string }
  | { readonly format: "other"; readonly what: string };

/** Bytes that `diskImageOf` needs to see. */
export const diskImageHead = 4_096;

/** `size` is the file's. A file that is nothing else is raw; its size is then the disk's. */
export function diskImageOf(head: Uint8Array, size: number): DiskImage {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // Not TextDecoder("latin1"), which is windows-1252.
  const text = (at: number, length: number): string => Buffer.from(head.subarray(at, at + length)).toString("latin1");
  if (text(0, 4) === "QFI\xfb") return qcow2(view);
  if (text(0, 4) === "KDMV") return vmdk(view, text);
  const other = [
    ["compressed with gzip", text(0, 2) === "\x1f\x8b"],
    ["compressed with xz", text(0, 6) === "\xfd7zXZ\0"],
    ["compressed with zstd", text(0, 4) === "\x28\xb5\x2f\xfd"],
    ["a tar (an OVA?)", text(257, 5) === "ustar"],
    ["a VHDX", text(0, 8) === "vhdxfile"],
    ["a VHD", text(0, 8) === "conectix"],
    ["a VDI", text(64, 4) === "\x7f\x10\xda\xbe"],
    ["a VMDK descriptor without its data", text(0, 21) === "# Disk DescriptorFile"],
    ["a web page", /^\s*<(!doctype|html)/i.test(text(0, 64))],
    ["an XML document", text(0, 5) === "<?xml"],
    ["empty", size === 0],
  ].find(([, is]) => is === true);
  if (other !== undefined) return { format: "other", what: String(other[0]) };
  if (size % 512 === 0) return { format: "raw" };
  return { format: "raw", problem: `a raw disk has whole sectors of 512 bytes, this file has ${size} bytes` };
}

/** docs/interop/qcow2.txt of QEMU: header, version 2 and 3. */
function qcow2(view: DataView): DiskImage {
  if (view.byteLength < 104) return { format: "other", what: "a qcow2 that is cut off" };
  const version = view.getUint32(4);
  const virtualSize = Number(view.getBigUint64(24));
  const incompatible = version >= 3 ? view.getBigUint64(72) : 0n;
  const problems: readonly (readonly [boolean, string])[] = [
    [version !== 2 && version !== 3, `it is a qcow2 of version ${version}; 2 and 3 are known`],
    [
      view.getBigUint64(8) !== 0n,
      "it needs a backing file, which would not travel with it: qemu-img convert makes it whole",
    ],
    [view.getUint32(32) !== 0, "it is encrypted"],
    [(incompatible & 1n) !== 0n, "it was not closed properly: qemu-img check -r all"],
    [(incompatible & 2n) !== 0n, "it is marked as corrupt: qemu-img check"],
    [
      (incompatible & 4n) !== 0n,
      "its data is in another file, which would not travel with it: qemu-img convert makes it whole",
    ],
    [(incompatible & ~0x1fn) !== 0n, "it uses features that this program does not know"],
  ];
  const problem = problems.find(([is]) => is)?.[1] ?? sizeProblem(virtualSize);
  return { format: "qcow2", virtualSize, ...(problem === undefined ? {} : { problem }) };
}

/**
 * The kinds that OpenStack takes (vmdk_allowed_types of Glance, Cinder and Nova, since CVE-2022-47951): the others may name
 * files of the machine that reads them.
 */
const wholeVmdks: readonly string[] = ["monolithicSparse", "streamOptimized"];

/** VMware Virtual Disk Format 1.1: a sparse extent's numbers are in sectors, little endian. */
function vmdk(view: DataView, text: (at: number, length: number) => string): DiskImage {
  if (view.byteLength < 512) return { format: "other", what: "a VMDK that is cut off" };
  const virtualSize = Number(view.getBigUint64(12, true)) * 512;
  const descriptor = Number(view.getBigUint64(28, true)) * 512;
  const kind = descriptor === 0 ? undefined : /^createType="([^"]*)"/m.exec(text(descriptor, diskImageHead))?.[1];
  const problem =
    kind !== undefined && wholeVmdks.includes(kind)
      ? sizeProblem(virtualSize)
      : `it is a VMDK of kind ${kind ?? "unknown"}; ${wholeVmdks.join(" and ")} are taken: qemu-img convert makes it whole`;
  return { format: "vmdk", virtualSize, ...(kind === undefined ? {} : { kind }), ...(problem === undefined ? {} : { problem }) };
}

function sizeProblem(virtualSize: number): string | undefined {
  if (virtualSize === 0) return "it is a disk of no size";
  return Number.isSafeInteger(virtualSize) ? undefined : `it says that it is a disk of ${virtualSize} bytes`;
}
