/** /v1/cloudlets/picture: a spec's networks and who may reach what, drawn. Nothing is kept, and no release is needed. */

import { html } from "../../evidence/page/html.ts";
import { exposureOfSpec } from "../../evidence/report/exposure.ts";
import { pictureOf } from "../../evidence/report/picture.ts";
import { readCloudletSpec } from "../jobs/documents.ts";
import type { Resource } from "./app.ts";
import { soundBody, takeDocuments } from "./document-body.ts";
import { answers } from "./schemas.ts";

export const pictureResource: Resource = (app) => {
  takeDocuments(app, "Cloudlet");

  app.post("/v1/cloudlets/picture", {
    config: { document: "Cloudlet" },
    schema: { operationId: "drawCloudlet", summary: "Draw the networks of a spec that has no error.", tags: ["cloudlets"], response: answers({ 200: { description: "SVG, without styles: its classes are those of the report.", content: { "image/svg+xml": { schema: { type: "string" } } } } }) },
  }, async (request, reply) => {
    const { value } = soundBody(request, readCloudletSpec);
    const picture = pictureOf(exposureOfSpec(value), value.spec.name, "");
    // Inside a page of HTML it needs no namespace; by itself it does (SVG 2 section 5.1).
    const alone = html`${{ markup: picture.markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ') }}`;
    return reply.type("image/svg+xml").send(alone.markup);
  });
};
