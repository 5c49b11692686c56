/** Any JSON to any of MobiledgeX's calls: nothing may be the service's own fault, and no cloudlet of elsewhere may show. */

import fc from "fast-check";
import t from "tap";
import { cloudletFields, type Field } from "../../../src/service/mc/fields.ts";
import { call, smallest } from "../../unit/service/mc-running.ts";
import { addOrganization, startService } from "../../unit/service/running.ts";

const hostile = ["", "\u0000", "../../etc/passwd", "'; drop table users; --", "\ud800", "\u202e", "a".repeat(600), "constructor", "hasOwnProperty", "toString", "-1", "1e309", "NaN", "null", "*", '"', "${HOME}", "<b>", "\u2028", "\u0085", "!!js/function", "&a [*a]"];
const scalar = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary", maxLength: 20 }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom("ExampleTel", "Secret", "EU", "berlin-1", "PlatformTypeOpenstack", "RestrictedAccess", "provider", "5.1", "30m0s", 0, 1, 2, 5, 7, 9, 11));
const wild = fc.oneof({ weight: 3, arbitrary: scalar }, fc.jsonValue({ maxDepth: 3 }));
const variables = fc.dictionary(fc.oneof(fc.constantFrom("MEX_DNS", "MEX_NETWORK_SCHEME", "MEX_EXT_NETWORK", "MEX_EXTERNAL_IP_RANGES", "MEX_EXTERNAL_VSWITCH", "MEX_EXTERNAL_NETWORK_MASK", "MEX_ADDITIONAL_PLATFORM_NETWORKS", "MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS", "OPENRC_DATA", "VCD_NSX_TYPE", "__proto", "constructor"), fc.string({ maxLength: 10 })), wild, { maxKeys: 4 });

function near(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(fields.map((field) => {
    const value: fc.Arbitrary<unknown> = field.kind === "group" ? near(field.fields) : field.kind === "map" ? variables : field.kind === "list" ? fc.array(wild, { maxLength: 3 }) : scalar;
    const spelling = field.number % 2 === 0 ? field.name : field.name.replaceAll("_", "");
    return [spelling, fc.oneof({ weight: 6, arbitrary: value }, wild)] as const;
  })), { requiredKeys: [] });
}

/** Many are nearly right, so that they get far. */
const cloudlet = fc.oneof(
  { weight: 2, arbitrary: near(cloudletFields) },
  { weight: 3, arbitrary: fc.tuple(near(cloudletFields), fc.subarray(cloudletFields.map(({ name }) => name), { maxLength: 3 })).map(([all, some]) => ({ ...smallest, ...Object.fromEntries(some.flatMap((name) => (name in all ? [[name, all[name]]] : []))) })) },
  wild,
);
const body = fc.oneof(
  { weight: 8, arbitrary: fc.record({ Region: fc.oneof({ weight: 5, arbitrary: fc.constant("EU") }, wild), Cloudlet: cloudlet, CloudletKey: fc.oneof(fc.constant(smallest.key), near(cloudletFields.find(({ name }) => name === "key")?.fields ?? []), wild), CloudletProps: wild, CloudletResourceQuotaProps: wild }, { requiredKeys: ["Region"] }) },
  wild,
);

const calls = ["CreateCloudlet", "UpdateCloudlet", "DeleteCloudlet", "ShowCloudlet", "GetCloudletManifest", "GetCloudletProps", "GetCloudletResourceQuotaProps", "GenerateAccessKey", "RevokeAccessKey"];

t.test("no answer is 5xx, and nothing of another organization is in one", async (t) => {
  const running = await startService(t);
  const { admin, person, log } = running;
  for (const name of ["ExampleTel", "Secret"]) await addOrganization(running, name);
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: { ...smallest, key: { organization: "Secret", name: "hidden-1" }, physical_name: "xyzzy" } });
  const manager = await person("manager", { organization: "ExampleTel", role: "manager" });
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...calls), body, async (name, given) => {
      const text = JSON.stringify(given)?.toWellFormed() ?? "null";
      const answer = await running.ask("POST", `/api/v1/auth/ctrl/${name}`, { token: manager, body: text, headers: { "content-type": "application/json" } });
      const kind = `${name} ${answer.status >= 400 ? "refused" : answer.text.includes('"result"') ? "ended badly" : "good"}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (answer.status >= 500) throw new Error(`${name} ${answer.status}: ${log.filter((line) => line.includes('"defect"')).at(-1) ?? answer.text}`);
      if (answer.text.includes("xyzzy")) throw new Error(`${name}: ${answer.text}`);
    }),
    { numRuns: 700, seed: 20261130, endOnFailure: true },
  );
  for (const kind of ["CreateCloudlet good", "CreateCloudlet refused", "CreateCloudlet ended badly", "UpdateCloudlet refused", "ShowCloudlet good", "ShowCloudlet refused", "RevokeAccessKey refused"]) t.ok((seen.get(kind) ?? 0) > 0, `${kind}: ${seen.get(kind) ?? 0}`);
  for (const bad of ["", "{", "[", "nul", '{"a":1}x', '{"__proto__":{}}']) {
    const answer = await running.ask("POST", "/api/v1/auth/ctrl/ShowCloudlet", { token: manager, body: bad, headers: { "content-type": "application/json" } });
    t.equal(answer.status, 400, bad);
  }
  t.equal((await running.ask("POST", "/api/v1/auth/ctrl/ShowCloudlet", { token: manager, body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded" } })).status, 415);
  t.equal((await running.ask("POST", "/api/v1/auth/ctrl/ShowCloudlet", { token: manager, json: { a: "x".repeat(70_000) } })).status, 413);
  // The most that a body may hold of what an import looks at longest.
  const most = (make: (index: number) => unknown): unknown[] => Array.from({ length: 1_500 }, (_, index) => make(index));
  for (const large of [
    { env_var: Object.fromEntries(most((index) => [`MEX_ROUTER_${index}`, "x"]) as [string, string][]) },
    { access_vars: Object.fromEntries(most((index) => [`OS_${index}`, "x"]) as [string, string][]) },
    { alliance_orgs: most(() => "A") }, { resource_quotas: most(() => ({ name: "RAM", value: 1 })) }, { fields: most(() => "19.1") },
    { env_var: { MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS: most(() => "protocol=tcp,portrange=1:2").join(";"), MEX_ADDITIONAL_PLATFORM_NETWORKS: most((index) => `n${index}`).join(",") } },
  ]) {
    for (const name of ["CreateCloudlet", "UpdateCloudlet", "ShowCloudlet"]) {
      const begin = performance.now();
      const { status, text } = await call(running, manager, name, { Region: "EU", Cloudlet: { ...smallest, ...large } });
      const ms = Math.round(performance.now() - begin);
      t.ok(ms < 3_000, `${name} ${Object.keys(large).join()}: ${status} after ${ms} ms, ${text.length} characters`);
    }
  }
  t.equal((await running.ask("GET", "/api/v1/auth/ctrl/ShowCloudlet", { token: manager })).status, 405);
  t.equal((await running.ask("POST", "/api/v1/auth/ctrl/ShowAlert", { token: manager, json: {} })).status, 404);
  t.strictSame(log.filter((line) => /"defect"/.test(line)), []);
});
