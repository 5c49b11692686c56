/** Calls of MobiledgeX's clients, for tests. */

import type { JsonObject } from "../../../src/core/json.ts";
import type { Answer, Running } from "./running.ts";

export interface Called extends Answer {
  /** Of each line of the answer. */
  readonly lines: readonly JsonObject[];
  /** What a streamed answer says, one after another. */
  readonly messages: readonly string[];
  /** Of `{"result": …}`, the last line where it ended badly, or of a refusal before the first line. */
  readonly refusal: string | undefined;
}

/** The smallest that MobiledgeX's controller takes for Restricted access on OpenStack. */
export const smallest = {
  key: { organization: "ExampleTel", name: "berlin-1" },
  location: { latitude: 52.52, longitude: 13.405 },
  num_dynamic_ips: 8,
  platform_type: 2,
  infra_api_access: 1,
  infra_config: { flavor_name: "m4.medium", external_network_name: "provider" },
};

export const key = { Region: "EU", CloudletKey: smallest.key };

export async function call({ ask }: Running, token: string | undefined, name: string, body: unknown): Promise<Called> {
  const answer = await ask("POST", `/api/v1/auth/ctrl/${name}`, { token, json: body });
  const lines = answer.text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as JsonObject);
  const messages = lines.flatMap(({ data }) => {
    const message = (data as JsonObject | undefined)?.["message"];
    return typeof message === "string" ? [message] : [];
  });
  const result = lines.at(-1)?.["result"] as JsonObject | undefined;
  const refusal = result?.["message"] ?? (answer.status >= 400 ? lines[0]?.["message"] : undefined);
  return { ...answer, lines, messages, refusal: refusal === undefined ? undefined : String(refusal) };
}

export async function show(running: Running, token: string, cloudlet: object = {}): Promise<readonly JsonObject[]> {
  return (await call(running, token, "ShowCloudlet", { Region: "EU", Cloudlet: cloudlet })).lines.map(({ data }) => data as JsonObject);
}
