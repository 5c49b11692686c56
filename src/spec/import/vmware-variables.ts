/** `env_var` of vSphere and vCloud Director: the variables for which our spec has fields (mobiledgex 5.3). */

import type { Json, JsonObject } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import { formatIp } from "../ip.ts";
import { parseRange } from "../ip-range.ts";
import type { Carrier } from "./carrier.ts";
import { at, carry, carryToList } from "./carrier.ts";
import { textOf } from "./source-values.ts";

/** Variables whose value becomes one parameter. */
const parameters: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  vsphere: {
    MEX_DATASTORE: ["datastore"],
    MEX_COMPUTE_CLUSTER: ["cluster"],
    MEX_TEMPLATE_FOLDER: ["templateFolder"],
    MEX_VM_VERSION: ["version"],
    MEX_MANAGEMENT_DATASTORE: ["management", "datastore"],
    MEX_MANAGEMENT_CLUSTER: ["management", "cluster"],
  },
  vcd: { MEX_CATALOG: ["catalog"], VCD_NSX_TYPE: ["nsxType"] },
};

/** Carries what it can; gives the names of the variables that are done with it. */
export function carryVmwareVariables(given: JsonObject, source: string, carrier: Carrier, platform: string): ReadonlySet<string> {
  const done = new Set<string>();
  for (const [name, keys] of Object.entries(parameters[platform] ?? {})) {
    const text = textOf(given[name] ?? null);
    if (text === undefined || text === "" || done.has(name)) continue;
    carry(carrier, ["platform", "parameters", ...keys], text, below(source, name));
    done.add(name);
  }
  if (platform !== "vsphere") return done;
  const external = switchOf(given, "MEX_EXTERNAL");
  if (external !== undefined) {
    carryExternalSwitch(external, source, carrier);
    for (const name of external.names) done.add(name);
  }
  const management = switchOf(given, "MEX_MANAGEMENT_EXTERNAL");
  if (management !== undefined) {
    // In MobiledgeX's own the PlatformVM is there alone; the controllers are reached through it.
    const network = { name: management.name, purpose: "management", address: management.address, defaultRoute: true };
    carryToList(carrier, ["networks", "external"], network, below(source, "MEX_MANAGEMENT_EXTERNAL_VSWITCH"));
    for (const name of management.names) done.add(name);
  }
  return done;
}

interface Switch {
  readonly name: string;
  readonly address: JsonObject;
  /** Of the variables that say it. */
  readonly names: readonly string[];
}

/** Undefined unless switch, ranges and mask are there and can be read: then they stay variables, for reading the spec to judge. */
function switchOf(given: JsonObject, prefix: string): Switch | undefined {
  const text = (name: string): string | undefined => textOf(given[`${prefix}_${name}`] ?? null) || undefined;
  const name = text("VSWITCH");
  const ranges = (text("IP_RANGES") ?? "").split(",").map(rangeOf);
  const prefixLength = Number(text("NETWORK_MASK"));
  const gateway = text("NETWORK_GATEWAY");
  if (name === undefined || ranges.includes(undefined) || !Number.isInteger(prefixLength)) return undefined;
  return {
    name,
    address: { mode: "range", ranges: ranges as readonly string[], prefix: prefixLength, ...(gateway === undefined ? {} : { gateway }) },
    names: ["VSWITCH", "IP_RANGES", "NETWORK_MASK", "NETWORK_GATEWAY"].map((word) => `${prefix}_${word}`),
  };
}

/** `StartCIDR-EndCIDR`; the prefix is told by the mask. */
function rangeOf(text: string): string | undefined {
  const range = parseRange(text.trim().replace(/\/\d{1,3}(?=-|$)/g, ""));
  if (range === undefined) return undefined;
  const [first, last] = [formatIp(range.first), formatIp(range.last)];
  return first === last ? first : `${first}-${last}`;
}

/** `infra_config.external_network_name` names the network already where access is Restricted; the switch is what it is called in vCenter. */
function carryExternalSwitch({ name, address }: Switch, source: string, carrier: Carrier): void {
  const at0 = below(source, "MEX_EXTERNAL_VSWITCH");
  const external = at(carrier.spec, ["networks", "external"]);
  const [first, ...others] = Array.isArray(external) ? (external as readonly JsonObject[]) : [];
  if (first === undefined) return carryToList(carrier, ["networks", "external"], { name, address }, at0);
  const known = String(first["name"]);
  if (known !== name) carry(carrier, ["platform", "parameters", "networks"], { [known]: { portGroup: name } }, at0);
  const origin = carrier.from.get("/networks/external/0") ?? at0;
  carry(carrier, ["networks", "external"], [{ ...first, address }, ...others] satisfies Json, below(source, "MEX_EXTERNAL_IP_RANGES"));
  carrier.from.delete("/networks/external");
  carrier.from.set("/networks/external/0", origin);
}
