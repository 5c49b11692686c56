/** For each code of an OVF package a good package and the edit that makes `check` end in this code, and in no other. */

import { createHash } from "node:crypto";
import type { OvfSource } from "../../src/ovf/package-source.ts";
import { blockSize, encodeHeader, paddingOf } from "../../src/pack/tar.ts";
import type { Lock } from "../../src/spec/lock.ts";
import { composeText, specText, textOf, wellRead } from "../golden/cases.ts";

/** In the order of the archive. */
export type Package = readonly (readonly [name: string, bytes: Buffer])[];

export interface OvfCase {
  readonly code: string;
  readonly what: string;
  /** The whole archive, made of a good package. */
  readonly make: (good: Package) => Buffer;
}

/** The package of a golden case around these disks; with the true digests, as `build` writes it. */
export function goldenPackage(name: string, vmImage: Buffer, payload: Buffer): Package {
  const { files } = wellRead(composeText(specText(name), goldenDisks(vmImage, payload)));
  const text = (path: string): Buffer => Buffer.from(textOf(files.find((file) => file.path === path)));
  const bodies = { "vm-image.vmdk": vmImage, "payload.vmdk": payload };
  return [
    ["platformvm.ovf", text("ovf/platformvm.ovf")],
    ["platformvm.mf", text("ovf/platformvm.mf")],
    ...Object.entries(bodies),
  ];
}

/** What a lock says of them. */
export function goldenDisks(vmImage: Buffer, payload: Buffer): NonNullable<Lock["vmdk"]> {
  return { vmImage: locked(vmImage), payload: locked(payload) };
}

function locked(disk: Buffer): NonNullable<Lock["vmdk"]>["payload"] {
  const digest = (algorithm: string): string => createHash(algorithm).update(disk).digest("hex");
  return { digest: `sha256:${digest("sha256")}`, sha512: digest("sha512"), sha1: digest("sha1"), size: disk.length, capacity: Number(disk.readBigUInt64LE(12)) * 512, populated: 0 };
}

/** The header of a streamOptimized VMDK (VMware Virtual Disk Format 1.1) that shows its guest `sectors`, and some bytes. */
export function headerOnlyDisk(sectors: number): Buffer {
  const disk = Buffer.alloc(1_024, 7);
  disk.fill(0, 0, 512);
  disk.write("KDMV", 0, "latin1");
  disk.writeUInt32LE(3, 4);
  disk.writeUInt32LE(0x30001, 8);
  disk.writeBigUInt64LE(BigInt(sectors), 12);
  disk.writeUInt16LE(1, 77);
  return disk;
}

export function archive(files: Package): Buffer {
  const entries = files.flatMap(([path, bytes]) => [encodeHeader({ path, mode: 0o644, size: bytes.length, mtime: 0 }), bytes, Buffer.alloc(paddingOf(bytes.length))]);
  return Buffer.concat([...entries, Buffer.alloc(2 * blockSize)]);
}

export function ovaSource(bytes: Buffer): OvfSource {
  return {
    kind: "archive",
    size: bytes.length,
    async *read(start, end) {
      yield bytes.subarray(start, end);
    },
  };
}

type Edit = (text: string) => string;

const swap = (find: string | RegExp, replace: string): Edit => (text) => {
  const after = text.replace(find, replace);
  if (after === text) throw new Error(`${String(find)} is not there`);
  return after;
};

function edited(files: Package, name: string, edit: Edit): Package {
  return files.map(([each, bytes]) => (each === name ? [each, Buffer.from(edit(bytes.toString()))] : [each, bytes]));
}

/** The manifest anew, so that only what was meant is wrong. */
function resummed(files: Package): Package {
  return edited(files, "platformvm.mf", (text) =>
    text.replace(/^(SHA1|SHA256)\((.+)\)= .*$/gm, (_, label: string, name: string) => {
      const bytes = files.find(([each]) => each === name)?.[1] ?? Buffer.alloc(0);
      return `${label}(${name})= ${createHash(label.toLowerCase()).update(bytes).digest("hex")}`;
    }),
  );
}

function descriptor(code: string, what: string, find: string | RegExp, replace: string): OvfCase {
  return { code: `ovf/${code}`, what, make: (good) => archive(resummed(edited(good, "platformvm.ovf", swap(find, replace)))) };
}

function manifest(code: string, what: string, find: string | RegExp, replace: string): OvfCase {
  return { code: `ovf/${code}`, what, make: (good) => archive(edited(good, "platformvm.mf", swap(find, replace))) };
}

function files(code: string, what: string, change: (good: Package) => Package): OvfCase {
  return { code: `ovf/${code}`, what, make: (good) => archive(change(good)) };
}

/** The header at the beginning of the archive, with its checksum made right again. */
function header(code: string, what: string, change: (block: Buffer) => void): OvfCase {
  return {
    code: `ovf/${code}`,
    what,
    make: (good) => {
      const whole = archive(good);
      const block = whole.subarray(0, 512);
      change(block);
      block.fill(" ", 148, 156);
      block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")} \0`, 148, "latin1");
      return whole;
    },
  };
}

const network = '<Network ovf:name="spare"><Description>spare</Description></Network>\n  </NetworkSection>';

export const OVF_CASES: readonly OvfCase[] = [
  header("archive-type", "GNU's own header", (block) => block.write("ustar  \0", 257, "latin1")),
  header("archive-type", "the old header without a magic", (block) => block.fill(0, 257, 265)),
  {
    code: "ovf/archive-type",
    what: "an extended header of pax",
    make: (good) => {
      const extended = Buffer.from(encodeHeader({ path: "x", mode: 0o644, size: 0, mtime: 0 }));
      extended.write("x", 156, "latin1");
      extended.fill(" ", 148, 156);
      extended.write(`${extended.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")} \0`, 148, "latin1");
      return Buffer.concat([extended, archive(good)]);
    },
  },
  { code: "ovf/archive-header", what: "a header whose sum is wrong", make: (good) => Buffer.concat([archive(good).subarray(0, -1_024), Buffer.alloc(1_024, 0x41)]) },
  { code: "ovf/archive-end", what: "an archive without its last block", make: (good) => archive(good).subarray(0, -512) },
  files("archive-name", "a file twice", (good) => [...good, good[3] as Package[number]]),
  files("archive-order", "the manifest first", (good) => [good[1], good[0], ...good.slice(2)] as Package),
  files("archive-order", "the disks not as References list them", (good) => [good[0], good[1], good[3], good[2]] as Package),
  descriptor("xml", "not well-formed", "</References>", "</Reference>"),
  descriptor("xml", "an unknown entity", "<Vendor>MobiledgeX", "<Vendor>&nbsp;"),
  descriptor("xml", "a document type", "<Envelope", "<!DOCTYPE Envelope [<!ENTITY a 'b'>]>\n<Envelope"),
  descriptor("xml", "a prefix that nobody declared", "<Vendor>MobiledgeX</Vendor>", "<o:Vendor>MobiledgeX</o:Vendor>"),
  descriptor("namespace", "OVF 2", /envelope\/1"/g, 'envelope/2"'),
  descriptor("section", "a section without Info", "<Info>The licence of this package</Info>", ""),
  descriptor("section", "sections in another order", /( {2}<DiskSection>[^]*<\/NetworkSection>\n)([^]*)(<\/Envelope>)/, "$2$1$3"),
  descriptor("section", "an element that has no place", "<Vendor>", "<Maker>x</Maker><Vendor>"),
  descriptor("section", "an element too late", /(<Product>.*<\/Product>)\s*(<Vendor>.*<\/Vendor>)/, "$2$1"),
  descriptor("attribute", "a disk without format", / ovf:format="[^"]*streamOptimized"(?=\/>\n {2}<\/DiskSection>)/, ""),
  descriptor("attribute", "a vmw:Config without key", 'vmw:key="firmware" ', ""),
  descriptor("item", "elements of an Item out of order", /(<rasd:InstanceID>5<\/rasd:InstanceID>)\s*(<rasd:Parent>3<\/rasd:Parent>)/, "$2$1"),
  descriptor("item", "an Item without InstanceID", "<rasd:InstanceID>8</rasd:InstanceID>", ""),
  descriptor("reference", "a fileRef to nothing", 'ovf:fileRef="payload"', 'ovf:fileRef="pay"'),
  descriptor("reference", "a Parent that is none", /(<rasd:InstanceID>7<\/rasd:InstanceID>\s*<rasd:Parent>)6/, "$166"),
  descriptor("reference", "a drive without Parent", /(<rasd:InstanceID>7<\/rasd:InstanceID>)\s*<rasd:Parent>6<\/rasd:Parent>/, "$1"),
  descriptor("repeated", "an InstanceID twice", "<rasd:InstanceID>8</rasd:InstanceID>", "<rasd:InstanceID>7</rasd:InstanceID>"),
  descriptor("repeated", "two disks at one place", "<rasd:AddressOnParent>1</rasd:AddressOnParent>", "<rasd:AddressOnParent>0</rasd:AddressOnParent>"),
  descriptor("repeated", "a property twice", 'ovf:key="hostname"', 'ovf:key="instance-id"'),
  descriptor("unused", "a network without a card", "</NetworkSection>", network),
  descriptor("device-type", "a controller of no kind", "<rasd:ResourceSubType>lsilogic<", "<rasd:ResourceSubType>virtio-scsi<"),
  descriptor("device-type", "a card of no kind", "<rasd:ResourceSubType>VmxNet3<", "<rasd:ResourceSubType>virtio<"),
  descriptor("device-type", "a ResourceType of no kind", "<rasd:ResourceType>24<", "<rasd:ResourceType>99<"),
  descriptor("hardware-version", "a version that is none", ">vmx-20<", ">vmx-99<"),
  descriptor("hardware-version", "no version", /\n *<vssd:VirtualSystemType>.*/, ""),
  descriptor("property-type", "a length in the type", 'ovf:key="hostname" ovf:type="string"', 'ovf:key="hostname" ovf:type="string(..63)"'),
  descriptor("property-key", "a period in a key", 'ovf:key="hostname"', 'ovf:key="guest.hostname"'),
  descriptor("transport", "properties without a transport", ' ovf:transport="com.vmware.guestInfo iso"', ""),
  descriptor("file-size", "another size", /(ovf:href="payload.vmdk" ovf:size=")\d+/, "$17"),
  descriptor("disk-capacity", "another capacity", /(<Disk ovf:diskId="payload".*ovf:capacity=")\d+/, "$1512"),
  descriptor("disk-capacity", "a unit that is none", 'ovf:capacityAllocationUnits="byte"', 'ovf:capacityAllocationUnits="blocks"'),
  descriptor("disk-format", "said to be of another format", "#streamOptimized", "#sparse"),
  files("disk-format", "a disk that is none", (good) => resummed(good.map(([name, bytes]) => [name, name === "payload.vmdk" ? Buffer.alloc(bytes.length, 1) : bytes]))),
  files("file-unnamed", "a file that nothing names", (good) => [...good, ["notes.txt", Buffer.from("x")]]),
  files("file-missing", "no descriptor", (good) => good.slice(2)),
  manifest("manifest-form", "a space before the parenthesis", "SHA1(payload", "SHA1 (payload"),
  manifest("manifest-form", "vCenter's own misreading", "SHA1(payload", "SHA2-256(payload"),
  manifest("manifest-form", "no space behind the equals sign", "payload.vmdk)= ", "payload.vmdk)="),
  manifest("manifest-form", "carriage returns", /\n$/, "\r\n"),
  manifest("manifest-form", "no line feed at the end", /\n$/, ""),
  manifest("manifest-form", "an upper-case digest", /= [0-9a-f]+\n$/, `= ${"A".repeat(40)}\n`),
  manifest("manifest-digest", "another digest", /= [0-9a-f]+\n$/, `= ${"a".repeat(40)}\n`),
  manifest("manifest-file", "the descriptor is not listed", /^.*\n/, ""),
  manifest("manifest-file", "a line twice", /([^\n]*\n)$/, "$1$1"),
  manifest("manifest-file", "a file that is not there", /$/, `SHA1(more.vmdk)= ${"a".repeat(40)}\n`),
  files("manifest-missing", "no manifest", (good) => good.filter(([name]) => name !== "platformvm.mf")),
  files("certificate", "a certificate that is none", (good) => [good[0], good[1], ["platformvm.cert", Buffer.from("SHA256(platformvm.mf)= 00\n")], ...good.slice(2)] as Package),
];

// Kept apart: what stands in the way of making a package, not of reading one.
export const MAKING_CODES: readonly string[] = ["ovf/no-package", "ovf/too-big", "ovf/certificate-key", "ovf/certificate-form", "ovf/certificate-time"];
