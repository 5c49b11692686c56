/** `env_var` and `access_vars`: to the fields that are made for them, to the CRM's variables, to secret slots. */

import type { Json, JsonObject } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import { nearest } from "../nearest.ts";
import { variablesOf } from "../property-schema.ts";
import { show, showKey } from "../show.ts";
import type { Carrier } from "./carrier.ts";
import { at, carry, carrySecret, carryToList, say } from "./carrier.ts";
import { objectOf, textOf } from "./source-values.ts";
import { carryVmwareVariables } from "./vmware-variables.ts";

/** Every access variable becomes a secret slot, its value left out. */
export function carryAccessVariables(value: Json, source: string, carrier: Carrier): void {
  for (const name of Object.keys(objectOf(value) ?? {})) carrySecretVariable(name, below(source, name), carrier);
}

export function carryVariables(value: Json, source: string, carrier: Carrier): void {
  const given = objectOf(value);
  if (given === undefined) return say(carrier, "import/value", source, "this is no group of variables; it is left out");
  const scheme = schemeOf(textOf(given["MEX_NETWORK_SCHEME"]) ?? "");
  // The external network is carried first: the additional ones come after it.
  const names = Object.keys(given).sort((a, b) => rank(a) - rank(b));
  const done = carryVmwareVariables(given, source, carrier, platformOf(carrier));
  for (const name of names) {
    if (done.has(name)) continue;
    const text = textOf(given[name]);
    const pointer = below(source, name);
    if (text === undefined) say(carrier, "import/value", pointer, "this is no text; the variable is left out");
    else if (text !== "") carryVariable(name, text, pointer, carrier, scheme);
  }
  if (scheme.size > 0) carryScheme(scheme, below(source, "MEX_NETWORK_SCHEME"), carrier);
}

function rank(name: string): number {
  return name === "MEX_EXT_NETWORK" ? 0 : name === "MEX_ADDITIONAL_PLATFORM_NETWORKS" ? 1 : 2;
}

function carryVariable(
  name: string,
  text: string,
  source: string,
  carrier: Carrier,
  scheme: ReadonlyMap<string, string>,
): void {
  const platform = platformOf(carrier);
  switch (name) {
    case "MEX_DNS":
      return list(text).forEach((each) => carryToList(carrier, ["networks", "dns"], each, source));
    case "MEX_NTP_SERVERS":
      return list(text).forEach((each) => carryToList(carrier, ["networks", "ntp"], each, source));
    case "MEX_ADDITIONAL_PLATFORM_NETWORKS":
      return list(text).forEach((each) =>
        carryToList(carrier, ["networks", "external"], { name: each, purpose: "internet" }, source),
      );
    case "MEX_EXT_NETWORK":
      return carryExternal(text, source, carrier);
    case "MEX_NETWORK":
      if (scheme.get("commoninternalnet") === undefined) return carry(carrier, ["environment", name], text, source);
      return carry(
        carrier,
        ["networks", "internal"],
        { name: text, cidr: scheme.get("commoninternalnet") ?? "" },
        source,
      );
    case "MEX_COMPUTE_AVAILABILITY_ZONE":
      return platform === "openstack"
        ? carry(carrier, ["platform", "parameters", "availabilityZone"], text, source)
        : carryPlain(name, text, source, carrier);
    case "MEX_CLOUDLET_FIREWALL_WHITELIST_EGRESS":
      return carryWhitelist("egress", name, text, source, carrier);
    case "MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS":
      return carryWhitelist("ingress", name, text, source, carrier);
    default:
      return carryPlain(name, text, source, carrier);
  }
}

function carryPlain(name: string, text: string, source: string, carrier: Carrier): void {
  const known = variablesOf(platformOf(carrier));
  const variable = known.get(name);
  if (variable?.secret === true) return carrySecretVariable(name, source, carrier);
  if (variable?.internal === true) {
    return say(carrier, "import/not-carried", source, `${name} is set by the platform itself`);
  }
  if (variable !== undefined) return carry(carrier, ["environment", name], text, source);
  const near = nearest(name, [...known.keys()]);
  say(
    carrier,
    "import/not-carried",
    source,
    `${platformOf(carrier) || "this platform"} knows no variable ${showKey(name)}; it is left out`,
    near === undefined ? undefined : `is ${near} meant?`,
  );
}

function carrySecretVariable(name: string, source: string, carrier: Carrier): void {
  const known = variablesOf(platformOf(carrier)).get(name);
  if (known === undefined) {
    return say(
      carrier,
      "import/secret",
      source,
      `${platformOf(carrier) || "this platform"} knows no access variable ${showKey(name)}; it is left out, with its value`,
    );
  }
  carrySecret(carrier, { name, description: known.description }, source);
}

/** `MEX_EXT_NETWORK` and `infra_config.external_network_name` say the same; the latter counts. */
function carryExternal(name: string, source: string, carrier: Carrier): void {
  const first = objectOf(at(carrier.spec, ["networks", "external", "0"]));
  if (first === undefined) return carryToList(carrier, ["networks", "external"], { name }, source);
  if (first["name"] !== name) {
    say(
      carrier,
      "import/not-carried",
      source,
      `the external network is ${show(first["name"])} by infra_config already`,
    );
  }
}

/** `key=value` pairs separated by commas. */
function schemeOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    list(text).flatMap((pair) => {
      const [key, value] = pair.split("=").map((each) => each.trim());
      return key === undefined || value === undefined || value === "" ? [] : [[key.toLowerCase(), value] as const];
    }),
  );
}

/** The scheme stays a variable of the CRM, too: its clusters' networks follow it. */
function carryScheme(scheme: ReadonlyMap<string, string>, source: string, carrier: Carrier): void {
  const external = at(carrier.spec, ["networks", "external"]);
  const networks = Array.isArray(external) ? (external as readonly JsonObject[]) : [];
  const inner = scheme.get("floatingipnet");
  const vnicType = scheme.get("vnictype");
  const [first, ...others] = networks;
  const moved =
    inner === undefined || first === undefined
      ? first
      : {
          ...first,
          name: inner,
          address: { mode: "floating", pool: scheme.get("floatingipextnet") ?? String(first["name"]) },
        };
  if (inner !== undefined && first === undefined) {
    say(
      carrier,
      "import/missing",
      source,
      "floatingipnet needs the external network that floating IPs come from",
      "give infra_config.external_network_name",
    );
  }
  if (moved === undefined) return;
  const all = [moved, ...others].map((each): JsonObject => (vnicType === undefined ? each : { ...each, vnicType }));
  const origin = carrier.from.get("/networks/external/0") ?? source;
  carry(carrier, ["networks", "external"], all, source);
  carrier.from.delete("/networks/external");
  carrier.from.set("/networks/external/0", inner === undefined ? origin : source);
}

/** `protocol=tcp,portrange=a:b,remotecidr=c;…`. The list stays a variable, too: the CRM opens its clusters by it. */
function carryWhitelist(
  direction: "egress" | "ingress",
  name: string,
  text: string,
  source: string,
  carrier: Carrier,
): void {
  carryPlain(name, text, source, carrier);
  const all = text
    .split(";")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  if (all.length > MOST_RULES) {
    return say(
      carrier,
      "import/value",
      source,
      `the list has ${all.length} rules; the PlatformVM's firewall takes ${MOST_RULES} and goes without them`,
    );
  }
  for (const [index, entry] of all.entries()) {
    const pairs = schemeOf(entry);
    const ports = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(pairs.get("portrange") ?? "");
    const rule: JsonObject = {
      protocol: pairs.get("protocol") ?? "",
      ...(ports === null || pairs.get("protocol") === "icmp"
        ? {}
        : { ports: { from: Number(ports[1]), to: Number(ports[2] ?? ports[1]) } }),
      cidr: pairs.get("remotecidr") ?? "0.0.0.0/0",
    };
    const unknown = [...pairs.keys()].filter((key) => !["protocol", "portrange", "remotecidr"].includes(key));
    if (unknown.length > 0 || (pairs.has("portrange") && ports === null)) {
      say(
        carrier,
        "import/value",
        source,
        `rule ${index + 1} of the list (${show(entry)}) can't be read; the PlatformVM's firewall goes without it`,
      );
    } else {
      carryToList(carrier, ["firewall", direction], rule, source);
    }
  }
}

/** `maxItems` of the spec's schema. */
const MOST_RULES = 64;

function list(text: string): readonly string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function platformOf(carrier: Carrier): string {
  const type = at(carrier.spec, ["platform", "type"]);
  return typeof type === "string" ? type : "";
}
