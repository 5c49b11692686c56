/** The text of a cloudlet spec to a `Spec`: validated, defaults filled in, every value with its origin. */

import type { Digest } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Origin, Sourced } from "../core/origin.ts";
import { below } from "../core/pointer.ts";
import { PLATFORM_DEFAULTS, SPEC_DEFAULTS } from "./defaults.ts";
import type { Default } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { PARAMETER_VALIDATORS } from "./platform-parameters.ts";
import type { DocumentKind } from "./read-document.ts";
import { readDocument } from "./read-document.ts";
import { trust, users } from "./rules/access.ts";
import { waivers } from "./rules/audit.ts";
import { environment, secrets } from "./rules/environment.ts";
import { firewall } from "./rules/firewall.ts";
import { highAvailability } from "./rules/high-availability.ts";
import { location } from "./rules/location.ts";
import { addresses, addressRanges, defaultRoute, networkNames } from "./rules/networks.ts";
import { platformKnown, restricted, singleCluster, vmPool } from "./rules/platform.ts";
import { alliance, gpuDriver, quotas } from "./rules/policies.ts";
import { resources } from "./rules/resources.ts";
import type { Rule } from "./rules/rule.ts";
import { error } from "./rules/rule.ts";
import { schemaIssues } from "./schema-issues.ts";
import { secretSlots } from "./secret-slots.ts";
import { showKey } from "./show.ts";
import type { Spec } from "./spec.ts";
import { validateCloudlet } from "./validators.ts";

export interface SpecContext {
  /** The platform types this build knows. */
  readonly platforms: readonly string[];
}

export interface SpecDocument {
  readonly spec: Spec;
  readonly sourced: Sourced<Spec>;
  /** Of the canonical JSON of `spec`. */
  readonly digest: Digest;
  /** As it was written, without defaults: what the pointers of origins point into. */
  readonly written: JsonObject;
}

/** All mistakes at once, sorted by place. A spec that was read and written as canonical JSON reads as itself. */
export function readSpec(text: string, context: SpecContext): Outcome<SpecDocument> {
  const outcome = readDocument<Spec>(text, cloudletKind(context));
  if (!outcome.ok) return outcome;
  const { value, sourced, digest, written } = outcome.value;
  return { ok: true, value: { spec: value, sourced, digest, written }, issues: outcome.issues };
}

const RULES: readonly Rule[] = [
  location,
  vmPool,
  restricted,
  singleCluster,
  defaultRoute,
  networkNames,
  addressRanges,
  addresses,
  highAvailability,
  firewall,
  users,
  trust,
  quotas,
  alliance,
  gpuDriver,
  resources,
  environment,
  secrets,
  waivers,
];

function cloudletKind({ platforms }: SpecContext): DocumentKind<Spec> {
  return {
    kind: "Cloudlet",
    origin: "spec",
    validate: validateCloudlet,
    parts: (document) => parameterIssues(document, platforms),
    rules: (draft) => ruleIssues(draft, platforms),
    mayBreakLines: (pointer) => /^\/trust\/caCertificates\/\d+$/.test(pointer),
    defaults,
    complete,
  };
}

/** An unknown platform is one mistake; nothing else is judged by it. */
function ruleIssues(draft: Draft<Spec>, platforms: readonly string[]): readonly Issue[] {
  const unknown = platformKnown(platforms)(draft);
  const judged = unknown.length === 0 ? draft : { ...draft, platform: { ...draft.platform, type: undefined } };
  return [...unknown, ...RULES.flatMap((rule) => rule(judged))];
}

function parameterIssues(document: JsonObject, platforms: readonly string[]): readonly Issue[] {
  const platform = document["platform"];
  if (typeof platform !== "object" || platform === null || Array.isArray(platform)) return [];
  const { type, parameters } = platform as JsonObject;
  if (typeof type !== "string" || !platforms.includes(type)) return [];
  const validate = Object.hasOwn(PARAMETER_VALIDATORS, type) ? PARAMETER_VALIDATORS[type] : undefined;
  if (parameters === undefined && validate !== undefined) {
    // What is missing in a group that is missing is missed where the group would be.
    return schemaIssues(validate, {}).map((issue) => ({ ...issue, pointer: "/platform", message: `\`parameters\`: ${issue.message}` }));
  }
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) return [];
  if (validate !== undefined) return schemaIssues(validate, parameters, "/platform/parameters");
  return Object.keys(parameters).map((key) =>
    error(
      "schema/unknown-key",
      below("/platform/parameters", key),
      `${showKey(key)} is not known in \`parameters\``,
      `the platform ${type} takes none`,
    ),
  );
}

function defaults(document: JsonObject): readonly Default[] {
  const type = String((document["platform"] as JsonObject)["type"]);
  const own = Object.hasOwn(PLATFORM_DEFAULTS, type) ? (PLATFORM_DEFAULTS[type] ?? []) : [];
  return [...SPEC_DEFAULTS, ...own.map((each) => ({ ...each, pointer: `/platform/parameters${each.pointer}` }))];
}

function complete(document: JsonObject, origins: Map<string, Origin>): JsonObject {
  const networks = document["networks"] as JsonObject;
  const external = networks["external"] as readonly JsonObject[];
  const holder = Math.max(
    0,
    external.findIndex((each) => each["defaultRoute"] === true),
  );
  const claimed = external.some((each) => each["defaultRoute"] === true);
  const first = claimed ? holder : external.findIndex((each) => each["defaultRoute"] === undefined);
  const routed = external.map((each, index): Json => {
    if (each["defaultRoute"] !== undefined) return each;
    origins.set(below("/networks/external", index, "defaultRoute"), "default:default-route");
    return { ...each, defaultRoute: index === first };
  });
  if (document["physicalName"] === undefined) origins.set("/physicalName", "spec:/name");
  return {
    ...document,
    physicalName: document["physicalName"] ?? (document["name"] as Json),
    networks: { ...networks, external: routed },
    secrets: secretSlots(document, origins),
  };
}
