/** The product's own JSON Schema, as the form needs it: with the platform's parameters in their place. */

import cloudlet from "../../schemas/cloudlet.schema.json" with { type: "json" };
import libvirt from "../../schemas/platform-libvirt.schema.json" with { type: "json" };
import openstack from "../../schemas/platform-openstack.schema.json" with { type: "json" };
import vcd from "../../schemas/platform-vcd.schema.json" with { type: "json" };
import vmpool from "../../schemas/platform-vmpool.schema.json" with { type: "json" };
import vsphere from "../../schemas/platform-vsphere.schema.json" with { type: "json" };
import type { Json } from "../../src/core/json.ts";

/** What of JSON Schema 2020-12 our schemas use and a form shows; the service checks the rest. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly description?: string;
  readonly examples?: readonly Json[];
  readonly default?: Json;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly oneOf?: readonly Schema[];
  readonly "x-unit"?: string;
  readonly "x-form"?: string;
}

const parameters: Readonly<Record<string, Schema>> = { libvirt, openstack, vcd, vmpool, vsphere } as unknown as Readonly<Record<string, Schema>>;
const whole = cloudlet as unknown as Schema;

export interface FormSchema {
  readonly root: Schema;
  /** Without `$ref`; what stands beside the reference counts more than what it names. */
  readonly resolved: (schema: Schema) => Schema;
}

/** `platforms`: those that the service can build for. */
export function formSchema(platform: string | undefined, platforms: readonly string[]): FormSchema {
  const own = platform === undefined ? undefined : parameters[platform];
  const { platform: iaas, ...others } = whole.properties ?? {};
  const { type, parameters: any, ...rest } = iaas?.properties ?? {};
  const told: Schema = { ...iaas, properties: { type: { ...type, ...(platforms.length === 0 ? {} : { enum: platforms }) }, parameters: own === undefined ? (any ?? {}) : { ...any, ...own }, ...rest } };
  const definitions = { ...whole.$defs, ...own?.$defs };
  const order = Object.keys(whole.properties ?? {});
  const properties = Object.fromEntries(order.map((key) => [key, key === "platform" ? told : (others[key] ?? {})]));
  const resolved = (schema: Schema): Schema => {
    if (schema.$ref === undefined) return schema;
    const { $ref, ...beside } = schema;
    return { ...resolved(definitions[$ref.slice("#/$defs/".length)] ?? {}), ...beside };
  };
  return { root: { ...whole, properties }, resolved };
}

/** `dynamicIps` as a person says it. */
export function labelOf(key: string): string {
  const [, name = key, unit] = /^(.*?)(MiB|GiB)?$/.exec(key) ?? [];
  const words = `${name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")}${unit === undefined ? "" : ` ${unit}`}`.split(" ").map((word) => known[word.toLowerCase()] ?? word.toLowerCase());
  const text = words.join(" ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const known: Readonly<Record<string, string>> = {
  ip: "IP", ips: "IPs", vm: "VM", vcpus: "vCPUs", gpu: "GPU", gpus: "GPUs", mtu: "MTU", dns: "DNS", ntp: "NTP", ssh: "SSH", crm: "CRM", cidr: "CIDR", url: "URL", uri: "URI", ca: "CA", id: "ID",
  mib: "(MiB)", gib: "(GiB)", kafka: "Kafka", redis: "Redis", vnic: "VNIC", vdc: "VDC", nsx: "NSX", os: "OS",
};
