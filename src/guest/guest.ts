/** Plan to guest: what the VM is told about itself, and the hook that makes a cloudlet of it. */

import type { Assets } from "../core/assets.ts";
import { hexOf, sha256 } from "../core/digest.ts";
import type { Span } from "../core/file.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import type { Origin, Val } from "../core/origin.ts";
import { spansByLine } from "../core/lines.ts";
import { derive, val } from "../core/origin.ts";
import { quotedLine } from "../core/quoted-line.ts";
import type { Machine } from "../plan/machines.ts";
import type { Plan } from "../plan/plan.ts";
import type { CloudConfig } from "./cloud-init-builder.ts";
import * as cloudInit from "./cloud-init-builder.ts";
import type { OwnFile } from "./files.ts";
import { enabledUnits, firewallUnit, ownFiles } from "./files.ts";
import { instanceId, metaData, networkConfig } from "./no-cloud.ts";
import type { YamlText } from "./yaml-text.ts";

export interface Guest {
  readonly machine: Machine;
  readonly userData: {
    readonly text: string;
    readonly spans: readonly Span[];
    /** The text line by line, for a template that holds it as a block. */
    readonly lines: readonly Val<string>[];
    /** 64 hexadecimal digits, of the text with its placeholders. */
    readonly sha256: Val<string>;
    /** Bytes that it may have once every secret has its longest value. */
    readonly mostBytes: Val<number>;
  };
  /** Also in the meta-data; a platform may hand it over by itself. */
  readonly instanceId: Val<string>;
  /** For platforms whose datasource takes them: cloud-init's NoCloud, VMware. */
  readonly metaData: YamlText;
  readonly networkConfig: YamlText;
  /** What makes a cloudlet of a VM that is there already; user-data holds them too. */
  readonly files: readonly OwnFile[];
  /** Keys that MobiledgeX's image reads from the IaaS's metadata, sorted. */
  readonly properties: readonly { readonly name: Val<string>; readonly value: Val<string> }[];
}

/** One for each machine of the plan. */
export type Guests = readonly [Guest, ...Guest[]];

/** Of all machines; issues: those of each. */
export function guests(plan: Plan, assets: Assets, userDataBytes?: number): Outcome<Guests> {
  const outcomes = plan.machines.map((machine) => guest(plan, machine, assets, userDataBytes));
  const issues = outcomes.flatMap((each) => each.issues);
  const made = outcomes.flatMap((each) => (each.ok ? [each.value] : []));
  if (made.length < outcomes.length) return { ok: false, issues };
  return { ok: true, value: made as readonly Guest[] as Guests, issues };
}

/** What the machine is told; `userDataBytes`: most that its IaaS takes. Issues: `guest/path-taken` and `guest/user-data-too-long`. */
export function guest(plan: Plan, machine: Machine, assets: Assets, userDataBytes = Infinity): Outcome<Guest> {
  const files = ownFiles(plan, machine, assets);
  const taken = takenPaths(machine, files);
  if (taken.length > 0) return { ok: false, issues: taken };
  const { text, spans } = cloudInit.cloudConfig(partsOf(plan, machine, files), [
    "What the PlatformVM is told at its first boot. @@CLOUDLET-...@@ stands for what only the site knows:",
    "secrets (as base64) and the hardware addresses of its network cards.",
  ]);
  const mostBytes = Buffer.byteLength(text, "utf8") + growthOf(machine);
  const lines = linesOf(text, spans);
  const [first, ...rest] = lines as [Val<string>, ...Val<string>[]];
  const digest = derive([first, ...rest], () => hexOf(sha256(text)));
  const id = instanceId(machine, digest);
  return outcome(sizeIssues(machine, mostBytes, userDataBytes), () => ({
    machine,
    userData: { text, spans, lines, sha256: digest, mostBytes: { ...digest, value: mostBytes } },
    instanceId: id,
    metaData: metaData(machine, id),
    networkConfig: networkConfig(machine, plan.spec.networks),
    files,
    properties: [
      { name: val("role", "constant:guest-role"), value: val("mex-agent-node", "constant:guest-role") },
      { name: val("skipk8s", "constant:guest-role"), value: val("yes", "constant:guest-role") },
    ],
  }));
}

function partsOf(plan: Plan, machine: Machine, files: readonly OwnFile[]): readonly CloudConfig[] {
  const { spec } = plan;
  const units = plan.firewall.value === "guest" ? [firewallUnit, ...enabledUnits] : enabledUnits;
  return [
    cloudInit.againUntilOnDisk("/var/lib/cloudlet/installed"),
    cloudInit.hostname(machine.host),
    cloudInit.timezone("UTC"),
    cloudInit.users(spec.users),
    cloudInit.keysOnly(),
    cloudInit.noPackages(),
    cloudInit.growRoot(),
    cloudInit.caCertificates(spec.trust.caCertificates),
    cloudInit.sshUserAuthorities(spec.trust.sshUserCaKeys),
    cloudInit.nameServers(spec.networks.dns),
    cloudInit.timeServers(spec.networks.ntp),
    cloudInit.writeFiles(
      machine.slots.map((slot) => ({ path: slot.path, content: slot.placeholder, mode: 0o600, encoding: "b64" as const })),
    ),
    cloudInit.sudoTerminal(),
    cloudInit.journalLimit("500M"),
    cloudInit.writeFiles(
      files.map(({ path, mode, content }) => ({ path, mode, content: typeof content === "string" ? content : { lines: content } })),
    ),
    cloudInit.runCommands([
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "--no-block", ...units],
    ]),
  ];
}

/** A secret may go to any file of the guest but those that the guest itself is made of. */
function takenPaths(machine: Machine, files: readonly OwnFile[]): readonly Issue[] {
  const own = new Set(files.map((file) => file.path));
  const seen = new Set<string>();
  return machine.slots.flatMap((slot) => {
    const path = slot.path.value;
    const isTaken = own.has(path) || seen.has(path);
    seen.add(path);
    if (!isTaken) return [];
    const origin = slot.path.origins.find((each) => each.startsWith("spec:"));
    return [
      {
        code: "guest/path-taken" as const,
        severity: "error" as const,
        pointer: origin === undefined ? "/secrets" : origin.slice("spec:".length),
        message: `the secret ${slot.name.value} would be written to ${path}, where another file goes`,
        hint: "Give each secret a path of its own.",
      },
    ];
  });
}

/** What secrets and hardware addresses add to the bytes of their placeholders, at most. */
function growthOf(machine: Machine): number {
  const macLength = "fa:16:3e:00:00:00".length;
  const secrets = machine.slots.map((slot) => slot.maxEncoded.value - slot.placeholder.value.length);
  const cards = machine.nics.map((nic) => macLength - nic.mac.value.length);
  return [...secrets, ...cards].reduce((sum, each) => sum + each, 0);
}

function sizeIssues(machine: Machine, mostBytes: number, limit: number): readonly Issue[] {
  if (mostBytes <= limit) return [];
  const secretBytes = machine.slots.reduce((sum, slot) => sum + slot.maxEncoded.value, 0);
  return [
    {
      code: "guest/user-data-too-long",
      severity: "error",
      pointer: secretBytes > mostBytes / 2 ? "/secrets" : "/trust/caCertificates",
      message: `user-data may grow to ${mostBytes} bytes, ${secretBytes} of them secrets; the IaaS takes ${limit}`,
      hint: "Lower maxBytes of the secrets, or list fewer certificates, users and keys.",
    },
  ];
}

function linesOf(text: string, spans: readonly Span[]): readonly Val<string>[] {
  const spansAt = spansByLine(spans);
  return text.split("\n").map((line, index) => quotedLine(line, spansAt(index + 1), ofTheProgram));
}

/** One list for all such lines: whoever compares lists sees at once that they are the same. */
const ofTheProgram: readonly [Origin] = ["constant:user-data"];
