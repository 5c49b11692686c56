/** A disk's header against what the descriptor says of it: VMware Virtual Disk Format 1.1, "Hosted Sparse Extent Header". */

import type { Issue } from "../core/issue.ts";
import type { DiskReference } from "./descriptor.ts";
import { finding } from "./finding.ts";
import type { Member } from "./package-source.ts";
import { bytesAt } from "./package-source.ts";
import { attribute } from "./xml.ts";

const sectorBytes = 512;

/** Flag bits 16 and 17: grains are compressed, and markers stand between them. */
const streamFlags = 0x30000;

export async function diskIssues(disk: DiskReference, file: Member): Promise<readonly Issue[]> {
  const { id, capacity, isStreamOptimized, element } = disk;
  const header = Buffer.from(await bytesAt(file, 0, sectorBytes));
  const wrong = (what: string): readonly Issue[] => [
    finding("ovf/disk-format", `the disk ${id}: ${file.name} ${what}`, "Convert it: qemu-img convert -O vmdk -o subformat=streamOptimized.", element.place),
  ];
  if (!isStreamOptimized && attribute(element, "format") !== undefined) return wrong("is not said to be streamOptimized, the one format that every reader takes");
  if (header.length < sectorBytes || header.toString("latin1", 0, 4) !== "KDMV") return wrong("is no VMDK");
  const flags = header.readUInt32LE(8);
  const isDeflated = header.readUInt16LE(77) === 1;
  if (header.readUInt32LE(4) > 3 || (flags & streamFlags) !== streamFlags || !isDeflated) return wrong("is a VMDK, but not a streamOptimized one");
  const bytes = Number(header.readBigUInt64LE(12)) * sectorBytes;
  if (capacity === undefined || capacity === bytes) return [];
  return [finding("ovf/disk-capacity", `the disk ${id}: its capacity is ${capacity} bytes, ${file.name} shows its guest ${bytes}`, "Write the disk's own capacity; it can be made larger once the VM is there.", element.place)];
}
