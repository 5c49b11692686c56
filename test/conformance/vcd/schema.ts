/**
 * What a request's body has to look like. Names, order, counts and attributes are written down from VMware's published schemas of
 * the API (vcloud/v1.5: common, vApp, vAppTemplate, productSectionList; OVF 1.1: DSP8023), which no package registry carries, so
 * that xmllint can't be given them here.
 */

import type { XmlElement } from "@rgrove/parse-xml";

export const vcloud = "http://www.vmware.com/vcloud/v1.5";
export const ovf = "http://schemas.dmtf.org/ovf/envelope/1";
export const rasd = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
const xsi = "http://www.w3.org/2001/XMLSchema-instance";

interface Shape {
  /** By `name` or `{namespace}name`; true: it has to be there. */
  readonly attributes?: Readonly<Record<string, boolean>>;
  /** Elements in order, or the form of the text. */
  readonly content?: readonly Part[] | RegExp;
  /** Attributes and elements of others are let pass, as the schemas' `any` does. */
  readonly open?: true;
}

interface Part {
  readonly name: string;
  readonly least: 0 | 1;
  readonly most: 1 | "many";
  readonly shape: Shape;
}

const one = (name: string, shape: Shape): Part => ({ name, least: 1, most: 1, shape });
const maybe = (name: string, shape: Shape): Part => ({ name, least: 0, most: 1, shape });
const many = (name: string, shape: Shape): Part => ({ name, least: 0, most: "many", shape });
const inOvf = (name: string): string => `{${ovf}}${name}`;

const text: Shape = { content: /^[^]*$/ };
const bool: Shape = { content: /^(true|false)$/ };
const int: Shape = { content: /^-?\d+$/ };
const address: Shape = { content: /^\d{1,3}(\.\d{1,3}){3}$/ };
const reference: Shape = { attributes: { href: true, id: false, type: false, name: false }, content: [] };
const info = one(inOvf("Info"), { attributes: { [inOvf("msgid")]: false }, content: /./ });

const networkConfig: Shape = {
  attributes: { networkName: true },
  content: [maybe("Description", text), one("Configuration", { content: [maybe("ParentNetwork", reference), one("FenceMode", { content: /^(bridged|natRouted|isolated)$/ })] })],
};
const networkConnection: Shape = {
  attributes: { network: true, needsCustomization: false },
  content: [
    one("NetworkConnectionIndex", int),
    maybe("IpAddress", address),
    one("IsConnected", bool),
    maybe("MACAddress", { content: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/ }),
    one("IpAddressAllocationMode", { content: /^(POOL|DHCP|MANUAL|NONE)$/ }),
    maybe("NetworkAdapterType", { content: /^(VMXNET3|E1000|E1000E|VMXNET2|VMXNET)$/ }),
  ],
};
const property: Shape = {
  attributes: Object.fromEntries(
    [["key", true], ["type", true], ["qualifiers", false], ["userConfigurable", false], ["value", false], ["password", false]].map(([name, needed]) => [inOvf(name as string), needed as boolean]),
  ),
  content: [maybe(inOvf("Label"), text), maybe(inOvf("Description"), text), many(inOvf("Value"), { attributes: { [inOvf("value")]: true }, content: [] })],
};

/** By the root element's name; the media type that goes with it is `application/vnd.vmware.vcloud.<type>+xml`. */
export const bodies: Readonly<Record<string, { readonly type: string; readonly shape: Shape }>> = {
  UploadVAppTemplateParams: {
    type: "uploadVAppTemplateParams",
    shape: { attributes: { name: false, transferFormat: false, manifestRequired: false, sourceHref: false }, content: [maybe("Description", text), maybe("VdcStorageProfile", reference)] },
  },
  InstantiateVAppTemplateParams: {
    type: "instantiateVAppTemplateParams",
    shape: {
      attributes: { name: false, deploy: false, powerOn: false, linkedClone: false },
      content: [
        maybe("Description", text),
        maybe("InstantiationParams", { content: [maybe("NetworkConfigSection", { content: [info, many("NetworkConfig", networkConfig)] })] }),
        one("Source", reference),
        maybe("IsSourceDelete", bool),
        many("SourcedItem", { content: [one("Source", reference), maybe("StorageProfile", reference)] }),
        maybe("AllEULAsAccepted", bool),
      ],
    },
  },
  LeaseSettingsSection: {
    type: "leaseSettingsSection",
    shape: { content: [info, maybe("DeploymentLeaseInSeconds", int), maybe("StorageLeaseInSeconds", int)] },
  },
  GuestCustomizationSection: { type: "guestCustomizationSection", shape: { content: [info, maybe("Enabled", bool), maybe("ComputerName", text)] } },
  NetworkConnectionSection: {
    type: "networkConnectionSection",
    shape: { content: [info, maybe("PrimaryNetworkConnectionIndex", int), many("NetworkConnection", networkConnection)] },
  },
  ProductSectionList: {
    type: "productSections",
    shape: {
      content: [
        many(inOvf("ProductSection"), {
          attributes: { [inOvf("class")]: false, [inOvf("instance")]: false, [inOvf("required")]: false },
          content: [info, many(inOvf("Property"), property)],
        }),
      ],
    },
  },
  Metadata: {
    type: "metadata",
    shape: {
      content: [
        many("MetadataEntry", {
          content: [one("Key", { content: /./ }), one("TypedValue", { attributes: { [`{${xsi}}type`]: true }, content: [one("Value", text)] })],
        }),
      ],
    },
  },
  UndeployVAppParams: { type: "undeployVAppParams", shape: { content: [maybe("UndeployPowerAction", { content: /^(powerOff|suspend|shutdown|force|default)$/ })] } },
  RasdItemsList: { type: "rasdItemsList", shape: { open: true } },
};

/** What is wrong with a body, one line each. */
export function faults(root: XmlElement): readonly string[] {
  const name = fullName(root, {});
  const body = bodies[name];
  return body === undefined ? [`there is no request body ${name}`] : judge(root, body.shape, {}, `/${name}`);
}

type Scope = Readonly<Record<string, string>>;

function judge(element: XmlElement, shape: Shape, outer: Scope, path: string): readonly string[] {
  const scope = scopeOf(element, outer);
  if (shape.open === true) return [];
  const given = Object.keys(element.attributes).filter((name) => !/^xmlns(:|$)/.test(name)).map((name) => (name.includes(":") ? full(name, scope) : name));
  const known = shape.attributes ?? {};
  const children = elements(element);
  const found = [
    ...given.filter((name) => !(name in known)).map((name) => `${path}: no attribute ${name} is known`),
    ...Object.keys(known).filter((name) => known[name] === true && !given.includes(name)).map((name) => `${path}: attribute ${name} is missing`),
  ];
  const { content } = shape;
  if (content === undefined || content instanceof RegExp) {
    if (children.length > 0) found.push(`${path}: no element is expected`);
    if (content !== undefined && !content.test(element.text)) found.push(`${path}: "${element.text}" is not ${content.source}`);
    return found;
  }
  const left = [...children];
  for (const part of content) {
    let count = 0;
    for (;;) {
      const [next] = left;
      if (next === undefined || fullName(next, scope) !== part.name || (part.most === 1 && count === 1)) break;
      found.push(...judge(next, part.shape, scope, `${path}/${part.name.replace(/^\{.*\}/, "")}`));
      left.shift();
      count += 1;
    }
    if (count < part.least) found.push(`${path}: ${part.name} is missing, or not in its place`);
  }
  return [...found, ...left.map((extra) => `${path}: ${fullName(extra, scope)} is not expected here`)];
}

/** The local name of what is in vCloud's namespace; `{namespace}name` of all else. */
export function fullName(element: XmlElement, outer: Scope): string {
  return full(element.name, scopeOf(element, outer), "xmlns");
}

function full(name: string, scope: Scope, fallback = ""): string {
  const [prefix, local] = name.includes(":") ? (name.split(":") as [string, string]) : [fallback, name];
  const namespace = scope[prefix] ?? "";
  return namespace === vcloud ? local : `{${namespace}}${local}`;
}

function scopeOf(element: XmlElement, outer: Scope): Scope {
  const own = Object.entries(element.attributes).filter(([name]) => /^xmlns(:|$)/.test(name));
  return { ...outer, ...Object.fromEntries(own.map(([name, value]) => [name.replace(/^xmlns:/, ""), value])) };
}

export function elements(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child): child is XmlElement => child.type === "element");
}
