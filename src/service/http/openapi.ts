/** /v1/openapi.json: the API's description, OpenAPI 3.1, made of the schemas that requests are checked with. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import swagger from "@fastify/swagger";
import type { RouteOptions } from "fastify";
import type { Context } from "../context.ts";
import type { OidcConfig } from "../oidc/config.ts";
import type { App } from "./app.ts";
import { typesOf } from "./document-body.ts";
import type { Schema } from "./schemas.ts";

/** Documents that people write, by their name in the description and their file in `schemas/`. */
const documents = { Cloudlet: "cloudlet.schema.json", Release: "release.schema.json", Lock: "lock.schema.json" } as const;

/** Must come before the routes, so that it hears of each. */
export async function describeApi(app: App, { packageFolder, version, oidc }: Context): Promise<void> {
  const schemas = Object.fromEntries(Object.entries(documents).map(([name, file]) => [name, placed(readFileSync(join(packageFolder, "schemas", file), "utf8"), name)]));
  const providers = oidc === undefined ? [] : providerSchemes(oidc.config);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "cloudlet-bundle", version, description: "Bundles on request." },
      components: {
        securitySchemes: { [ownToken]: { type: "http", scheme: "bearer", description: "Of a session, or an API token." }, ...Object.fromEntries(providers) },
        // OpenAPI 3.1 takes JSON Schema 2020-12 as it is; the types of the library know 3.0 alone.
        schemas: {
          ...schemas,
          Receipt: { type: "object", description: "receipt.json as install.sh writes it." },
          MobiledgexCloudlet: { type: ["object", "array"], description: "A cloudlet object of MobiledgeX: an mcctl data file or a REST body." },
        } as never,
      },
      security: [ownToken, ...providers.map(([name]) => name)].map((name) => ({ [name]: [] })),
    },
    refResolver: { buildLocalReference: (json, _, __, index) => (typeof json["$id"] === "string" ? json["$id"] : `schema-${index}`) },
    convertConstToEnum: false,
    exposeHeadRoutes: true,
    transform: ({ schema, url, route }) => ({ schema: demanding(named(withDocument(schema ?? {}, route))), url: url.replace("*", ":path") }),
  });
  let text: string | undefined;
  app.get("/v1/openapi.json", {
    config: { open: true },
    schema: { operationId: "describe", summary: "This description.", tags: ["service"], security: [], response: { 200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } } } },
  }, async (_, reply) => reply.type("application/json").send((text ??= JSON.stringify(app.swagger()))));
}

/** A schema as a part of the description: it is no resource of its own there, which many readers would not look for, so its parts are found from the root. */
function placed(text: string, name: string): Schema {
  const { $id: _, $schema: __, ...schema } = JSON.parse(text.replaceAll('"#/$defs/', `"#/components/schemas/${name}/$defs/`)) as Schema;
  return schema;
}

const ownToken = "token";

/** Of an operation for which a provider's token is not enough. */
export const ownTokenOnly = [{ [ownToken]: [] }];

/** OpenAPI 3.1, section 4.8.27. */
type Provider = { readonly description: string } & ({ readonly type: "openIdConnect"; readonly openIdConnectUrl: string } | { readonly type: "http"; readonly scheme: "bearer"; readonly bearerFormat: "JWT" });

/** One for each issuer. Where its keys are given, nobody says that it has a discovery document. */
function providerSchemes({ issuers }: OidcConfig): readonly (readonly [string, Provider])[] {
  return issuers.map(({ issuer, audience, keysUrl, keysFile }, index) => {
    const description = `A token of ${issuer} for ${audience}.`;
    const isDiscovered = keysUrl === undefined && keysFile === undefined;
    return [`provider${index + 1}`, isDiscovered ? { type: "openIdConnect", openIdConnectUrl: `${issuer}/.well-known/openid-configuration`, description } : { type: "http", scheme: "bearer", bearerFormat: "JWT", description }];
  });
}

/** What stands for the rest of a path has a name in the description. */
function named<S extends { params?: unknown }>(schema: S): S {
  const { params } = schema as { readonly params?: { readonly properties: Schema; readonly required: readonly string[] } };
  if (params?.properties["*"] === undefined) return schema;
  const { "*": rest, ...properties } = params.properties;
  return { ...schema, params: { ...params, properties: { ...properties, path: rest }, required: params.required.map((each) => (each === "*" ? "path" : each)) } };
}

/** A header that an operation does not work without is required in the description. */
function demanding<S extends { headers?: unknown }>(schema: S): S {
  const { "x-needed": required, ...given } = (schema.headers ?? {}) as Schema;
  return required === undefined ? schema : { ...schema, headers: { ...given, required } };
}

/** A document's body is read by src/spec, not by Fastify; here it gets the schema that src/spec checks it with. */
function withDocument<S extends object>(schema: S, route: RouteOptions): S {
  const { document } = route.config ?? {};
  if (document === undefined) return schema;
  const content = Object.fromEntries(typesOf(document).map((type) => [type, { schema: { $ref: `#/components/schemas/${document}` } }]));
  return { ...schema, body: { content } };
}
