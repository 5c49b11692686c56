/** Variables of the CRM, and the secrets among them. */

import type { Issue } from "../../core/issue.ts";
import { byCodeUnit } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import type { Draft } from "../draft.ts";
import { entries } from "../draft.ts";
import { parseIp } from "../ip.ts";
import { formatRanges, parseRange, withoutFirst } from "../ip-range.ts";
import { nearest } from "../nearest.ts";
import type { Variable } from "../property-schema.ts";
import { variablesOf } from "../property-schema.ts";
import { BUILT_IN_SLOTS } from "../secret-slots.ts";
import { show, showKey } from "../show.ts";
import type { ExternalNetwork, SecretSlot, Spec } from "../spec.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

export const environment: Rule = (spec) => {
  const platform = spec.platform?.type;
  if (platform === undefined) return [];
  const known = variablesOf(platform);
  const given = Object.entries(spec.environment ?? {});
  return [
    ...given.flatMap(([name, value]) => variableIssues(name, value, known, platform)),
    ...given.flatMap(([name, value]) => contradiction(name, value, spec)),
    ...missing(spec, known, platform),
  ];
};

function variableIssues(
  name: string,
  value: string | undefined,
  known: ReadonlyMap<string, Variable>,
  platform: string,
): readonly Issue[] {
  const pointer = below("/environment", name);
  const variable = known.get(name);
  if (variable === undefined) {
    if (BUILT_IN_SLOTS.has(name)) {
      return [
        error(
          "spec/secret-value",
          pointer,
          `${name} is a secret, which no spec may hold`,
          "delete it here; its value goes into the secrets file",
        ),
      ];
    }
    return [
      error(
        "spec/unknown-variable",
        pointer,
        `${platform} knows no variable ${showKey(name)}`,
        suggestion(name, known),
      ),
    ];
  }
  if (variable.internal) {
    return [error("spec/internal-variable", pointer, `${name} is set by the platform itself`, "delete it")];
  }
  if (variable.secret) {
    return [
      error(
        "spec/secret-value",
        pointer,
        `${name} is a secret, which no spec may hold`,
        `delete it here, declare it under secrets (- name: ${name}), and put its value into the secrets file`,
      ),
    ];
  }
  const wanted = value === undefined ? undefined : formFault(value, variable);
  return wanted === undefined
    ? []
    : [error("spec/variable-value", pointer, `${name} must be ${wanted}, not ${show(value)}`)];
}

function suggestion(name: string, known: ReadonlyMap<string, Variable>): string {
  const near = nearest(
    name,
    [...known.values()].filter((each) => !each.internal).map((each) => each.name),
  );
  return near === undefined ? "docs/reference/spec.md lists those it knows" : `did you mean ${near}?`;
}

/** What the value should be, where it is not. */
function formFault(value: string, { form }: Variable): string | undefined {
  switch (form.kind) {
    case "text":
      return undefined;
    case "integer":
      return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) >= form.minimum && Number(value) <= form.maximum
        ? undefined
        : `a whole number from ${form.minimum} to ${form.maximum}`;
    case "choice":
      return form.values.includes(value) ? undefined : `one of ${form.values.join(", ")}`;
    case "addresses": {
      const all = value.split(",");
      return all.length <= form.most && all.every((each) => parseIp(each) !== undefined)
        ? undefined
        : form.most === 1
          ? "an IP address"
          : `at most ${form.most} IP addresses separated by commas`;
    }
  }
}

/** Variables that say what a field says, too. Where both are given they must agree. */
const FIELDS: Readonly<Record<string, readonly [pointer: string, value: (spec: Draft<Spec>) => string | undefined]>> = {
  MEX_DNS: ["networks.dns", ({ networks }) => joined(networks?.dns)],
  MEX_NTP_SERVERS: ["networks.ntp", ({ networks }) => joined(networks?.ntp)],
  MEX_EXT_NETWORK: ["networks.external", ({ networks }) => networks?.external?.[0]?.name],
  MEX_NETWORK: ["networks.internal.name", ({ networks }) => networks?.internal?.name],
  MEX_COMPUTE_AVAILABILITY_ZONE: [
    "platform.parameters.availabilityZone",
    ({ platform }) => text(platform?.parameters?.["availabilityZone"]),
  ],
  ...Object.fromEntries(
    (
      [
        ["MEX_COMPUTE_CLUSTER", "cluster"],
        ["MEX_DATASTORE", "datastore"],
        ["MEX_TEMPLATE_FOLDER", "templateFolder"],
        ["MEX_VM_VERSION", "version"],
        ["MEX_CATALOG", "catalog"],
        ["VCD_NSX_TYPE", "nsxType"],
      ] as const
    ).map(([name, parameter]) => [
      name,
      [`platform.parameters.${parameter}`, ({ platform }: Draft<Spec>) => text(platform?.parameters?.[parameter])],
    ]),
  ),
  MEX_INTERNAL_VSWITCH: ["networks.internal.name", ({ networks }) => networks?.internal?.name],
  MEX_EXTERNAL_VSWITCH: ["networks.external", (spec) => portGroupOf(spec, cloudletNetwork(spec))],
  MEX_EXTERNAL_IP_RANGES: ["the ranges in networks.external", (spec) => rangesOf(cloudletNetwork(spec))],
  MEX_EXTERNAL_NETWORK_GATEWAY: ["the gateway in networks.external", (spec) => addressOf(cloudletNetwork(spec))?.gateway],
  MEX_EXTERNAL_NETWORK_MASK: [
    "the prefix in networks.external",
    (spec) => addressOf(cloudletNetwork(spec))?.prefix?.toString(),
  ],
};

/** The network of the cloudlet's VMs on vSphere: the first that is not the operator's own. */
function cloudletNetwork({ networks }: Draft<Spec>): Draft<ExternalNetwork> | undefined {
  return entries(networks?.external).find(([, each]) => each.purpose !== "management")?.[1];
}

function portGroupOf({ platform }: Draft<Spec>, network: Draft<ExternalNetwork> | undefined): string | undefined {
  const given = platform?.parameters?.["networks"] as Draft<Record<string, { readonly portGroup: string }>> | undefined;
  const { name } = network ?? {};
  return name !== undefined && given !== undefined && Object.hasOwn(given, name) ? given[name]?.portGroup : name;
}

function addressOf(network: Draft<ExternalNetwork> | undefined): { readonly prefix?: number | undefined; readonly gateway?: string | undefined } | undefined {
  const address = network?.address;
  return address?.mode === "range" || address?.mode === "static" ? address : undefined;
}

/** Without the PlatformVM's own, which is the first; empty where nothing is left, or what is written is no range. */
function rangesOf(network: Draft<ExternalNetwork> | undefined): string | undefined {
  const address = network?.address;
  if (address?.mode !== "range") return undefined;
  const ranges = entries(address.ranges).flatMap(([, each]) => parseRange(each) ?? []);
  return address.prefix === undefined ? "" : formatRanges(withoutFirst(ranges), address.prefix);
}

function fieldOf(name: string, platform: string | undefined): (typeof FIELDS)[string] | undefined {
  const isKnown = Object.hasOwn(FIELDS, name) && (platform === undefined || variablesOf(platform).has(name));
  return isKnown ? FIELDS[name] : undefined;
}

function contradiction(name: string, value: string | undefined, spec: Draft<Spec>): readonly Issue[] {
  const [field, read] = fieldOf(name, spec.platform?.type) ?? [];
  const other = read?.(spec);
  if (field === undefined || !other || value === undefined || other === value) return [];
  return [
    error(
      "spec/variable-contradicts",
      below("/environment", name),
      `${name} is ${show(value)} here, but ${field} says ${show(other)}`,
      `delete the variable; ${field} is the place for it`,
    ),
  ];
}

function joined(list: readonly (string | undefined)[] | undefined): string | undefined {
  return list === undefined || list.length === 0 || list.includes(undefined) ? undefined : list.join(",");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Mandatory variables that are given nowhere; the access variables only where one of them is. */
function missing(spec: Draft<Spec>, known: ReadonlyMap<string, Variable>, platform: string): readonly Issue[] {
  const given = givenNames(spec);
  const usesAccess = [...given].some((name) => known.get(name)?.group === "access");
  const covered = [...given].some((name) => known.get(name)?.holdsAccess === true);
  // Secret access variables become slots by themselves.
  const needed = [...known.values()].filter(
    (each) => each.mandatory && (each.group === "environment" || (usesAccess && !covered && !each.secret)),
  );
  const names = needed
    .map((each) => each.name)
    .filter((name) => !given.has(name))
    .sort(byCodeUnit);
  if (names.length === 0) return [];
  const pointer = spec.environment === undefined ? "" : "/environment";
  return [
    error(
      "spec/variable-missing",
      pointer,
      `${platform} needs the variable${names.length === 1 ? "" : "s"} ${names.join(", ")}`,
      "give them under `environment`, or declare them under `secrets`",
    ),
  ];
}

function givenNames(spec: Draft<Spec>): ReadonlySet<string> {
  return new Set([
    ...Object.keys(spec.environment ?? {}),
    ...entries(spec.secrets).flatMap(([, slot]) => variableOf(slot) ?? []),
    ...Object.keys(FIELDS).filter((name) => fieldOf(name, spec.platform?.type)?.[1](spec) !== undefined),
  ]);
}

/** The variable that a slot fills. */
function variableOf(slot: Draft<SecretSlot>): string | undefined {
  if (slot.target === undefined) return slot.name;
  return slot.target.kind === "environment" ? slot.target.name : undefined;
}

export const secrets: Rule = (spec) => {
  const platform = spec.platform?.type;
  const names = new Set<string>();
  const targets = new Set<string>();
  return entries(spec.secrets).flatMap(([index, slot]): readonly Issue[] => {
    const pointer = below("/secrets", index);
    const { name } = slot;
    if (name === undefined) return [];
    const issues: Issue[] = [];
    if (names.has(name)) {
      issues.push(
        error("spec/secret-twice", below(pointer, "name"), `there is another secret ${name}`, "keep one of the two"),
      );
    }
    names.add(name);
    const target = targetOf(slot);
    // The two access keys go to one path, each on its own machine.
    const isSecondKey = name === "ACCESS_KEY_SECONDARY";
    if (issues.length === 0 && !isSecondKey && target !== undefined && targets.has(target)) {
      issues.push(
        error(
          "spec/secret-twice",
          pointer,
          `another secret goes to ${show(target)} already`,
          "give each its own place",
        ),
      );
    }
    if (target !== undefined && !isSecondKey) targets.add(target);
    const builtIn = BUILT_IN_SLOTS.get(name);
    if (builtIn !== undefined) return [...issues, ...builtInIssues(slot, builtIn, spec, pointer)];
    if (target === targetOf(BUILT_IN_SLOTS.get("ACCESS_KEY") as SecretSlot)) {
      issues.push(error("spec/secret-twice", pointer, "this file holds the access key", "choose another path"));
    }
    return [...issues, ...(platform === undefined ? [] : slotVariableIssues(slot, spec, platform, pointer))];
  });
};

function targetOf(slot: Draft<SecretSlot>): string | undefined {
  return slot.target?.kind === "file" ? slot.target.path : variableOf(slot);
}

/** Built-in slots may be written out, as a normalised spec does, but not changed. */
function builtInIssues(
  slot: Draft<SecretSlot>,
  builtIn: SecretSlot,
  spec: Draft<Spec>,
  pointer: string,
): readonly Issue[] {
  if (builtIn.name === "KAFKA_PASSWORD" && spec.kafka?.user === undefined) {
    return [
      error(
        "spec/kafka",
        pointer,
        "KAFKA_PASSWORD is declared, but `kafka.user` is not given",
        "a Kafka user and its password go together",
      ),
    ];
  }
  const changed =
    (["required", "maxBytes"] as const).some((key) => slot[key] !== undefined && slot[key] !== builtIn[key]) ||
    (slot.target !== undefined && targetOf(slot) !== targetOf(builtIn));
  return changed
    ? [
        error(
          "spec/secret-built-in",
          pointer,
          `${builtIn.name} is always there, and as it is`,
          "delete it here, or choose another name",
        ),
      ]
    : [];
}

function slotVariableIssues(
  slot: Draft<SecretSlot>,
  spec: Draft<Spec>,
  platform: string,
  pointer: string,
): readonly Issue[] {
  const name = variableOf(slot);
  if (name === undefined) return [];
  const known = variablesOf(platform);
  const variable = known.get(name);
  if (variable === undefined) {
    return [
      error(
        "spec/unknown-variable",
        pointer,
        `${platform} knows no variable ${showKey(name)}, so the secret would go nowhere`,
        `a file takes any secret (target: {kind: file, path: /root/…}); ${suggestion(name, known)}`,
      ),
    ];
  }
  if (variable.internal) {
    return [error("spec/internal-variable", pointer, `${name} is set by the platform itself`, "delete it")];
  }
  if (!variable.secret && Object.hasOwn(spec.environment ?? {}, name)) {
    return [
      error("spec/secret-twice", pointer, `${name} has a value under environment already`, "keep one of the two"),
    ];
  }
  return [];
}
