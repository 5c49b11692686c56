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
  /** Of the status line of `sector`; `late` is `loaded`, and `healthy` eight seconds later. */
  readonly stage?: string;
  readonly access?: "direct" | "restricted";
  /** Without, the spec names the folder of the tests. */
  readonly storage?: "the host's";
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
  return buildBundle(`libvirt-${choice.name}-${choice.sequence}`, specOf(choice), { release: (text) => releaseOf(text, choice) });
}

/** The text of its spec. */
export function specOf(choice: Choice): string {
  return [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${choice.name}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    `access: ${choice.access ?? "restricted"}`,
    "dynamicIps: 8",
    `platform: {type: libvirt, parameters: {${[...(choice.storage === "the host's" ? [] : [`storage: ${lab}/storage`]), ...(choice.parameters ?? emulated)].join(", ")}}}`,
    `compute: ${choice.compute ?? "{flavor: kvm-host}"}`,
    "networks:",
    "  external:",
    ...(choice.networks ?? [wired]).map((network) => `    - ${network}`),
    "firewall: {ssh: {from: [10.98.7.0/24]}}",
    `crm: ${choice.crm ?? "{}"}`,
    "",
  ].join("\n");
}

/** The reference release's text with the image and the number that were chosen. */
export function releaseOf(text: string, { image: kind, sequence, stage }: Pick<Choice, "image" | "sequence" | "stage">): string {
  const image = kind === "guest" ? { path: join(lab, "vm-image.qcow2"), format: "qcow2" } : { path: sectorImage(sequence, stage ?? "healthy"), format: "raw" };
  const digest = createHash("sha256").update(readFileSync(image.path)).digest("hex");
  return replaced(text, [
    [/source: .*vm-image\.qcow2\n  digest: sha256:[0-9a-f]{64}/, `source: ${image.path}\n  digest: sha256:${digest}`],
    [/^  format: qcow2$/m, `  format: ${image.format}`],
    [/sizeLimit: 1048576/, "sizeLimit: 2147483648"],
    [/^name: .*$/m, `name: "conformance.${sequence}"`],
    [/^sequence: .*$/m, `sequence: ${sequence}`],
  ]);
}

export function replaced(text: string, edits: readonly (readonly [RegExp, string])[]): string {
  return edits.reduce((edited, [what, by]) => {
    if (!what.test(edited)) throw new Error(`the reference release has no ${what}`);
    return edited.replace(what, by);
  }, text);
}

/** The reference boot sector with another text: what the guest's bootstrap would say. */
export function sectorImage(sequence: number, stage: string): string {
  const status = (word: string): string => `\r\ncloudlet-status {"version":1,"release":"conformance.${sequence}","sequence":${sequence},"uptime":1,"stage":"${word}","detail":"crmserver"}\r\n\0`;
  const image = Buffer.alloc(1024 ** 2);
  if (stage === "late") {
    image.set(lateSector(status("loaded"), status("healthy")));
  } else {
    const text = Buffer.from(bootSector).indexOf(`\r\n${bootMessage}`);
    image.set(bootSector.subarray(0, text));
    image.write(status(stage), text, "latin1");
  }
  image.set([0x55, 0xaa], 510);
  mkdirSync(join(lab, "sectors"), { recursive: true });
  const path = join(lab, "sectors", `${stage}-${sequence}.raw`);
  writeFileSync(path, image);
  return path;
}

/** x86 real mode: says one text on the first serial port, waits for 146 ticks of the BIOS's clock (18.2 a second), says the other, and halts. */
function lateSector(first: string, second: string): Buffer {
  const code = (firstAt: number, secondAt: number, print: number): readonly string[] => [
    "31c0", // xor ax,ax
    "8ed8", // mov ds,ax
    "8ed0", // mov ss,ax
    "bc007c", // mov sp,0x7c00
    "fcfb", // cld; sti
    "bafb03b080ee", // mov dx,0x3fb; mov al,0x80; out dx,al: the divisor's bytes come next
    "baf803b001ee4230c0ee", // mov dx,0x3f8; 1 is 115,200 baud
    "bafb03b003ee", // mov dx,0x3fb; 8 bits, no parity, 1 stop bit
    `be${word(firstAt)}`, // mov si,first
    `bb${word(print)}ffd3`, // mov bx,print; call bx
    "b99200", // mov cx,146
    "8b1e6c04", // mov bx,[0x46c]: the BIOS's ticks
    "f4", // same: hlt, until the clock's interrupt
    "a16c04", // mov ax,[0x46c]
    "39d8", // cmp ax,bx
    "74f8", // je same
    "89c3", // mov bx,ax
    "49", // dec cx
    "75f3", // jne same
    `be${word(secondAt)}`, // mov si,second
    `bb${word(print)}ffd3`, // mov bx,print; call bx
    "f4ebfd", // halt: hlt; jmp halt
    "ac", // print: lodsb
    "84c0", // test al,al
    "7412", // je done
    "88c3", // mov bl,al
    "bafd03", // mov dx,0x3fd; COM1's line status
    "eca82074fb", // ready: in al,dx; test al,0x20; je ready
    "baf80388d8ee", // mov dx,0x3f8; mov al,bl; out dx,al
    "ebe9", // jmp print
    "c3", // done: ret
  ];
  const bytes = (parts: readonly string[]): Buffer => Buffer.from(parts.join(""), "hex");
  const words = code(0, 0, 0);
  const [base, size] = [0x7c00, bytes(words).byteLength];
  const print = base + bytes(words.slice(0, words.indexOf("ac"))).byteLength;
  return Buffer.concat([bytes(code(base + size, base + size + first.length, print)), Buffer.from(first + second, "latin1")]);
}

function word(value: number): string {
  return Buffer.from([value & 0xff, value >> 8]).toString("hex");
}

/** Values of site.env. */
export function site(bundle: BuiltBundle, name: string): string {
  const line = readFileSync(join(bundle.folder, "site.env"), "utf8").split("\n").find((each) => each.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`site.env has no ${name}`);
  return line.slice(name.length + 2, -1).replaceAll("'\\''", "'");
}
