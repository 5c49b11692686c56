/** What the server holds, and how the API shows it. Bodies have the elements that a client of the documentation would look for. */

import { ovf, rasd, vcloud } from "./schema.ts";

export const kind = (name: string): string => `application/vnd.vmware.vcloud.${name}+xml`;

export interface Task {
  readonly id: string;
  readonly what: string;
  status: "running" | "success" | "error" | "canceled";
  error: string | undefined;
}

export interface Sent {
  readonly name: string;
  readonly size: number;
  bytes: Buffer[];
}

export interface Template {
  readonly id: string;
  readonly item: string;
  readonly name: string;
  readonly description: string;
  readonly files: Sent[];
  descriptor: string | undefined;
  /** 0 while it is being sent. */
  status: number;
  metadata: Map<string, string>;
  tasks: Task[];
}

export interface Card {
  readonly index: number;
  network: string;
  mac: string;
  mode: string;
  address: string;
  isConnected: boolean;
}

export interface Property {
  readonly key: string;
  readonly value: string;
}

export interface VApp {
  readonly id: string;
  readonly vm: string;
  readonly name: string;
  readonly description: string;
  /** Of the vApp's networks: to the organization's. */
  readonly networks: ReadonlyMap<string, string>;
  /** 0 being made, 4 on, 8 off. */
  status: number;
  isDeployed: boolean;
  lease: { deployment: number; storage: number };
  isCustomized: boolean;
  cards: Card[];
  /** MiB, root disk first. */
  disks: number[];
  properties: readonly Property[];
  /** What the guest is shown: the properties as they were when it was last started. */
  environment: readonly Property[];
  starts: number;
  tools: string;
  metadata: Map<string, string>;
  tasks: Task[];
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

const names = `xmlns="${vcloud}" xmlns:ovf="${ovf}" xmlns:rasd="${rasd}" xmlns:vcloud="${vcloud}"`;

/** Attributes of an entity's root element. */
function entity(base: string, path: string, name: string, type: string): string {
  return `${names} href="${base}/api/${path}" name="${escape(name)}" type="${kind(type)}"`;
}

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export function taskXml(base: string, task: Task, root = ""): string {
  const error = task.status === "error" ? `<Error message="${escape(task.error ?? "")}" majorErrorCode="500" minorErrorCode="INTERNAL_SERVER_ERROR"/>` : "";
  return `<Task ${root} status="${task.status}" operation="${escape(task.what)}" operationName="op" href="${base}/api/task/${task.id}" type="${kind("task")}">${error}${task.status === "running" ? "<Progress>40</Progress>" : ""}</Task>`;
}

export const taskDocument = (base: string, task: Task): string => taskXml(base, task, names);

function tasksXml(base: string, tasks: readonly Task[]): string {
  const shown = tasks.filter((task) => task.status === "running" || task.status === "error");
  return shown.length === 0 ? "" : `<Tasks>${shown.map((task) => taskXml(base, task)).join("")}</Tasks>`;
}

export function errorXml(message: string, minor: string, major: number): string {
  return `<Error ${names} message="${escape(message)}" majorErrorCode="${major}" minorErrorCode="${minor}"/>`;
}

export function link(rel: string, href: string, type: string, name?: string): string {
  return `<Link rel="${rel}" href="${href}" type="${kind(type)}"${name === undefined ? "" : ` name="${escape(name)}"`}/>`;
}

export function itemXml(base: string, template: Template): string {
  const path = `vAppTemplate/vappTemplate-${template.id}`;
  return `<CatalogItem ${entity(base, `catalogItem/${template.item}`, template.name, "catalogItem")}><Description/><Entity href="${base}/api/${path}" name="${escape(template.name)}" type="${kind("vAppTemplate")}"/></CatalogItem>`;
}

export function templateXml(base: string, template: Template): string {
  const isRead = template.descriptor !== undefined;
  const files = template.files.map(
    (file) =>
      `<File size="${file.size}" bytesTransferred="${sentBytes(file)}" name="${file.name}">${template.status === 0 ? `<Link rel="upload:default" href="${base}/transfer/${template.id}/${file.name}"/>` : ""}</File>`,
  );
  return `<VAppTemplate ${entity(base, `vAppTemplate/vappTemplate-${template.id}`, template.name, "vAppTemplate")} status="${template.status}" ovfDescriptorUploaded="${isRead}">
    <Description>${escape(template.description)}</Description>${tasksXml(base, template.tasks)}
    ${template.status === 8 ? "" : `<Files>${files.join("")}</Files>`}
    ${template.status === 8 ? `<Children><Vm name="vm" href="${base}/api/vAppTemplate/vm-${template.id}" type="${kind("vm")}"/></Children>` : ""}
  </VAppTemplate>`;
}

export const sentBytes = (file: Sent): number => file.bytes.reduce((sum, piece) => sum + piece.length, 0);

export function vappXml(base: string, vapp: VApp): string {
  const vm = vapp.status === 0 ? "" : `<Children>${vmXml(base, vapp)}</Children>`;
  return `<VApp ${entity(base, `vApp/vapp-${vapp.id}`, vapp.name, "vApp")} status="${vapp.status}" deployed="${vapp.isDeployed}">
    <Description>${escape(vapp.description)}</Description>${tasksXml(base, vapp.tasks)}
    ${leaseXml(vapp, "")}${vm}</VApp>`;
}

function vmXml(base: string, vapp: VApp): string {
  const runtime = vapp.status === 4 ? `<RuntimeInfoSection><ovf:Info>Runtime</ovf:Info>${vapp.tools === "" ? "" : `<VMWareTools version="${vapp.tools}"/>`}</RuntimeInfoSection>` : "";
  return `<Vm href="${base}/api/vApp/vm-${vapp.vm}" name="vm" status="${vapp.status}" needsCustomization="false">
    ${cardsXml(vapp, "")}
    <GuestCustomizationSection><ovf:Info>Guest customization</ovf:Info><Enabled>${vapp.isCustomized}</Enabled></GuestCustomizationSection>
    ${runtime}</Vm>`;
}

export const leaseXml = (vapp: VApp, root = names): string =>
  `<LeaseSettingsSection ${root}><ovf:Info>Lease</ovf:Info><DeploymentLeaseInSeconds>${vapp.lease.deployment}</DeploymentLeaseInSeconds><StorageLeaseInSeconds>${vapp.lease.storage}</StorageLeaseInSeconds></LeaseSettingsSection>`;

export function cardsXml(vapp: VApp, root = names): string {
  const cards = vapp.cards.map(
    (card) =>
      `<NetworkConnection network="${escape(card.network)}" needsCustomization="false"><NetworkConnectionIndex>${card.index}</NetworkConnectionIndex>${card.address === "" ? "" : `<IpAddress>${card.address}</IpAddress>`}<IsConnected>${card.isConnected}</IsConnected><MACAddress>${card.mac}</MACAddress><IpAddressAllocationMode>${card.mode}</IpAddressAllocationMode><NetworkAdapterType>VMXNET3</NetworkAdapterType></NetworkConnection>`,
  );
  return `<NetworkConnectionSection ${root}><ovf:Info>Cards</ovf:Info><PrimaryNetworkConnectionIndex>0</PrimaryNetworkConnectionIndex>${cards.join("")}</NetworkConnectionSection>`;
}

export function disksXml(vapp: VApp): string {
  const disks = vapp.disks.map(
    (mib, index) =>
      `<Item><rasd:AddressOnParent>${index}</rasd:AddressOnParent><rasd:Description>Hard disk</rasd:Description><rasd:ElementName>Hard disk ${index + 1}</rasd:ElementName><rasd:HostResource vcloud:capacity="${mib}" vcloud:busSubType="VirtualSCSI" vcloud:busType="6"></rasd:HostResource><rasd:InstanceID>${2000 + index}</rasd:InstanceID><rasd:Parent>2</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType><rasd:VirtualQuantity>${mib * 1048576}</rasd:VirtualQuantity><rasd:VirtualQuantityUnits>byte</rasd:VirtualQuantityUnits></Item>`,
  );
  return `<RasdItemsList ${names}><Item><rasd:Address>0</rasd:Address><rasd:ElementName>SCSI Controller 0</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>${disks.join("\n")}</RasdItemsList>`;
}

export function propertiesXml(vapp: VApp): string {
  const rows = vapp.properties.map(
    ({ key, value }) => `<ovf:Property ovf:key="${key}" ovf:type="string" ovf:userConfigurable="true" ovf:value=""><ovf:Label>${key}</ovf:Label><ovf:Value ovf:value="${escape(value)}"/></ovf:Property>`,
  );
  return `<ProductSectionList ${names}><ovf:ProductSection><ovf:Info>Told</ovf:Info>${rows.join("")}</ovf:ProductSection></ProductSectionList>`;
}

export function metadataXml(entries: ReadonlyMap<string, string>): string {
  const rows = [...entries].map(
    ([key, value]) => `<MetadataEntry><Key>${escape(key)}</Key><TypedValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="MetadataStringValue"><Value>${escape(value)}</Value></TypedValue></MetadataEntry>`,
  );
  return `<Metadata ${names}>${rows.join("")}</Metadata>`;
}

/** OVF environment (DSP8027 1.1.0) as the guest finds it: properties in one section. */
export function environmentXml(properties: readonly Property[]): string {
  const rows = properties.map(({ key, value }) => `    <Property oe:key="${key}" oe:value="${escape(value)}"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1" oe:id="">
  <PropertySection>
${rows.join("\n")}
  </PropertySection>
</Environment>
`;
}

export const document = (element: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${element}`;
export { names as rootNames };
