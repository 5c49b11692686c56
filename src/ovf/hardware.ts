/** The virtual hardware (DSP0243 1.1.0 clause 8): Items in their one form, of kinds that vSphere and vCloud Director know. */

import type { Issue } from "../core/issue.ts";
import { byCodeUnit } from "../core/json.ts";
import { finding, remark } from "./finding.ts";
import type { Element } from "./xml.ts";
import { attribute, childOf, childrenOf, spaces } from "./xml.ts";

/** Versions of virtual hardware that VMware has released, up to vSphere 9.0 (VMware KB 1003746). */
const versions: readonly string[] = [4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22].map((version) => `vmx-${String(version).padStart(2, "0")}`);

/**
 * By rasd:ResourceType (CIM_ResourceAllocationSettingData 2.22): what vSphere makes of it, and the subtypes that it knows,
 * in lower case; an empty list: it looks at none.
 */
const kinds: Readonly<Record<string, { readonly what: string; readonly subtypes: readonly string[] }>> = {
  "1": { what: "other device", subtypes: [] },
  "3": { what: "processors", subtypes: [] },
  "4": { what: "memory", subtypes: [] },
  "5": { what: "IDE controller", subtypes: [] },
  "6": { what: "SCSI controller", subtypes: ["buslogic", "lsilogic", "lsilogicsas", "virtualscsi"] },
  "10": { what: "network card", subtypes: ["e1000", "e1000e", "pcnet32", "vmxnet", "vmxnet2", "vmxnet3"] },
  "14": { what: "floppy drive", subtypes: [] },
  "15": { what: "CD drive", subtypes: ["vmware.cdrom.atapi", "vmware.cdrom.iso", "vmware.cdrom.remoteatapi", "vmware.cdrom.remotepassthrough", "vmware.cdrom.passthrough"] },
  "16": { what: "DVD drive", subtypes: [] },
  "17": { what: "disk", subtypes: [] },
  "20": { what: "storage controller", subtypes: ["ahci", "vmware.sata.ahci", "vmware.nvme.controller"] },
  "21": { what: "serial port", subtypes: ["vmware.serialport.device", "vmware.serialport.file", "vmware.serialport.pipe", "vmware.serialport.thinprint", "vmware.serialport.uri"] },
  "22": { what: "parallel port", subtypes: [] },
  "23": { what: "USB controller", subtypes: [] },
  "24": { what: "video card", subtypes: [] },
  "35": { what: "sound card", subtypes: [] },
};

/** A controller or card of no known kind can't be made; others are passed over where none is named. */
const needsSubtype = ["6", "10", "20"];

/** What Items refer to, with what it takes to tell that nothing does. */
export interface Named {
  readonly disks: readonly Element[];
  readonly files: readonly Element[];
  readonly networks: readonly Element[];
}

export function hardwareIssues(systems: readonly Element[], named: Named): readonly Issue[] {
  const sections = systems.flatMap((system) => childrenOf(system, "VirtualHardwareSection"));
  const items = sections.flatMap((section) => childrenOf(section, "Item"));
  return [
    ...sections.flatMap(versionIssues),
    ...sections.flatMap((section) => section.children.filter((child) => child.space === spaces.vmw).flatMap(configIssues)),
    ...items.flatMap((item) => [...formIssues(item), ...kindIssues(item), ...item.children.flatMap(configIssues)]),
    ...sections.flatMap((section) => referenceIssues(childrenOf(section, "Item"), named)),
    ...unusedIssues(items, named),
    ...systems.flatMap(transportIssues),
  ];
}

function versionIssues(section: Element): readonly Issue[] {
  const type = childOf(childOf(section, "System"), "VirtualSystemType", spaces.vssd);
  const known = "It is one of vmx-04, vmx-07 to vmx-22; vSphere 6.7 runs vmx-14, 7.0 vmx-17, 8.0 vmx-20.";
  if (type === undefined) return [finding("ovf/hardware-version", "no vssd:VirtualSystemType says for which virtual hardware this is", known, section.place)];
  if (type.text.split(/[\s,]+/).some((version) => versions.includes(version))) return [];
  return [finding("ovf/hardware-version", `${type.text === "" ? "nothing" : type.text} is no version of virtual hardware`, known, type.place)];
}

/** VMware's extensions to OVF 1.1: a vmw:Config is a key with a value. */
function configIssues(element: Element): readonly Issue[] {
  if (element.space !== spaces.vmw || (element.name !== "Config" && element.name !== "ExtraConfig")) return [];
  return ["key", "value"]
    .filter((name) => attribute(element, name, spaces.vmw) === undefined)
    .map((name) => finding("ovf/attribute", `vmw:${element.name} has no vmw:${name}`, "Readers look for it; write it.", element.place));
}

function textOf(item: Element, name: string): string {
  return childOf(item, name, spaces.rasd)?.text ?? "";
}

function labelOf(item: Element): string {
  return `Item ${textOf(item, "InstanceID") || "without InstanceID"}`;
}

/** The schema of CIM_ResourceAllocationSettingData lists its elements by name. */
function formIssues(item: Element): readonly Issue[] {
  const issues: Issue[] = [];
  const own = item.children.filter((child) => child.space === spaces.rasd);
  for (const [index, child] of own.entries()) {
    const before = own[index - 1];
    if (before !== undefined && byCodeUnit(before.name, child.name) > 0) {
      issues.push(finding("ovf/item", `${labelOf(item)}: ${child.name} stands behind ${before.name}`, "The elements of an Item stand in the order of the alphabet.", child.place));
    }
  }
  for (const name of ["ElementName", "InstanceID", "ResourceType"]) {
    if (textOf(item, name) === "") issues.push(finding("ovf/item", `${labelOf(item)} has no ${name}`, "Every Item has ElementName, InstanceID and ResourceType.", item.place));
  }
  return issues;
}

function kindIssues(item: Element): readonly Issue[] {
  const type = textOf(item, "ResourceType");
  const kind = kinds[type];
  if (type === "") return [];
  const place = (name: string): Element["place"] => (childOf(item, name, spaces.rasd) ?? item).place;
  if (kind === undefined) return [finding("ovf/device-type", `${labelOf(item)}: ResourceType ${type} is nothing that vSphere makes`, "See the table of ResourceTypes in CIM_ResourceAllocationSettingData.", place("ResourceType"))];
  const subtypes = textOf(item, "ResourceSubType").toLowerCase().split(/\s+/).filter((each) => each !== "");
  if (kind.subtypes.length === 0 || (subtypes.length === 0 && !needsSubtype.includes(type))) return [];
  if (subtypes.some((subtype) => kind.subtypes.includes(subtype))) return [];
  const shown = textOf(item, "ResourceSubType") || "none";
  return [finding("ovf/device-type", `${labelOf(item)}: ${shown} is no kind of ${kind.what}`, `vSphere knows ${kind.subtypes.join(", ")}.`, place("ResourceSubType"))];
}

function referenceIssues(items: readonly Element[], { disks, files, networks }: Named): readonly Issue[] {
  const ids = items.map((item) => textOf(item, "InstanceID"));
  const addresses = new Set<string>();
  const names = (elements: readonly Element[], key: string): readonly (string | undefined)[] => elements.map((element) => attribute(element, key));
  return items.flatMap((item, index) => {
    const issues: Issue[] = [];
    const [id, parent, type] = [ids[index] ?? "", textOf(item, "Parent"), textOf(item, "ResourceType")];
    const wrong = (code: "reference" | "repeated", name: string, message: string, hint: string): void => {
      issues.push(finding(`ovf/${code}`, `${labelOf(item)}: ${message}`, hint, (childOf(item, name, spaces.rasd) ?? item).place));
    };
    if (id !== "" && ids.indexOf(id) < index) wrong("repeated", "InstanceID", "another Item has this InstanceID", "Give each its own.");
    if (parent !== "" && !ids.includes(parent)) wrong("reference", "Parent", `Parent ${parent} names no Item`, "Name the controller's InstanceID.");
    if (parent === "" && ["14", "15", "16", "17"].includes(type)) wrong("reference", "ResourceType", "a drive without Parent", "Name the controller's InstanceID.");
    const address = `${parent} ${textOf(item, "AddressOnParent")}`;
    if (parent !== "" && ["15", "16", "17"].includes(type)) {
      if (addresses.has(address)) wrong("repeated", "AddressOnParent", "another drive has this place at the controller", "Give each its own AddressOnParent.");
      addresses.add(address);
    }
    for (const resource of childrenOf(item, "HostResource", spaces.rasd)) {
      const [, kind, name] = /^(?:ovf:)?\/(disk|file)\/(.+)$/.exec(resource.text) ?? [];
      if (!(kind === "disk" ? names(disks, "diskId") : names(files, "id")).includes(name ?? "")) wrong("reference", "HostResource", `HostResource ${resource.text} names nothing`, "Write ovf:/disk/ and a Disk's diskId.");
    }
    for (const connection of childrenOf(item, "Connection", spaces.rasd)) {
      if (!names(networks, "name").includes(connection.text)) wrong("reference", "Connection", `Connection ${connection.text} names no Network`, "Write the name of one of the NetworkSection.");
    }
    return issues;
  });
}

function unusedIssues(items: readonly Element[], { disks, networks }: Named): readonly Issue[] {
  const resources = items.flatMap((item) => childrenOf(item, "HostResource", spaces.rasd)).map((resource) => resource.text.replace(/^(?:ovf:)?\/disk\//, ""));
  const connections = items.flatMap((item) => childrenOf(item, "Connection", spaces.rasd)).map((connection) => connection.text);
  const unused = (what: string, key: string, elements: readonly Element[], used: readonly string[]): readonly Issue[] =>
    elements
      .filter((element) => !used.includes(attribute(element, key) ?? ""))
      .map((element) => remark("ovf/unused", `the ${what} ${attribute(element, key)} is not used by any Item`, "Take it out, or give it a card or drive.", element.place));
  return [...unused("disk", "diskId", disks, resources), ...unused("network", "name", networks, connections)];
}

/** Clause 11.2: properties reach the guest by a transport that the hardware names. */
function transportIssues(system: Element): readonly Issue[] {
  const hasProperties = childrenOf(system, "ProductSection").some((section) => childrenOf(section, "Property").length > 0);
  return childrenOf(system, "VirtualHardwareSection")
    .filter((section) => hasProperties && (attribute(section, "transport") ?? "").trim() === "")
    .map((section) => finding("ovf/transport", "there are properties, and no ovf:transport by which the guest gets them", 'Write ovf:transport="com.vmware.guestInfo iso".', section.place));
}
