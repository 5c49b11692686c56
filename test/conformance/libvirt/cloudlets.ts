/** Bundles of the scenarios: with a guest that boots, or with a boot sector that only says that it is well. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootMessage, bootSector } from "../../../scripts/reference-programs.ts";
import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";
import { bridge, lab } from "./host.ts";

export interface Choice {
  readonly name: string;
  /** Number of the release, from 1. */
  readonly sequence: number;
  /** `guest` boots Debian; `sector` is 512 bytes that print one status line. */
  readonly image: "guest" | "sector";
  /** Of the status line of `sector`. */
  readonly stage?: string;
  /** YAML of platform.parameters beyond where the disks are, and of networks.external, as flow mappings. */
  readonly parameters?: readonly string[];
  readonly networks?: readonly string[];
  /** YAML of compute. */
  readonly compute?: string;
  /** YAML of crm. */
  readonly crm?: string;
}

export const guestAddress = "10.98.7.2";
export const wired = `{name: ue, purpose: ue, address: {mode: static, ip: ${guestAddress}, prefix: 24, gateway: 10.98.7.1}}`;
const emulated = ["emulation: true", `networks: {ue: {kind: bridge, source: ${bridge}}}`];

export async function cloudlet(choice: Choice): Promise<BuiltBundle> {
  const { name, sequence } = choice;
  const image = choice.image === "guest" ? { path: join(lab, "vm-image.qcow2"), format: "qcow2" } : { path: sectorImage(sequence, choice.stage ?? "healthy"), format: "raw" };
  const spec = [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${name}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    "access: restricted",
    "dynamicIps: 8",
    `platform: {type: libvirt, parameters: {${[`storage: ${lab}/storage`, ...(choice.parameters ?? emulated)].join(", ")}}}`,
    `compute: ${choice.compute ?? "{flavor: kvm-host}"}`,
    "networks:",
    "  external:",
    ...(choice.networks ?? [wired]).map((network) => `    - ${network}`),
    "firewall: {ssh: {from: [10.98.7.0/24]}}",
    `crm: ${choice.crm ?? "{}"}`,
    "",
  ].join("\n");
  const digest = createHash("sha256").update(readFileSync(image.path)).digest("hex");
  return buildBundle(`libvirt-${name}-${sequence}`, spec, {
    release: (text) =>
      replaced(text, [
        [/source: .*vm-image\.qcow2\n  digest: sha256:[0-9a-f]{64}/, `source: ${image.path}\n  digest: sha256:${digest}`],
        [/^  format: qcow2$/m, `  format: ${image.format}`],
        [/sizeLimit: 1048576/, "sizeLimit: 2147483648"],
        [/^name: .*$/m, `name: "conformance.${sequence}"`],
        [/^sequence: .*$/m, `sequence: ${sequence}`],
      ]),
  });
}

export function replaced(text: string, edits: readonly (readonly [RegExp, string])[]): string {
  return edits.reduce((edited, [what, by]) => {
    if (!what.test(edited)) throw new Error(`the reference release has no ${what}`);
    return edited.replace(what, by);
  }, text);
}

/** The reference boot sector with another text: what the guest's bootstrap would say. */
export function sectorImage(sequence: number, stage: string): string {
  const text = Buffer.from(bootSector).indexOf(`\r\n${bootMessage}`);
  const status = `cloudlet-status {"version":1,"release":"conformance.${sequence}","sequence":${sequence},"uptime":1,"stage":"${stage}","detail":"crmserver"}`;
  const image = Buffer.alloc(1024 ** 2);
  image.set(bootSector.subarray(0, text));
  image.write(`\r\n${status}\r\n\0`, text, "latin1");
  image.set([0x55, 0xaa], 510);
  mkdirSync(join(lab, "sectors"), { recursive: true });
  const path = join(lab, "sectors", `${stage}-${sequence}.raw`);
  writeFileSync(path, image);
  return path;
}

/** Values of site.env. */
export function site(bundle: BuiltBundle, name: string): string {
  const line = readFileSync(join(bundle.folder, "site.env"), "utf8").split("\n").find((each) => each.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`site.env has no ${name}`);
  return line.slice(name.length + 2, -1).replaceAll("'\\''", "'");
}
