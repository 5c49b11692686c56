/** Edits of a spec, each of one field: another value of its kind, an entry more, one less, a field left out. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { below, keysOf } from "../../src/core/pointer.ts";
import { valueAt } from "../../src/evidence/record.ts";

export interface SpecEdit {
  readonly kind: "altered" | "removed" | "added";
  /** The field in the spec that has it: of a removed one in the spec before, else in the one after. */
  readonly pointer: string;
  /** What the edit could make, near values first; most are refused by some rule. */
  readonly specs: () => readonly JsonObject[];
}

export function editsOf(spec: JsonObject): readonly SpecEdit[] {
  return [...leavesAndEntries(spec, ""), ...additions(spec)];
}

function leavesAndEntries(spec: JsonObject, pointer: string): readonly SpecEdit[] {
  const value = valueAt(spec, pointer) as Json;
  const removed: readonly SpecEdit[] = pointer === "" ? [] : [{ kind: "removed", pointer, specs: () => [edited(spec, pointer, undefined)] }];
  if (typeof value === "object" && value !== null) {
    return [...(isWhole(pointer) ? removed : []), ...Object.keys(value).flatMap((key) => leavesAndEntries(spec, below(pointer, key)))];
  }
  return [...removed, { kind: "altered", pointer, specs: () => otherValues(pointer, value).map((other) => edited(spec, pointer, other)) }];
}

/** An entry of a list is told as a whole. */
function isWhole(pointer: string): boolean {
  return /\/\d+$/.test(pointer);
}

/** The spec with another value at the pointer, or without it. */
function edited(spec: JsonObject, pointer: string, value: Json | undefined): JsonObject {
  const copy = structuredClone(spec) as Record<string, unknown>;
  const keys = [...keysOf(pointer)];
  const last = keys.pop() as string;
  const parent = keys.reduce<Record<string, unknown>>((here, key) => (here[key] ??= {}) as Record<string, unknown>, copy);
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy as JsonObject;
}

function otherValues(pointer: string, value: Json): readonly Json[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, value - 1, value * 2, value + 4_096, value - 0.5];
  const text = String(value);
  const name = [...keysOf(pointer)].findLast((key) => !/^\d+$/.test(key)) ?? "";
  const digit = text.replace(/(\d)(\D*)$/, (_, last: string, rest: string) => `${(Number(last) + 1) % 10}${rest}`);
  const key = /^(ssh-\S+ \S{20})(.)/.exec(text);
  const near = [
    ...(key === null ? [] : [text.replace(/(\S{30} )/, (part) => `${part.startsWith("A") ? "B" : "A"}${part.slice(1)}`)]),
    ...(/^[0-9a-f.:]+\/\d+$/.test(text) ? [text.replace(/\/\d+$/, (length) => `/${Number(length.slice(1)) + 1}`), "10.102.0.0/16", "203.0.113.0/24", "2001:db8:7::/48", "::/1", "0.0.0.0/1"] : []),
    ...(/^https?:/.test(text) ? [text.replace("example", "example2")] : []),
    digit,
    `${text}x`,
    `x${text}`,
    text.slice(0, -1),
  ];
  return [...(choices.get(name) ?? []), ...near].filter((each) => each !== text);
}

/** The values that the schemas allow for a field of this name, where they list them. */
const choices: ReadonlyMap<string, readonly string[]> = choicesIn();

function choicesIn(): ReadonlyMap<string, readonly string[]> {
  const folder = join(import.meta.dirname, "../../schemas");
  const found = new Map<string, Set<string>>();
  const visit = (name: string, node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { enum: values, const: only, properties } = node as { enum?: readonly unknown[]; const?: unknown; properties?: object };
    for (const value of [...(values ?? []), only]) if (typeof value === "string") found.set(name, (found.get(name) ?? new Set()).add(value));
    for (const [key, each] of Object.entries(properties ?? {})) visit(key, each);
    for (const [key, each] of Object.entries(node)) if (key !== "properties") visit(name, each);
  };
  for (const file of readdirSync(folder).filter((each) => /^(cloudlet|platform-)/.test(each))) visit("", JSON.parse(readFileSync(join(folder, file), "utf8")));
  return new Map([...found].map(([name, values]) => [name, [...values].sort()]));
}

const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/** What may be added to any spec: where, and some values of which one fits. */
const more: readonly (readonly [pointer: string, ...values: readonly Json[]])[] = [
  ["/firewall/ingress/-", { protocol: "tcp", ports: { from: 7_777, to: 7_778 }, cidr: "203.0.113.0/24" }],
  ["/firewall/egress/-", { protocol: "udp", ports: { from: 514, to: 514 }, cidr: "192.0.2.9/32" }],
  ["/firewall/ssh/from/-", "203.0.113.64/26"],
  ["/users/-", { name: "newcomer", sshAuthorizedKeys: [`${sshKey} newcomer`], sudo: false }],
  ["/networks/dns/-", "192.0.2.99"],
  ["/networks/ntp/-", "192.0.2.98"],
  ["/networks/external/-", { name: "further" }, { name: "further", address: { mode: "dhcp" }, purpose: "internet" }],
  ["/trust/sshUserCaKeys/-", `${sshKey} newca`],
  ["/secrets/-", { name: "FURTHER_TOKEN", required: false, target: { kind: "file", path: "/root/further" } }],
  ["/policies/allianceOrganizations/-", "FurtherTel"],
  ["/policies/quotas/-", { name: "RAM", value: 4_096 }],
  ["/policies/trustPolicy", "further-policy"],
  ["/audit/waivers/-", { rule: "NET-05", reason: "the site's own firewall decides", expires: "2027-06-30" }],
  ["/federatedOrganization", "FurtherTel"],
  ["/physicalName", "further"],
  ["/location/altitude", 7],
  ["/dynamicIps", 3],
  ["/compute/platformVm/vcpus", 6],
  ["/compute/platformVm/memoryMiB", 12_288],
  ["/compute/platformVm/diskGiB", 120],
  ["/resourceTags/nic", { name: "nic-tags", organization: "FurtherTel" }],
  ["/versions/overridePolicyContainerVersion", true],
  ["/policies/maintenance", "start"],
  ["/policies/defaultServerlessCluster", true],
  ["/crm/notifySrvAddr", "127.0.0.1:39001"],
  ["/environment/MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS", "protocol=tcp,portrange=443:443,remotecidr=0.0.0.0/0"],
  ["/environment/MEX_DNS", "192.0.2.97"],
  ["/environment/MEX_NTP_SERVERS", "192.0.2.96"],
  ["/environment/MEX_SHARED_ROOTLB_VCPUS", "4"],
  ["/environment/MEX_COMPUTE_AVAILABILITY_ZONE", "further"],
];

function additions(spec: JsonObject): readonly SpecEdit[] {
  return more.flatMap(([place, ...values]): readonly SpecEdit[] => {
    const list = place.endsWith("/-") ? place.slice(0, -2) : undefined;
    const there = valueAt(spec, list ?? place);
    if (list === undefined && there !== undefined) return [];
    if (list === undefined) return [{ kind: "added", pointer: place, specs: () => values.map((value) => edited(spec, place, value)) }];
    const entries = Array.isArray(there) ? (there as readonly Json[]) : [];
    return [{ kind: "added", pointer: below(list, entries.length), specs: () => values.map((value) => edited(spec, list, [...entries, value])) }];
  });
}
