/** The API's description is valid OpenAPI 3.1 by the schema that the OpenAPI Initiative has published, with a provider and without. */

import { Validator } from "@seriousme/openapi-schema-validator";
import t from "tap";
import { readOidcConfig } from "../../../src/service/oidc/read-config.ts";
import { startService } from "./running.ts";

const read = readOidcConfig(`apiVersion: cloudlet-bundle/v1
kind: OpenIdConnect
issuers:
  - {issuer: https://id.example.com, audience: x, rules: [{claim: a, value: b, platformRole: admin}]}
  - {issuer: https://other.example.com, audience: x, keysUrl: https://other.example.com/keys, rules: [{claim: a, value: b, platformRole: admin}]}
`);
if (!read.ok) throw new Error(JSON.stringify(read.issues));
const never = (): Promise<never> => Promise.reject(new Error("nobody is asked"));

for (const [what, oidc] of [["as it is", undefined], ["with providers", { config: read.value, send: never }]] as const) {
  t.test(what, async (t) => {
    const { ask } = await startService(t, { oidc });
    const document = (await ask("GET", "/v1/openapi.json")).json;
    const validator = new Validator();
    t.match(await validator.validate(structuredClone(document)), { valid: true });
    t.equal(validator.version, "3.1");
    t.match(await new Validator().validate({ ...structuredClone(document), info: {} }), { valid: false }, "and not everything is");
    t.notMatch(JSON.stringify(document), /"\$ref":"(?!#\/components\/)/, "every reference is one that any reader finds");
    const broken = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map((match) => match[1] ?? "").filter((pointer) => at(document, pointer) === undefined);
    t.strictSame(broken, [], "and leads somewhere");
    const ids = Object.values(document["paths"] as object).flatMap((methods: object) => Object.values(methods).map((each: { readonly operationId?: string }) => each.operationId));
    t.equal(new Set(ids).size, ids.length, "each operation has a name of its own");
  });
}

function at(document: unknown, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}
