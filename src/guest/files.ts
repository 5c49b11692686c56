/** The files that make a cloudlet of a VM, cloud-init or not: data for the scripts, the scripts, their units. */

import type { Assets } from "../core/assets.ts";
import { asset } from "../core/assets.ts";
import type { Span } from "../core/file.ts";
import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import { shWord } from "../core/sh-word.ts";
import type { ContainerPlan } from "../plan/crm.ts";
import type { Machine } from "../plan/machines.ts";
import type { Plan } from "../plan/plan.ts";
import { positions } from "../plan/positions.ts";
import type { Text } from "./cloud-config.ts";
import { plainText } from "./cloud-config.ts";
import { firewallLines } from "./firewall.ts";

/** A file of the guest, root's. */
export interface OwnFile {
  /** Absolute. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Line by line, each with its origins; or as it is shipped. */
  readonly content: readonly Text[] | string;
}

/** Where the units are, and which of them are enabled; the others are started by those. */
export const unitFolder = "/etc/systemd/system";
export const enabledUnits: readonly string[] = ["cloudlet-bootstrap.service", "cloudlet-health.timer"];
export const firewallUnit = "cloudlet-firewall.service";

const scripts: readonly (readonly [string, string, number])[] = [
  ["guest/cloudlet-bootstrap", "/usr/local/sbin/cloudlet-bootstrap", 0o755],
  ["guest/cloudlet-bootstrap.service", `${unitFolder}/cloudlet-bootstrap.service`, 0o644],
  ["guest/cloudlet-container@.service", `${unitFolder}/cloudlet-container@.service`, 0o644],
  ["guest/cloudlet-health.service", `${unitFolder}/cloudlet-health.service`, 0o644],
  ["guest/cloudlet-health.timer", `${unitFolder}/cloudlet-health.timer`, 0o644],
];

/** In the order in which they are best written: data, scripts, units. */
export function ownFiles(plan: Plan, machine: Machine, assets: Assets): readonly OwnFile[] {
  const guarded = plan.firewall.value === "guest";
  return [
    { path: "/etc/cloudlet/bootstrap.env", mode: 0o600, content: bootstrapLines(plan, machine) },
    ...machine.containers.map(
      (container): OwnFile => ({
        path: `/etc/cloudlet/containers/${container.role.value}.env`,
        mode: 0o600,
        content: containerLines(container),
      }),
    ),
    ...(guarded
      ? (["IPv4", "IPv6"] as const).map(
          (family): OwnFile => ({
            path: `/etc/cloudlet/firewall.v${family.slice(-1)}`,
            mode: 0o600,
            content: firewallLines(plan.rules, family),
          }),
        )
      : []),
    ...scripts.map(([name, path, mode]): OwnFile => ({ path, mode, content: asset(assets, name) })),
    ...(guarded
      ? [{ path: `${unitFolder}/${firewallUnit}`, mode: 0o644, content: asset(assets, `guest/${firewallUnit}`) }]
      : []),
  ];
}

/** The text of a file's content, and where each line of it comes from. */
export function textOfFile({ content }: OwnFile): { readonly text: string; readonly spans: readonly Span[] } {
  if (typeof content === "string") return { text: content, spans: [] };
  const text = content.map((line) => `${plainText(line)}\n`).join("");
  const spans = content.flatMap((line, index): readonly Span[] =>
    typeof line === "string" || line.value === ""
      ? []
      : [{ line: index + 1, start: 1, end: line.value.length + 1, origins: line.origins }],
  );
  return { text, spans };
}

/** What the bootstrap script reads: every value one single-quoted word, as in site.env. */
function bootstrapLines(plan: Plan, machine: Machine): readonly Text[] {
  const perNic = machine.nics.flatMap((nic) => [
    numbered("CB_NIC", nic.number, "MAC", nic.mac),
    numbered("CB_NIC", nic.number, "PURPOSE", nic.purpose),
    ...(nic.mtu === undefined ? [] : [numbered("CB_NIC", nic.number, "MTU", nic.mtu)]),
  ]);
  const perContainer = machine.containers.flatMap(({ number, role, image, imageId, health }) => [
    numbered("CB_CONTAINER", number, "ROLE", role),
    numbered("CB_CONTAINER", number, "IMAGE", image),
    numbered("CB_CONTAINER", number, "ID", imageId),
    ...(health === undefined ? [] : [numbered("CB_CONTAINER", number, "HEALTH_PORT", health.port)]),
    ...(health?.path === undefined ? [] : [numbered("CB_CONTAINER", number, "HEALTH_PATH", health.path)]),
  ]);
  return [
    line("CB_CLOUDLET", plan.spec.name),
    line("CB_ORGANIZATION", plan.spec.organization),
    line("CB_RELEASE", plan.release.name),
    line("CB_RELEASE_SEQUENCE", plan.release.sequence),
    line("CB_RELEASE_CREATED", plan.createdSeconds),
    ...(machine.role === undefined ? [] : [line("CB_MACHINE", machine.role)]),
    line("CB_PAYLOAD_SIZE", plan.payload.size),
    line("CB_PAYLOAD_SHA256", plan.payload.sha256),
    counted("CB_CONTAINER_COUNT", machine.containers.map((container) => container.role)),
    ...perContainer,
    counted("CB_NIC_COUNT", machine.nics.map((nic) => nic.network)),
    ...perNic,
  ];
}

/** What one container runs with. */
function containerLines(container: ContainerPlan): readonly Text[] {
  const list = (name: string, values: readonly Val<string>[]): readonly Text[] => {
    const numbers = positions(values);
    return [
      counted(`CB_${name}_COUNT`, values),
      ...values.map((value, index) =>
        derive([numbers[index] as Val<number>, value], (number, text) => `CB_${name}_${number}=${shWord(text)}`),
      ),
    ];
  };
  const secretNumbers = positions(container.secretVariables.map(({ name }) => name));
  return [
    line("CB_IMAGE_ID", container.imageId),
    ...list("VOLUME", container.volumes),
    ...list(
      "VARIABLE",
      container.environment.map(({ name, value }) => derive([name, value], (left, right) => `${left}=${right}`)),
    ),
    counted("CB_SECRET_COUNT", container.secretVariables.map(({ name }) => name)),
    ...container.secretVariables.flatMap(({ name, path }, index) => [
      numbered("CB_SECRET", secretNumbers[index] as Val<number>, "NAME", name),
      numbered("CB_SECRET", secretNumbers[index] as Val<number>, "PATH", path),
    ]),
    ...list("ARGUMENT", container.arguments),
  ];
}

function line(name: string, value: Val): Val<string> {
  return derive([value], (text) => `${name}=${shWord(String(text))}`);
}

function numbered(prefix: string, number: Val<number>, name: string, value: Val): Val<string> {
  return derive([number, value], (position, text) => `${prefix}_${position}_${name}=${shWord(String(text))}`);
}

function counted(name: string, items: readonly Val[]): Text {
  const origins = [...new Set(items.flatMap((item) => item.origins))].sort();
  const [first, ...rest] = origins;
  const text = `${name}='${items.length}'`;
  return first === undefined ? text : val(text, first, ...rest);
}
