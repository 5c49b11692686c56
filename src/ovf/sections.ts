/** The descriptor's outline (DSP0243 1.1.0 clauses 6 to 9): which elements stand where, and what each must say. */

import type { Issue } from "../core/issue.ts";
import { finding } from "./finding.ts";
import type { Element } from "./xml.ts";
import { attribute, childOf, childrenOf, spaces } from "./xml.ts";

/** Children in their order: each list is a place, taken by any of its names. A `!` before a name: it must be there. */
type Outline = readonly (readonly string[])[];

const info = ["!Info"];

const outlines: Readonly<Record<string, Outline>> = {
  References: [["File"]],
  DiskSection: [info, ["Disk"]],
  NetworkSection: [info, ["Network"]],
  DeploymentOptionSection: [info, ["Configuration"]],
  AnnotationSection: [info, ["!Annotation"]],
  EulaSection: [info, ["!License"]],
  OperatingSystemSection: [info, ["Description"]],
  StartupSection: [info, ["Item"]],
  InstallSection: [info],
  ResourceAllocationSection: [info, ["Item"]],
  ProductSection: [info, ["Product"], ["Vendor"], ["Version"], ["FullVersion"], ["ProductUrl"], ["VendorUrl"], ["AppUrl"], ["Icon"], ["Category", "Property"]],
  VirtualHardwareSection: [info, ["!System"], ["Item"]],
  Property: [["Label"], ["Description"], ["Value"]],
  Network: [["Description"]],
  Configuration: [["!Label"], ["!Description"]],
};

/** Attributes without which an element says nothing. */
const needed: Readonly<Record<string, readonly string[]>> = {
  File: ["id", "href"],
  Disk: ["diskId", "capacity"],
  Network: ["name"],
  Configuration: ["id"],
  Property: ["key", "type"],
  VirtualSystem: ["id"],
  OperatingSystemSection: ["id"],
};

export function outlineIssues(envelope: Element): readonly Issue[] {
  const isCollection = childOf(envelope, "VirtualSystemCollection") !== undefined;
  return [
    ...placesOf(envelope, [["!References"], sectionNames(envelope), [isCollection ? "VirtualSystemCollection" : "!VirtualSystem"], ["Strings"]]),
    ...systemsIn(envelope).flatMap((system) => placesOf(system, [info, ["Name"], [...sectionNames(system), "!VirtualHardwareSection"]])),
    ...below(envelope),
  ];
}

/** The one of the envelope, or those of its collection, which may hold others. */
export function systemsIn(element: Element): readonly Element[] {
  return [...childrenOf(element, "VirtualSystem"), ...childrenOf(element, "VirtualSystemCollection").flatMap(systemsIn)];
}

function sectionNames(element: Element): readonly string[] {
  return element.children.filter(({ name, space }) => space === spaces.ovf && name.endsWith("Section")).map((section) => section.name);
}

function below(element: Element): readonly Issue[] {
  const outline = element.space === spaces.ovf ? outlines[element.name] : undefined;
  // Clause 9.1: a disk that is made empty has no format, one that comes from a file has.
  const more = element.name === "Disk" && attribute(element, "fileRef") !== undefined ? ["format"] : [];
  const missing = element.space === spaces.ovf ? [...(needed[element.name] ?? []), ...more].filter((name) => attribute(element, name) === undefined) : [];
  return [
    ...(outline === undefined ? [] : placesOf(element, outline)),
    ...missing.map((name) => finding("ovf/attribute", `${element.name} has no ovf:${name}`, "Readers look for it; write it.", element.place)),
    ...element.children.flatMap(below),
  ];
}

/** Elements of other namespaces may stand anywhere: a reader that does not know them passes over them. */
function placesOf(element: Element, outline: Outline): readonly Issue[] {
  const issues: Issue[] = [];
  let place = 0;
  for (const child of element.children.filter((each) => each.space === spaces.ovf)) {
    const at = outline.findIndex((names) => names.some((name) => plain(name) === child.name));
    if (at < 0) issues.push(finding("ovf/section", `${child.name} has no place in ${element.name}`, "Take it out, or put it where it belongs.", child.place));
    else if (at < place) issues.push(finding("ovf/section", `${child.name} stands too late in ${element.name}`, `The order is ${outline.flat().map(plain).join(", ")}.`, child.place));
    else place = at;
  }
  for (const name of outline.flat().filter((each) => each.startsWith("!")).map(plain)) {
    if (childrenOf(element, name).length === 0) issues.push(finding("ovf/section", `${element.name} has no ${name}`, "Write it; readers refuse a descriptor without it.", element.place));
  }
  return issues;
}

function plain(name: string): string {
  return name.replace(/^!/, "");
}
