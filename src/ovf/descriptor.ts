/** A descriptor by itself: its XML, its outline, and whether what it refers to is there. */

import type { Issue } from "../core/issue.ts";
import { finding } from "./finding.ts";
import { hardwareIssues } from "./hardware.ts";
import { outlineIssues, systemsIn } from "./sections.ts";
import type { Element } from "./xml.ts";
import { attribute, childOf, childrenOf, readXml, spaces } from "./xml.ts";

export interface Descriptor {
  /** In the order of References. */
  readonly files: readonly FileReference[];
  readonly disks: readonly DiskReference[];
}

export interface FileReference {
  readonly id: string;
  readonly href: string;
  /** Bytes; undefined where it is not said. */
  readonly size: number | undefined;
  readonly element: Element;
}

export interface DiskReference {
  readonly id: string;
  readonly file: FileReference | undefined;
  /** Bytes; undefined where it can't be made out, which was said. */
  readonly capacity: number | undefined;
  readonly isStreamOptimized: boolean;
  readonly element: Element;
}

/** `descriptor` is undefined where nothing can be made of the text. */
export function readDescriptor(text: string): { readonly descriptor: Descriptor | undefined; readonly issues: readonly Issue[] } {
  const read = readXml(text);
  if (!read.ok) return { descriptor: undefined, issues: read.issues };
  const envelope = read.value;
  if (envelope.name !== "Envelope" || envelope.space !== spaces.ovf) {
    const message = `the root is ${envelope.name} of ${envelope.space === "" ? "no namespace" : envelope.space}`;
    return { descriptor: undefined, issues: [finding("ovf/namespace", message, `An OVF 1.1 descriptor is an Envelope of ${spaces.ovf}.`, envelope.place)] };
  }
  const files = childrenOf(childOf(envelope, "References"), "File");
  const disks = childrenOf(envelope, "DiskSection").flatMap((section) => childrenOf(section, "Disk"));
  const networks = childrenOf(envelope, "NetworkSection").flatMap((section) => childrenOf(section, "Network"));
  const systems = systemsIn(envelope);
  const issues: Issue[] = [
    ...outlineIssues(envelope),
    ...repeated("File", "id", files),
    ...repeated("Disk", "diskId", disks),
    ...repeated("Network", "name", networks),
    ...hardwareIssues(systems, { disks, files, networks }),
    ...systems.flatMap(propertyIssues),
  ];
  const references = files.map(fileReference);
  return { descriptor: { files: references, disks: disks.map((disk) => diskReference(disk, references, issues)) }, issues };
}

function repeated(what: string, key: string, elements: readonly Element[]): readonly Issue[] {
  const names = elements.map((element) => attribute(element, key));
  return elements
    .filter((_, index) => names.indexOf(names[index]) < index)
    .map((element) => finding("ovf/repeated", `another ${what} has the ${key} ${attribute(element, key)}`, "Give each its own.", element.place));
}

function fileReference(element: Element): FileReference {
  const size = attribute(element, "size");
  return { id: attribute(element, "id") ?? "", href: attribute(element, "href") ?? "", size: size === undefined ? undefined : Number(size), element };
}

function diskReference(element: Element, files: readonly FileReference[], issues: Issue[]): DiskReference {
  const ref = attribute(element, "fileRef");
  const id = attribute(element, "diskId") ?? "";
  const file = files.find((each) => each.id === ref);
  if (ref !== undefined && file === undefined) {
    issues.push(finding("ovf/reference", `the disk ${id}: fileRef ${ref} names no File`, "Write the id of one of the References.", element.place));
  }
  const capacity = bytesOf(attribute(element, "capacity"), attribute(element, "capacityAllocationUnits"));
  if (capacity === undefined && attribute(element, "capacity") !== undefined) {
    issues.push(finding("ovf/disk-capacity", `the disk ${id}: its capacity can't be made out`, 'Write a number, and as unit "byte" or "byte * 2^30".', element.place));
  }
  return { id, file, capacity, isStreamOptimized: /#streamOptimized$/i.test(attribute(element, "format") ?? ""), element };
}

/** DMTF DSP0004 annex C, as DSP0243 has it: `byte`, or `byte * ` and a number or a power. */
function bytesOf(count: string | undefined, unit = "byte"): number | undefined {
  const [, base, power] = /^byte(?: \* (\d+)(?:\^(\d+))?)?$/.exec(unit) ?? ["", "x"];
  if (count === undefined || !/^\d+$/.test(count) || base === "x") return undefined;
  return Number(count) * (base === undefined ? 1 : Number(base) ** Number(power ?? 1));
}

/** Clause 9.5.1. */
const propertyTypes = ["uint8", "sint8", "uint16", "sint16", "uint32", "sint32", "uint64", "sint64", "string", "boolean", "real32", "real64"];

function propertyIssues(system: Element): readonly Issue[] {
  return childrenOf(system, "ProductSection").flatMap((section) => {
    const properties = childrenOf(section, "Property");
    return [
      ...repeated("Property", "key", properties),
      ...properties.flatMap((property) => {
        const [key = "", type = ""] = [attribute(property, "key"), attribute(property, "type")];
        return [
          ...(type === "" || propertyTypes.includes(type) ? [] : [finding("ovf/property-type", `the property ${key}: ${type} is no type`, `Types are ${propertyTypes.join(", ")}; write a length as a qualifier.`, property.place)]),
          ...(/[.:]/.test(key) ? [finding("ovf/property-key", `the property ${key}: a key may hold no period and no colon`, "They part class, key and instance from each other: clause 9.5.", property.place)] : []),
        ];
      }),
    ];
  });
}

/** The files of References against those that are there. `sizeOf`: bytes, or undefined where there is no such file. */
export function fileIssues({ files }: Descriptor, sizeOf: (name: string) => number | undefined): readonly Issue[] {
  return files.flatMap(({ href, size, element }) => {
    const there = sizeOf(href);
    if (there === undefined) return [finding("ovf/file-missing", `${href} is not there`, "Put it beside the descriptor.", element.place)];
    if (size === undefined || size === there) return [];
    return [finding("ovf/file-size", `${href} has ${there} bytes, its ovf:size is ${attribute(element, "size")}`, "Get the file again, or make the package anew.", element.place)];
  });
}
