/** What kind of file system, or of container of some, a partition holds: by the marks that blkid goes by, the outermost first. */

import { isWithin, type Volume } from "../disks/volume.ts";

/** `ext` is ext2, ext3 or ext4; of no other kind are files read. */
const marks: readonly (readonly [kind: string, at: number, mark: string])[] = [
  ["LUKS", 0, "LUKS\xba\xbe"],
  ["LVM", 0x218, "LVM2 001"],
  ["LVM", 0x18, "LVM2 001"],
  ["LVM", 0x418, "LVM2 001"],
  ["LVM", 0x618, "LVM2 001"],
  ["a RAID", 0x1000, "\xfc\x4e\x2b\xa9"],
  ["a RAID", 0, "\xfc\x4e\x2b\xa9"],
  ["xfs", 0, "XFSB"],
  ["squashfs", 0, "hsqs"],
  ["erofs", 0x400, "\xe2\xe1\xf5\xe0"],
  ["f2fs", 0x400, "\x10\x20\xf5\xf2"],
  ["ntfs", 3, "NTFS    "],
  ["exfat", 3, "EXFAT   "],
  ["ext", 0x438, "\x53\xef"],
  // Where ext leaves as it was what a former one had; they themselves leave nothing of an ext.
  ["bcachefs", 0x1018, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"],
  ["swap", 0xff6, "SWAPSPACE2"],
  ["iso9660", 0x8001, "CD001"],
  ["btrfs", 0x10040, "_BHRfS_M"],
  ["vfat", 0x52, "FAT32   "],
  ["vfat", 0x36, "FAT16   "],
  ["vfat", 0x36, "FAT12   "],
];

/** Undefined where it is none of those that are known. */
export function filesystemKind(volume: Volume): string | undefined {
  return marks.find(([, at, mark]) => isWithin(at, mark.length, volume.size) && volume.read(at, mark.length).toString("latin1") === mark)?.[0];
}
