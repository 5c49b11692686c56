/** What GetCloudletProps and GetCloudletResourceQuotaProps answer of a platform. */

import type { Json, JsonObject } from "../../core/json.ts";
import { quotaNames } from "../../spec/rules/policies.ts";
import { variablesOf } from "../../spec/property-schema.ts";
import { platformTypeOf } from "./enums.ts";

/** The variables that `env_var` takes; access variables are none of them. */
export function propertiesOf(platform: string, organization: string): JsonObject {
  const variables = [...variablesOf(platform).values()].filter(({ group }) => group === "environment");
  const properties = variables.map(({ name, description, default: value, secret, mandatory, internal }): readonly [string, Json] => [
    name,
    { name, description, ...(value === undefined ? {} : { value }), ...(secret ? { secret } : {}), ...(mandatory ? { mandatory } : {}), ...(internal ? { internal } : {}) },
  ]);
  return { platform_type: platformTypeOf(platform), properties: Object.fromEntries(properties.sort(([a], [b]) => (a < b ? -1 : 1))), ...(organization === "" ? {} : { organization }) };
}

const descriptions: Readonly<Record<string, string>> = {
  RAM: "Limit on RAM available (MB)",
  vCPUs: "Limit on vCPUs available",
  Disk: "Limit on disk available (GB)",
  GPUs: "Limit on GPUs available",
  "External IPs": "Limit on external IPs available",
  Instances: "Limit on number of instances that can be provisioned",
  "Floating IPs": "Limit on number of floating IPs that can be created",
};

export function quotaPropertiesOf(platform: string, organization: string): JsonObject {
  return {
    platform_type: platformTypeOf(platform),
    properties: quotaNames(platform).map((name) => ({ name, description: descriptions[name] ?? name })),
    ...(organization === "" ? {} : { organization }),
  };
}
