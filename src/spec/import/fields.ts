/** Every field of MobiledgeX's cloudlet object, and what becomes of it. */

import type { Json, JsonObject } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import { show, showKey } from "../show.ts";
import type { Carrier } from "./carrier.ts";
import { at, carry, carrySecret, carryToList, say } from "./carrier.ts";
import { bare, enumOf, isBlank, numberOf, objectOf, secondsOf, textOf } from "./source-values.ts";

/** Takes the value at `source` into the spec, or says why not. */
export type FieldHandler = (value: Json, source: string, carrier: Carrier) => void;

/** Numbers are those of edgeproto/cloudlet.proto; names on our side. */
export const PLATFORM_TYPES = new Map([
  [0, "fake"],
  [1, "dind"],
  [2, "openstack"],
  [3, "azure"],
  [4, "gcp"],
  [5, "edgebox"],
  [6, "fakeinfra"],
  [7, "vsphere"],
  [8, "awseks"],
  [9, "vmpool"],
  [10, "awsec2"],
  [11, "vcd"],
  [12, "k8sbaremetal"],
  [13, "kind"],
  [14, "kindinfra"],
  [15, "fakesinglecluster"],
  [16, "federation"],
  [17, "fakevmpool"],
]);
export const IP_SUPPORT = new Map([
  [1, "static"],
  [2, "dynamic"],
]);
export const ACCESS = new Map([
  [0, "direct"],
  [1, "restricted"],
]);
export const MAINTENANCE = new Map([
  [0, "normal"],
  [1, "start"],
  [5, "start-no-failover"],
]);
export const MAINTENANCE_NAMES = new Map([
  ["normaloperation", "normal"],
  ["maintenancestart", "start"],
  ["maintenancestartnofailover", "start-no-failover"],
]);

/** In the order in which they are carried; variables need the platform and the networks. */
export const FIELDS: ReadonlyMap<string, FieldHandler> = new Map<string, FieldHandler>([
  [
    "key",
    group({
      name: text("name"),
      organization: text("organization"),
      federatedorganization: text("federatedOrganization"),
    }),
  ],
  ["physicalname", text("physicalName")],
  [
    "location",
    group({
      latitude: number("location", "latitude"),
      longitude: number("location", "longitude"),
      altitude: number("location", "altitude"),
      ...leftOut(
        ["horizontalaccuracy", "verticalaccuracy", "course", "speed", "timestamp"],
        "it is no part of a place that stands still",
      ),
    }),
  ],
  ["infraapiaccess", named(ACCESS, "access")],
  [
    "ipsupport",
    (value, source, carrier) =>
      isBlank(value) ? undefined : named(IP_SUPPORT, "ipSupport", "ip_support")(value, source, carrier),
  ],
  ["numdynamicips", number("dynamicIps")],
  ["deployment", text("deployment")],
  ["containerversion", text("versions", "container")],
  ["vmimageversion", text("versions", "vmImage")],
  ["overridepolicycontainerversion", flag("versions", "overridePolicyContainerVersion")],
  ["platformtype", named(PLATFORM_TYPES, ["platform", "type"], "platform_type")],
  ["infraconfig", group({ flavorname: text("compute", "flavor"), externalnetworkname: externalNetwork })],
  ["trustpolicy", text("policies", "trustPolicy")],
  ["resourcequotas", quotas],
  ["defaultresourcealertthreshold", number("policies", "defaultAlertThreshold")],
  ["allianceorgs", allianceOrganizations],
  ["singlekubernetesclusterowner", text("policies", "singleKubernetesClusterOwner")],
  ["enabledefaultserverlesscluster", flag("policies", "defaultServerlessCluster")],
  ["maintenancestate", maintenance],
  ["timelimits", timeLimits],
  ["kafkacluster", text("kafka", "cluster")],
  ["kafkauser", text("kafka", "user")],
  ["kafkapassword", kafkaPassword],
  ["gpuconfig", gpu],
  ["restagmap", resourceTags],
  ["vmpool", text("vmPool")],
  ["platformhighavailability", flag("crm", "highAvailability")],
  ["notifysrvaddr", text("crm", "notifySrvAddr")],
  ...Object.entries(leftOut(["staticips"], "MobiledgeX does not use it")),
  ...Object.entries(leftOut(["crmoverride"], "it is a wish for one request, not part of a cloudlet")),
  ...Object.entries(leftOut(["deploymentlocal"], "a CRM beside its controller needs no bundle")),
  ...Object.entries(
    leftOut(["flavor"], "it is a flavor of the controller; ours is the IaaS's (infra_config.flavor_name)"),
  ),
  ...Object.entries(
    leftOut(
      ["infraflavors", "edgeboxonly", "crmonedge", "annotations", "zone", "singlekubernetesnamespace"],
      "it came after MobiledgeX, and our spec has no place for it",
    ),
  ),
]);

/** Set by the controller; they tell a state. */
export const BACKEND_FIELDS: ReadonlySet<string> = new Set([
  "fields",
  "errors",
  "status",
  "state",
  "config",
  "chefclientkey",
  "crmaccesspublickey",
  "crmaccesskeyupgraderequired",
  "createdat",
  "updatedat",
  "trustpolicystate",
  "hostcontroller",
  "deleteprepare",
  "secondarycrmaccesspublickey",
  "secondarycrmaccesskeyupgraderequired",
  "secondarynotifysrvaddr",
  "dnslabel",
  "rootlbfqdn",
  "federationconfig",
  "licenseconfigstoragepath",
  "objid",
  "staticrootlbfqdn",
  "dbmodelid",
]);

/** Gives each field of the group at `source` to its handler; others are named. */
export function carryFields(
  fields: JsonObject,
  source: string,
  handlers: ReadonlyMap<string, FieldHandler>,
  carrier: Carrier,
): void {
  const byName = new Map(Object.keys(fields).map((key) => [bare(key), key]));
  for (const [name, handler] of handlers) {
    const key = byName.get(name);
    const value = key === undefined ? undefined : fields[key];
    if (key !== undefined && value !== undefined && value !== null) handler(value, below(source, key), carrier);
  }
  for (const [key, value] of Object.entries(fields)) {
    const pointer = below(source, key);
    if (BACKEND_FIELDS.has(bare(key))) {
      if (!isBlank(value)) {
        say(carrier, "import/backend-field", pointer, `${showKey(key)} is set by the controller; it is left out`);
      }
    } else if (!handlers.has(bare(key))) {
      say(
        carrier,
        "import/unknown-field",
        pointer,
        `MobiledgeX's cloudlet has no ${showKey(key)}; it is not carried over`,
        "check the spelling",
      );
    } else if (byName.get(bare(key)) !== key) {
      say(
        carrier,
        "import/value",
        pointer,
        `${showKey(key)} is given in two spellings; the other one counts`,
        "keep one of the two",
      );
    }
  }
}

function text(...keys: readonly string[]): FieldHandler {
  return (value, source, carrier) => {
    const given = textOf(value);
    if (given === undefined) say(carrier, "import/value", source, `this is no text; ${keys.join(".")} is left out`);
    else if (given !== "") carry(carrier, keys, given, source);
  };
}

function number(...keys: readonly string[]): FieldHandler {
  return (value, source, carrier) => {
    const given = numberOf(value);
    if (given === undefined) say(carrier, "import/value", source, `this is no number; ${keys.join(".")} is left out`);
    // Go writes 0 for a number that nobody set, but 0 is a latitude.
    else if (given !== 0 || keys[0] === "location") carry(carrier, keys, given, source);
  };
}

function flag(...keys: readonly string[]): FieldHandler {
  return (value, source, carrier) => {
    if (value === true || value === "true") carry(carrier, keys, true, source);
    else if (value !== false && value !== "false") {
      say(carrier, "import/value", source, `this is neither true nor false; ${keys.join(".")} is left out`);
    }
  };
}

function named(names: ReadonlyMap<number, string>, keys: string | readonly string[], prefix = ""): FieldHandler {
  const path = typeof keys === "string" ? [keys] : keys;
  return (value, source, carrier) => {
    const name =
      enumOf(value, names, prefix) ?? enumOf(textOf(value)?.replace(/_?access$/i, "") ?? null, names, prefix);
    // A platform that came after MobiledgeX is named as it is.
    const other = path[0] === "platform" && typeof value === "string" && bare(value) !== "" ? bare(value) : undefined;
    if (name === undefined && other === undefined) {
      say(
        carrier,
        "import/value",
        source,
        `${show(value)} is none of ${[...names].map(([key, each]) => `${each} (${key})`).join(", ")}`,
      );
    } else {
      carry(carrier, path, name ?? other ?? "", source);
    }
  };
}

function group(handlers: Readonly<Record<string, FieldHandler>>): FieldHandler {
  const map = new Map(Object.entries(handlers));
  return (value, source, carrier) => {
    const fields = objectOf(value);
    if (fields === undefined) say(carrier, "import/value", source, "this is no group of fields; it is left out");
    else carryFields(fields, source, map, carrier);
  };
}

function leftOut(names: readonly string[], reason: string): Readonly<Record<string, FieldHandler>> {
  const handler: FieldHandler = (value, source, carrier) => {
    if (!isBlank(value)) {
      say(
        carrier,
        "import/not-carried",
        source,
        `${showKey(source.slice(source.lastIndexOf("/") + 1))} is not carried over: ${reason}`,
      );
    }
  };
  return Object.fromEntries(names.map((name) => [name, handler]));
}

function externalNetwork(value: Json, source: string, carrier: Carrier): void {
  const name = textOf(value);
  if (name !== undefined && name !== "") carryToList(carrier, ["networks", "external"], { name }, source);
  else if (name === undefined) say(carrier, "import/value", source, "this is no network's name; it is left out");
}

function quotas(value: Json, source: string, carrier: Carrier): void {
  if (!Array.isArray(value)) return say(carrier, "import/value", source, "this is no list of quotas; it is left out");
  for (const [index, each] of (value as readonly Json[]).entries()) {
    const one: Carrier = { ...carrier, spec: {}, from: new Map() };
    carryFields(
      objectOf(each) ?? {},
      below(source, index),
      new Map([
        ["name", text("name")],
        ["value", number("value")],
        ["alertthreshold", number("alertThreshold")],
      ]),
      one,
    );
    // A quota of 0 is none in MobiledgeX.
    if (one.spec["name"] !== undefined && one.spec["value"] !== undefined) {
      carryToList(carrier, ["policies", "quotas"], one.spec, below(source, index));
    } else {
      say(carrier, "import/not-carried", below(source, index), "a quota without name or value says nothing");
    }
  }
}

function allianceOrganizations(value: Json, source: string, carrier: Carrier): void {
  if (!Array.isArray(value)) {
    return say(carrier, "import/value", source, "this is no list of organizations; it is left out");
  }
  for (const [index, each] of (value as readonly Json[]).entries()) {
    const name = textOf(each);
    if (name === undefined) {
      say(carrier, "import/value", below(source, index), "this is no organization's name; it is left out");
    } else {
      carryToList(carrier, ["policies", "allianceOrganizations"], name, below(source, index));
    }
  }
}

/** The slot is there when there is a user; a password without one opens nothing. */
function kafkaPassword(value: Json, source: string, carrier: Carrier): void {
  if (isBlank(value)) return;
  if (at(carrier.spec, ["kafka", "user"]) !== undefined) {
    carrySecret(carrier, { name: "KAFKA_PASSWORD", isBuiltIn: true }, source);
  } else {
    say(carrier, "import/secret", source, "a Kafka password without a user is left out");
  }
}

function maintenance(value: Json, source: string, carrier: Carrier): void {
  const name = enumOf(value, MAINTENANCE) ?? MAINTENANCE_NAMES.get(bare(textOf(value) ?? ""));
  if (name === undefined) {
    say(
      carrier,
      "import/not-carried",
      source,
      "this state is the controller's; only normal operation and the two starts of maintenance are wishes",
    );
  } else if (name !== "normal") carry(carrier, ["policies", "maintenance"], name, source);
}

function timeLimits(value: Json, source: string, carrier: Carrier): void {
  const names = ["create", "update", "delete"].flatMap((verb) =>
    ["ClusterInst", "AppInst"].map((what) => `${verb}${what}`),
  );
  const limit =
    (name: string): FieldHandler =>
    (given, pointer) => {
      const seconds = secondsOf(given);
      if (seconds === undefined) say(carrier, "import/value", pointer, `${show(given)} is no duration; it is left out`);
      else if (seconds > 0) carry(carrier, ["policies", "timeLimits", name], seconds, pointer);
    };
  group(Object.fromEntries(names.map((name) => [`${name.toLowerCase()}timeout`, limit(name)])))(value, source, carrier);
}

function gpu(value: Json, source: string, carrier: Carrier): void {
  if (isBlank(value)) return;
  const secret: FieldHandler = (given, pointer) => {
    if (!isBlank(given)) {
      say(
        carrier,
        "import/secret",
        pointer,
        "the licence configuration is a secret, which stays with the controller; it is left out",
      );
    }
  };
  const properties: FieldHandler = (given, pointer) => {
    for (const [name, each] of Object.entries(objectOf(given) ?? {})) {
      carry(carrier, ["gpu", "properties", name], textOf(each) ?? "", below(pointer, name));
    }
  };
  group({
    driver: group({ name: text("gpu", "driver", "name"), organization: text("gpu", "driver", "organization") }),
    properties,
    licenseconfig: secret,
    licenseconfigmd5sum: text("gpu", "licenseConfigMd5"),
  })(value, source, carrier);
}

function resourceTags(value: Json, source: string, carrier: Carrier): void {
  for (const [kind, table] of Object.entries(objectOf(value) ?? {})) {
    const pointer = below(source, kind);
    if (!["gpu", "nas", "nic"].includes(kind)) {
      say(
        carrier,
        "import/not-carried",
        pointer,
        `there are resource tag tables for gpu, nas and nic, not for ${showKey(kind)}`,
      );
    } else
      group({ name: text("resourceTags", kind, "name"), organization: text("resourceTags", kind, "organization") })(
        table,
        pointer,
        carrier,
      );
  }
}
