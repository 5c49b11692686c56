/** /v1/imports: a cloudlet object of MobiledgeX becomes a spec. Nothing is kept. */

import { importCloudlet } from "../../spec/import-mobiledgex.ts";
import type { Resource } from "./app.ts";
import { soundBody, takeDocuments } from "./document-body.ts";
import { answers, listOf, object, text } from "./schemas.ts";

export const importResource: Resource = (app) => {
  takeDocuments(app, "MobiledgexCloudlet");

  app.post("/v1/imports", {
    config: { document: "MobiledgexCloudlet" },
    schema: {
      operationId: "importCloudlet", summary: "Make a spec of a cloudlet object as mcctl and the REST API write it. The values of access variables are dropped.", tags: ["cloudlets"],
      response: answers({
        200: object({
          spec: text("YAML, with comments that say where each value comes from."),
          secrets: listOf(text("A name."), "Secrets whose values were left out, by their names in the secrets file."),
          missing: listOf(text("In words."), "What the spec still needs before it can be built."),
          warnings: listOf({ $ref: "Issue#" }, "What could not be carried over, at its place in the object."),
        }),
      }),
    },
  }, async (request) => {
    const { value, warnings } = soundBody(request, importCloudlet);
    return { spec: value.text, secrets: value.secrets, missing: value.missing, warnings };
  });
};
