/** The secrets of a cloudlet: those declared, and those that are there without being declared. */

import type { Json, JsonObject } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { below } from "../core/pointer.ts";
import { variablesOf } from "./property-schema.ts";
import type { SecretSlot } from "./spec.ts";

/** An Ed25519 key as PKCS#8 PEM has 119 bytes; the limit leaves room for another kind. */
const ACCESS_KEY: SecretSlot = {
  name: "ACCESS_KEY",
  description: "one-time access key of the cloudlet (PEM, from `cloudlet-bundle access-key` or the controller)",
  required: true,
  maxBytes: 512,
  target: { kind: "file", path: "/root/accesskey/accesskey.pem" },
};

/** One key is good for one machine, so with high availability the second PlatformVM has its own, at the same path. */
const ACCESS_KEY_SECONDARY: SecretSlot = {
  ...ACCESS_KEY,
  name: "ACCESS_KEY_SECONDARY",
  description: "one-time access key of the second PlatformVM (PEM, from `cloudlet-bundle access-key --secondary` or the controller)",
};

const KAFKA_PASSWORD: SecretSlot = {
  name: "KAFKA_PASSWORD",
  description: "password of the Kafka user",
  required: true,
  maxBytes: 1024,
  target: { kind: "environment", name: "KAFKA_PASSWORD" },
};

export const BUILT_IN_SLOTS: ReadonlyMap<string, SecretSlot> = new Map(
  [ACCESS_KEY, ACCESS_KEY_SECONDARY, KAFKA_PASSWORD].map((slot) => [slot.name, slot]),
);

/**
 * The slots of a sound document with its defaults: ACCESS_KEY first (with high availability ACCESS_KEY_SECONDARY after
 * it), then the declared ones in their order, then KAFKA_PASSWORD and the mandatory secret access variables that nobody
 * declared.
 */
export function secretSlots(document: JsonObject, origins: Map<string, Origin>): readonly JsonObject[] {
  const declared = document["secrets"] as readonly JsonObject[];
  const platform = String((document["platform"] as JsonObject)["type"]);
  const slots: JsonObject[] = [];
  // Added first slots move the declared ones, and with them where their values come from.
  const moved = declared.map((_, index) =>
    [...origins].filter(([pointer]) => pointer.startsWith(`/secrets/${index}/`)),
  );
  for (const [pointer] of moved.flat()) origins.delete(pointer);
  if (!declared.some((slot) => slot["name"] === ACCESS_KEY.name)) {
    add(slots, asJson(ACCESS_KEY), "default:access-key", origins);
  }
  const isTwo = (document["crm"] as JsonObject)["highAvailability"] === true;
  if (isTwo && !declared.some((slot) => slot["name"] === ACCESS_KEY_SECONDARY.name)) {
    add(slots, asJson(ACCESS_KEY_SECONDARY), "spec:/crm/highAvailability", origins);
  }
  for (const [index, slot] of declared.entries()) {
    const at = below("/secrets", slots.length);
    const own = new Map(
      (moved[index] ?? []).map(([pointer, origin]) => [pointer.slice(`/secrets/${index}`.length), origin]),
    );
    const whole = described(slot, platform, own);
    for (const [pointer, origin] of leavesOf(whole, "")) {
      origins.set(at + pointer, own.get(pointer) ?? `spec:${below("/secrets", index)}${origin}`);
    }
    slots.push(whole);
  }
  const has = (name: string): boolean => slots.some((slot) => slot["name"] === name);
  const kafka = document["kafka"] as JsonObject | undefined;
  if (kafka?.["user"] !== undefined && !has(KAFKA_PASSWORD.name)) {
    add(slots, asJson(KAFKA_PASSWORD), "spec:/kafka/user", origins);
  }
  for (const name of undeclaredAccess(document, platform, has)) {
    add(slots, described({ name }, platform, new Map()), "default:access-variable", origins);
  }
  return slots;
}

function asJson(slot: SecretSlot): JsonObject {
  return slot as unknown as JsonObject;
}

function add(slots: JsonObject[], slot: JsonObject, origin: Origin, origins: Map<string, Origin>): void {
  for (const [pointer] of leavesOf(slot, "")) origins.set(below("/secrets", slots.length) + pointer, origin);
  slots.push(slot);
}

/** A declared slot with what the platform knows of its variable. */
function described(slot: JsonObject, platform: string, origins: Map<string, Origin>): JsonObject {
  const name = String(slot["name"]);
  const builtIn = BUILT_IN_SLOTS.get(name);
  const variable = variablesOf(platform).get(name);
  const whole: Record<string, Json> = { required: true, maxBytes: 1024, ...slot };
  const fromDefault = origins.get("/maxBytes") !== undefined || slot["maxBytes"] === undefined;
  const maxBytes = builtIn?.maxBytes ?? variable?.maxBytes;
  if (fromDefault && maxBytes !== undefined) whole["maxBytes"] = maxBytes;
  if (slot["description"] === undefined) {
    whole["description"] = builtIn?.description ?? variable?.description ?? name;
    origins.set("/description", "default:secret-description");
  }
  if (slot["target"] === undefined) {
    whole["target"] = (builtIn?.target ?? { kind: "environment", name }) as unknown as Json;
    for (const [pointer] of leavesOf(whole["target"] as Json, "/target")) origins.set(pointer, "default:secret-target");
  }
  return whole;
}

/** The mandatory secret access variables, where the document gives any access variable and none that holds them all. */
function undeclaredAccess(document: JsonObject, platform: string, has: (name: string) => boolean): readonly string[] {
  const known = [...variablesOf(platform).values()].filter((each) => each.group === "access");
  const given = known.filter(
    (each) => has(each.name) || Object.hasOwn(document["environment"] as JsonObject, each.name),
  );
  if (given.length === 0 || given.some((each) => each.holdsAccess === true)) return [];
  return known.filter((each) => each.mandatory && each.secret && !has(each.name)).map((each) => each.name);
}

function leavesOf(value: Json, pointer: string): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[pointer, pointer]];
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each as Json, below(pointer, key)));
}
