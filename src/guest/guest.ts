/** Plan to guest: what the VM is told about itself, and the hook that makes a cloudlet of it. */

import type { Assets } from "../core/assets.ts";
import { asset } from "../core/assets.ts";
import { hexOf, sha256 } from "../core/digest.ts";
import type { Span } from "../core/file.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import { novaUserDataBytes } from "../core/limits.ts";
import type { Origin, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import { shWord } from "../core/sh-word.ts";
import type { Plan } from "../plan/plan.ts";
import type { CloudConfig, Text } from "./cloud-init-builder.ts";
import * as cloudInit from "./cloud-init-builder.ts";

export interface Guest {
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
  /** Keys that MobiledgeX's image reads from the IaaS's metadata, sorted. */
  readonly metaData: readonly { readonly name: Val<string>; readonly value: Val<string> }[];
}

const environmentPath = "/etc/cloudlet/bootstrap.env";
const scriptPath = "/usr/local/sbin/cloudlet-bootstrap";
const unitPath = "/etc/systemd/system/cloudlet-bootstrap.service";

/** Issues: `guest/path-taken` and `guest/user-data-too-long`. */
export function guest(plan: Plan, assets: Assets): Outcome<Guest> {
  const taken = takenPaths(plan);
  if (taken.length > 0) return { ok: false, issues: taken };
  const { text, spans } = cloudInit.cloudConfig(partsOf(plan, assets), [
    "What the PlatformVM is told at its first boot. @@CLOUDLET-...@@ stands for what only the site knows:",
    "secrets (as base64) and the hardware addresses of its network cards.",
  ]);
  const mostBytes = Buffer.byteLength(text, "utf8") + growthOf(plan);
  const lines = linesOf(text, spans);
  const [first, ...rest] = lines as [Val<string>, ...Val<string>[]];
  return outcome(sizeIssues(plan, mostBytes), () => ({
    userData: {
      text,
      spans,
      lines,
      sha256: derive([first, ...rest], () => hexOf(sha256(text))),
      mostBytes: derive([first, ...rest], () => mostBytes),
    },
    metaData: [
      { name: val("role", "constant:guest-role"), value: val("mex-agent-node", "constant:guest-role") },
      { name: val("skipk8s", "constant:guest-role"), value: val("yes", "constant:guest-role") },
    ],
  }));
}

function partsOf(plan: Plan, assets: Assets): readonly CloudConfig[] {
  const { spec } = plan;
  return [
    cloudInit.hostname(plan.names.host),
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
      plan.slots.map((slot) => ({ path: slot.path, content: slot.placeholder, mode: 0o600, encoding: "b64" as const })),
    ),
    cloudInit.writeFiles([
      { path: environmentPath, content: { lines: environmentLines(plan) }, mode: 0o600 },
      { path: scriptPath, content: asset(assets, "guest/cloudlet-bootstrap"), mode: 0o755 },
      { path: unitPath, content: asset(assets, "guest/cloudlet-bootstrap.service"), mode: 0o644 },
    ]),
    cloudInit.runCommands([
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "--no-block", "cloudlet-bootstrap.service"],
    ]),
  ];
}

/** What the bootstrap script reads: every value one single-quoted word, as in site.env. */
function environmentLines(plan: Plan): readonly Text[] {
  const line = (name: string, value: Val): Val<string> => derive([value], (text) => `${name}=${shWord(String(text))}`);
  const numbered = (prefix: string, number: Val<number>, name: string, value: Val): Val<string> =>
    derive([number, value], (position, text) => `${prefix}_${position}_${name}=${shWord(String(text))}`);
  const perNic = plan.nics.flatMap((nic) => [
    numbered("CB_NIC", nic.number, "MAC", nic.macPlaceholder),
    numbered("CB_NIC", nic.number, "PURPOSE", nic.purpose),
    ...(nic.mtu === undefined ? [] : [numbered("CB_NIC", nic.number, "MTU", nic.mtu)]),
  ]);
  const perContainer = plan.containers.flatMap((container) => [
    numbered("CB_CONTAINER", container.number, "ROLE", container.role),
    numbered("CB_CONTAINER", container.number, "IMAGE", container.image),
    numbered("CB_CONTAINER", container.number, "ID", container.imageId),
  ]);
  return [
    line("CB_CLOUDLET", plan.spec.name),
    line("CB_ORGANIZATION", plan.spec.organization),
    line("CB_RELEASE", plan.release.name),
    line("CB_RELEASE_SEQUENCE", plan.release.sequence),
    line("CB_PAYLOAD_SIZE", plan.payload.size),
    line("CB_PAYLOAD_SHA256", plan.payload.sha256),
    ...counted("CB_CONTAINER_COUNT", plan.containers.map((container) => container.role)),
    ...perContainer,
    ...counted("CB_NIC_COUNT", plan.nics.map((nic) => nic.network)),
    ...perNic,
  ];
}

function counted(name: string, items: readonly Val[]): readonly Text[] {
  const origins = [...new Set(items.flatMap((item) => item.origins))].sort();
  const [first, ...rest] = origins;
  const text = `${name}='${items.length}'`;
  return [first === undefined ? text : val(text, first, ...rest)];
}

/** A secret may go to any file of the guest but those that the guest itself is made of. */
function takenPaths(plan: Plan): readonly Issue[] {
  const own = new Set([environmentPath, scriptPath, unitPath]);
  const seen = new Set<string>();
  return plan.slots.flatMap((slot) => {
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
function growthOf(plan: Plan): number {
  const macLength = "fa:16:3e:00:00:00".length;
  const secrets = plan.slots.map((slot) => slot.maxEncoded.value - slot.placeholder.value.length);
  const cards = plan.nics.map((nic) => macLength - nic.macPlaceholder.value.length);
  return [...secrets, ...cards].reduce((sum, each) => sum + each, 0);
}

function sizeIssues(plan: Plan, mostBytes: number): readonly Issue[] {
  if (mostBytes <= novaUserDataBytes) return [];
  const secretBytes = plan.slots.reduce((sum, slot) => sum + slot.maxEncoded.value, 0);
  return [
    {
      code: "guest/user-data-too-long",
      severity: "error",
      pointer: secretBytes > mostBytes / 2 ? "/secrets" : "/trust/caCertificates",
      message: `user-data may grow to ${mostBytes} bytes, ${secretBytes} of them secrets; Nova takes ${novaUserDataBytes}`,
      hint: "Lower maxBytes of the secrets, or list fewer certificates, users and keys.",
    },
  ];
}

function linesOf(text: string, spans: readonly Span[]): readonly Val<string>[] {
  const byLine = Map.groupBy(spans, (span) => span.line);
  return text.split("\n").map((line, index) => {
    const origins = [...new Set((byLine.get(index + 1) ?? []).flatMap((span) => span.origins))].sort();
    const [first, ...rest] = origins as readonly Origin[];
    return first === undefined ? val(line, "constant:user-data") : val(line, first, ...rest);
  });
}
