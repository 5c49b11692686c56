/** /v1/starters: a commented spec to start from, one for each platform. */

import { platforms } from "../../platforms/registry.ts";
import { starterSpec } from "../../spec/starter.ts";
import type { Resource } from "./app.ts";
import { notFound } from "./problem.ts";
import { answers, listOf, object, params, text } from "./schemas.ts";

const tags = ["cloudlets"];

export const starterResource: Resource = (app) => {
  app.get("/v1/starters", {
    schema: { operationId: "listStarters", summary: "The platforms that there is a starter for: all of this build.", tags, response: answers({ 200: object({ items: listOf(object({ platform: text("The kind of IaaS.") }), "By name.") }) }) },
  }, async () => ({ items: platforms.map(({ name }) => ({ platform: name })) }));

  app.get<{ Params: { platform: string } }>("/v1/starters/:platform", {
    schema: { operationId: "getStarter", summary: "A commented spec that is valid as it is.", tags, params: params("platform"), response: answers({ 200: { description: "YAML.", content: { "application/yaml": { schema: { $ref: "#/components/schemas/Cloudlet" } } } } }) },
  }, async (request, reply) => {
    const platform = platforms.find(({ name }) => name === request.params.platform);
    if (platform === undefined) throw notFound();
    return reply.type("application/yaml").send(starterSpec(platform.name));
  });
};
