/** Two PlatformVMs: what is mandatory, what is too much, and where the second one's address may lie. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { canonicalJson } from "../../../src/core/json.ts";
import type { Json } from "../../../src/core/json.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";

const golden = readFileSync(join(import.meta.dirname, "../../golden/high-availability/spec.yaml"), "utf8");

function issues(text: string): readonly string[] {
  return readSpec(text, { platforms: ["openstack"] }).issues.map((issue) => `${issue.code} ${issue.pointer}`);
}

function changed(from: string, to: string): string {
  if (!golden.includes(from)) throw new Error(`the golden spec has no ${from}`);
  return golden.replace(from, to);
}

t.test("what two need, and one must not have", (t) => {
  t.strictSame(issues(golden), []);
  t.strictSame(issues(changed("  redisAddress: 192.0.2.79:6379\n", "")), ["spec/high-availability /crm"]);
  t.strictSame(issues(changed("secondaryIp: 203.0.113.11, ", "")), ["spec/high-availability /networks/external/0/address"]);
  t.strictSame(issues(changed("highAvailability: true", "highAvailability: false")), [
    "spec/high-availability /networks/external/0/address/secondaryIp",
    "spec/high-availability /networks/external/1/address/secondaryFloatingIpId",
    "spec/high-availability /crm/redisAddress",
  ]);
  t.strictSame(issues(changed("highAvailability: true", "highAvailability: maybe")), ["schema/type /crm/highAvailability"]);
  t.end();
});

t.test("the second address", (t) => {
  const at = "/networks/external/0/address/secondaryIp";
  const second = (ip: string): readonly string[] => issues(changed("secondaryIp: 203.0.113.11", `secondaryIp: ${ip}`));
  t.strictSame(second("203.0.113.10"), [`spec/address-taken ${at}`], "the first one's");
  t.strictSame(second("203.0.114.11"), [`spec/address ${at}`], "of another network");
  t.strictSame(second("203.0.113.255"), [`spec/address ${at}`], "broadcast");
  t.strictSame(second('"2001:db8::11"'), [`spec/address ${at}`], "of another family");
  const pool = "pool: public, floatingIpId: 5f2c7f0e-6b7d-4f6e-9a55-0f5b6a3c9d11";
  t.strictSame(issues(changed("pool: public", pool)), ["spec/address-taken /networks/external/1/address/secondaryFloatingIpId"]);
  t.strictSame(issues(changed("prefix: 24}", "prefix: 24, gateway: 203.0.113.11}")), [`spec/address ${at}`], "the gateway's");
  t.end();
});

t.test("two access keys, which a normalised spec may write out, and one PlatformVM may not have", (t) => {
  const outcome = readSpec(golden, { platforms: ["openstack"] });
  if (!outcome.ok) throw new Error("the golden spec is not valid");
  const { spec, digest } = outcome.value;
  t.strictSame(spec.secrets.map((slot) => slot.name), ["ACCESS_KEY", "ACCESS_KEY_SECONDARY", "DB_PASSWORD"]);
  const again = readSpec(canonicalJson(spec as unknown as Json), { platforms: ["openstack"] });
  t.ok(again.ok && again.value.digest === digest, "a normalised spec reads as itself");
  const single = readFileSync(join(import.meta.dirname, "../../golden/minimal/spec.yaml"), "utf8");
  t.strictSame(issues(`${single}secrets: [{name: ACCESS_KEY_SECONDARY}]\n`), ["spec/high-availability /secrets/0/name"]);
  t.end();
});
