/** Every operation of the description, with hostile values in every place: nothing may be the service's own fault. */

import fc from "fast-check";
import t from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease, type Method } from "./running.ts";

interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
}

const hostile = ["", "\u0000", "../../etc/passwd", "'; drop table users; --", "%00", "\ud800", "ÿ\u202e", "a".repeat(600), "__proto__", "constructor", "-1", "1e309", "NaN", "null", "*", '"', "bytes=0-0", "W/\"x\""];
const text = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary", maxLength: 40 }));

/** A value near the schema: right, almost right, or something else altogether. */
function near(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const wild = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...known));
  if (schema.enum !== undefined) return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...schema.enum) }, wild);
  switch (schema.type) {
    case "object":
      return fc.oneof({ weight: 5, arbitrary: fc.record(Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, each]) => [name, near(each, known)])), { requiredKeys: [] }) }, wild);
    case "array":
      return fc.oneof({ weight: 3, arbitrary: fc.array(near(schema.items ?? {}, known), { maxLength: 4 }) }, wild);
    case "integer":
      return fc.oneof(fc.integer(), fc.double(), wild);
    case "boolean":
      return fc.oneof(fc.boolean(), wild);
    default:
      return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...known) }, wild);
  }
}

t.test("no answer is 5xx, and each is as it is described", async (t) => {
  const running = await startService(t);
  const { ask, admin, person, service, log } = running;
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const release = await uploadRelease(running);
  const bundle = String((await bundleOf(running, admin, cloudlet, release))["id"]);
  const contributor = await person("conny", { organization: "ExampleTel", role: "contributor" });
  const known = [cloudlet, release, bundle, "ExampleTel", "conny", "SHA256SUMS", "evidence/report.json", service.context.signer.fingerprint, "1", "200", "EU"];
  const { paths } = JSON.parse(JSON.stringify(service.app.swagger())) as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
  const seen = new Map<number, number>();
  let operations = 0;
  for (const [template, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operations += 1;
      const parameters = operation.parameters ?? [];
      const [type = "application/json", body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
      const values = fc.record({
        path: fc.tuple(...parameters.filter((each) => each.in === "path").map(() => fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...known) }, text))),
        query: fc.record(Object.fromEntries(parameters.filter((each) => each.in === "query").map(({ name }) => [name, fc.oneof(fc.constantFrom(...known), text)])), { requiredKeys: [] }),
        headers: fc.record(Object.fromEntries(parameters.filter((each) => each.in === "header").map(({ name }) => [name, fc.oneof(fc.constantFrom("*", '"x"', "bytes=1-2", "bytes=-5", "bytes=999999999-", "3"), fc.string({ maxLength: 20 }))])), { requiredKeys: [] }),
        body: body === undefined ? fc.constant(undefined) : fc.oneof({ weight: 4, arbitrary: near(body.schema, known).map((value) => JSON.stringify(value)) }, text, fc.constantFrom(specOf("fuzz"), "{", "a: &a [*a]", "\ufeff{}")),
        token: fc.constantFrom(admin, admin, contributor, undefined, "x"),
      });
      await fc.assert(
        fc.asyncProperty(values, async (given) => {
          // What would end the run's own session, or lock the administrator out, is tried without leave.
          const token = /sessions\/current|me\/password|users/.test(template) && method !== "get" && given.token === admin ? contributor : given.token;
          if (/sessions\/current/.test(template) && token === contributor) return;
          let index = 0;
          const path = template.replace(/\{\w+\}/g, () => encode(given.path[index++] ?? "x"));
          const query = new URLSearchParams(Object.entries(given.query).map(([name, value]): [string, string] => [name, String(value).toWellFormed()])).toString();
          const answer = await ask(method.toUpperCase() as Method, query === "" ? path : `${path}?${query}`, {
            token, ...(given.body === undefined ? {} : { body: given.body.toWellFormed() }), address: `192.0.2.${Math.floor(Math.random() * 200)}`,
            headers: { ...(given.body === undefined ? {} : { "content-type": type }), ...Object.fromEntries(Object.entries(given.headers).map(([name, value]) => [name, String(value).replace(/[^\t\x20-\x7e]/g, "?")])) },
          });
          seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
          if (answer.status >= 500) throw new Error(`${method} ${path}?${query} ${answer.status}\n${given.body ?? ""}\n${log.filter((line) => /defect/.test(line)).at(-1) ?? answer.text}`);
        }),
        { numRuns: 25, seed: 20261130, endOnFailure: true },
      );
    }
  }
  t.ok(operations > 50, `${operations} operations`);
  for (const status of [200, 204, 400, 401, 403, 404, 422]) t.ok((seen.get(status) ?? 0) > 0, `${status}: ${seen.get(status) ?? 0} times`);
  t.strictSame(log.filter((line) => /"defect"/.test(line)), []);
  t.equal((await ask("GET", "/v1/health")).status, 200, "and it still runs");
});

/** In a path; of a lone surrogate there is no UTF-8. */
function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed()) || "x";
}
