/** A descriptor's XML as elements with resolved namespaces and their places in the text. */

import type { XmlElement } from "@rgrove/parse-xml";
import { XmlDocumentType, XmlError, XmlElement as ElementNode, parseXml } from "@rgrove/parse-xml";
import type { Issue, Outcome } from "../core/issue.ts";
import type { Range } from "./finding.ts";
import { finding } from "./finding.ts";

export interface Element {
  /** Namespace, and the name without its prefix. */
  readonly space: string;
  readonly name: string;
  /** By `attributeKey`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Of itself and all below, white space at its ends taken off. */
  readonly text: string;
  /** Of the start tag. */
  readonly place: Range;
}

export const spaces = {
  ovf: "http://schemas.dmtf.org/ovf/envelope/1",
  rasd: "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
  vssd: "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData",
  vmw: "http://www.vmware.com/schema/ovf",
} as const;

/** `{namespace}name`; an attribute without a prefix is in no namespace (Namespaces in XML 1.0, section 6.2). */
function attributeKey(space: string, name: string): string {
  return `{${space}}${name}`;
}

export function attribute(element: Element, name: string, space: string = spaces.ovf): string | undefined {
  return element.attributes.get(attributeKey(space, name));
}

export function childrenOf(element: Element | undefined, name: string, space: string = spaces.ovf): readonly Element[] {
  return element?.children.filter((child) => child.name === name && child.space === space) ?? [];
}

export function childOf(element: Element | undefined, name: string, space: string = spaces.ovf): Element | undefined {
  return childrenOf(element, name, space)[0];
}

/** Issues: `ovf/xml`. A document type is refused: what its entities become, readers do not agree on. */
export function readXml(text: string): Outcome<Element> {
  const wrong = (message: string, span: Range): Outcome<Element> => ({ ok: false, issues: [finding("ovf/xml", message, "Make the descriptor anew, or correct it here.", span)] });
  try {
    const document = parseXml(text, { includeOffsets: true, preserveDocumentType: true });
    const type = document.children.find((child) => child instanceof XmlDocumentType);
    if (type !== undefined) return wrong("a document type (<!DOCTYPE) has no place in a descriptor", { start: type.start, end: type.end });
    if (document.root === null) return wrong("there is no element", { start: 0, end: 0 });
    const issues: Issue[] = [];
    const root = resolved(document.root, new Map([["xml", "http://www.w3.org/XML/1998/namespace"]]), text, issues);
    return issues.length > 0 ? { ok: false, issues } : { ok: true, value: root, issues: [] };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const at = Math.min(offsetOf(text, error.pos), text.length);
    return wrong(`not well-formed: ${(error.message.split("\n")[0] ?? "").replace(/ \(line \d+, column \d+\)$/, "")}`, { start: at, end: Math.min(at + 1, text.length) });
  }
}

/** The parser counts characters, we count UTF-16 units. */
function offsetOf(text: string, characters: number): number {
  let offset = 0;
  for (let count = 0; count < characters && offset < text.length; count += 1) offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

function resolved(node: XmlElement, outer: ReadonlyMap<string, string>, text: string, issues: Issue[]): Element {
  const own = Object.entries(node.attributes).flatMap(([name, value]) => {
    if (name === "xmlns") return [["", value] as const];
    return name.startsWith("xmlns:") ? [[name.slice("xmlns:".length), value] as const] : [];
  });
  const scope = own.length === 0 ? outer : new Map([...outer, ...own]);
  const place = { start: node.start, end: endOfTag(text, node.start) };
  const spaceOf = (prefix: string): string => {
    const space = scope.get(prefix);
    if (space === undefined && prefix !== "") issues.push(finding("ovf/xml", `the prefix ${prefix} is not declared`, `Declare it in the Envelope: xmlns:${prefix}="…".`, place));
    return space ?? "";
  };
  const [prefix, name] = split(node.name);
  const attributes = Object.entries(node.attributes)
    .filter(([key]) => key !== "xmlns" && !key.startsWith("xmlns:"))
    .map(([key, value]): [string, string] => {
      const [before, local] = split(key);
      return [attributeKey(before === "" ? "" : spaceOf(before), local), value];
    });
  const space = spaceOf(prefix);
  const children = node.children.filter((child) => child instanceof ElementNode).map((child) => resolved(child, scope, text, issues));
  return { space, name, attributes: new Map(attributes), children, text: node.text.trim(), place };
}

function split(name: string): readonly [string, string] {
  const colon = name.indexOf(":");
  return colon < 0 ? ["", name] : [name.slice(0, colon), name.slice(colon + 1)];
}

/** Behind the `>` that ends the tag; one in quotes does not. */
function endOfTag(text: string, start: number): number {
  const tag = /[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>/y;
  tag.lastIndex = start;
  return tag.test(text) ? tag.lastIndex : start + 1;
}
