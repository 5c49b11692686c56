/** Specs at the limits of the schema, for what user-data may grow to. Every list that reaches the guest is as long as it may be. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../../src/core/json.ts";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../../schemas/cloudlet.schema.json"), "utf8")) as JsonObject;

/** A limit of the schema, at a path of `properties` and `items`. */
function limit(...path: readonly string[]): number {
  const found = path.reduce<unknown>((node, key) => (node as JsonObject)[key], schema);
  if (typeof found !== "number") throw new Error(`the schema has no number at ${path.join("/")}`);
  return found;
}

const users = limit("properties", "users", "maxItems");
const externals = limit("properties", "networks", "properties", "external", "maxItems");
const timeServers = limit("properties", "networks", "properties", "ntp", "maxItems");
const timeServerLength = limit("properties", "networks", "properties", "ntp", "items", "maxLength");
const authorities = limit("properties", "trust", "properties", "sshUserCaKeys", "maxItems");
const secrets = limit("properties", "secrets", "maxItems");
const secretBytes = limit("properties", "secrets", "items", "properties", "maxBytes", "maximum");
const keysOfUser = limit("properties", "users", "items", "properties", "sshAuthorizedKeys", "maxItems");

/** Sixteen names of 255 characters, said to both daemons, would take 8 KiB of the room. */
const networkLength = 64;

export function networkName(number: number): string {
  return `net-${number}-`.padEnd(networkLength, "x");
}

export const networkCount = externals;

export interface Fill {
  /** Characters of the last key's comment: one more is a byte more of user-data. */
  readonly comment: number;
  /** Longest value of the one secret besides the access key. */
  readonly secretBytes: number;
}

/** With every list of networks, users, time servers and authorities full, and the rest of the room filled to the byte. */
export function largestSpec({ comment, secretBytes: bytes }: Fill): string {
  return specOf(1, "z".repeat(comment), [`  - {name: FILLER, maxBytes: ${bytes}, target: {kind: file, path: /root/filler}}`]);
}

/** What the schema allows and no Nova takes. */
export function specAtLimits(): string {
  const slots = Array.from({ length: secrets }, (_, index) => `  - {name: FILLER_${index}, maxBytes: ${secretBytes}, target: {kind: file, path: /root/filler-${index}}}`);
  return specOf(keysOfUser, "z", slots);
}

function specOf(keys: number, comment: string, slots: readonly string[]): string {
  const key = (seed: number): string => `ssh-ed25519 ${ed25519(seed)}`;
  return [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    "name: largest",
    "organization: Tel",
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    "dynamicIps: 8",
    "platform: {type: openstack}",
    "compute: {flavor: m4.medium}",
    "networks:",
    "  external:",
    ...Array.from({ length: externals }, (_, index) => `    - {name: ${networkName(index + 1)}, mtu: 65535}`),
    "  dns: [192.0.2.53, 192.0.2.54]",
    "  ntp:",
    ...Array.from({ length: timeServers }, (_, index) => `    - ntp${index}.${"a".repeat(timeServerLength - `ntp${index}.`.length)}`),
    "firewall: {ssh: {from: [198.51.100.0/24]}}",
    "trust:",
    "  sshUserCaKeys:",
    ...Array.from({ length: authorities }, (_, index) => `    - ${key(index)}`),
    "users:",
    ...Array.from({ length: users }, (_, index) => [
      `  - name: user-${index}`,
      "    sudo: true",
      "    sshAuthorizedKeys:",
      ...Array.from({ length: keys }, (_, at) => `      - ${key(100 + index * keys + at)} ${index === users - 1 && at === keys - 1 ? comment : "z"}`),
    ]).flat(),
    "secrets:",
    ...slots,
    "",
  ].join("\n");
}

/** RFC 8709 section 4: the type's name and 32 bytes, each with its length before it. */
function ed25519(seed: number): string {
  const bytes = Buffer.alloc(51);
  bytes.writeUInt32BE(11, 0);
  bytes.write("ssh-ed25519", 4, "latin1");
  bytes.writeUInt32BE(32, 15);
  bytes.fill(1, 19);
  bytes.writeUInt32BE(seed, 19);
  return bytes.toString("base64");
}

/** What the guest is told once every secret has its longest value: as many bytes as cards and secrets can make it. */
export function filledUp(userData: string, longest: Readonly<Record<string, number>>): string {
  return userData
    .replace(/@@CLOUDLET-PORT-MAC:\d+@@/g, "fa:16:3e:00:00:00")
    .replace(/@@CLOUDLET-SECRET:([A-Z0-9_]+)@@/g, (_, name: string) => Buffer.alloc(longest[name] ?? 0, 0x7a).toString("base64"));
}
