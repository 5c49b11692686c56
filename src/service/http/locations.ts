/** /v1/locations: where the cloudlets are, for a map. */

import { organizationsFor } from "../access/roles.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import { cloudlets } from "../state/cloudlets.ts";
import type { Database } from "../state/database.ts";
import { documentText } from "../state/documents.ts";
import type { CloudletState } from "../state/tables.ts";
import type { Resource } from "./app.ts";
import { callerOf } from "./caller.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { answers, id, object, organizationName, page, pageQuery, query, text } from "./schemas.ts";

const state = text("What is known of it.", { enum: ["defined", "installed", "removed"] });
const degrees = (description: string): Readonly<Record<string, unknown>> => ({ type: "number", description });
const locationSchema = object({
  id, organization: organizationName, name: text("Of the cloudlet."), platform: text("The kind of IaaS."), state,
  latitude: degrees("Degrees, north is positive."), longitude: degrees("Degrees, east is positive."),
});

type Filters = PageQuery & { readonly organization?: string; readonly region?: string; readonly platform?: string; readonly state?: CloudletState };

export const locationResource: Resource = (app, { db }) => {
  app.get<{ Querystring: Filters }>("/v1/locations", {
    schema: {
      operationId: "listLocations", summary: "Where the cloudlets are that the caller may know of, by organization and name.", tags: ["cloudlets"],
      querystring: query({ ...pageQuery, organization: organizationName, region: text("Only of this region.", { maxLength: 100 }), platform: text("Only on this kind of IaaS.", { maxLength: 100 }), state }),
      response: answers({ 200: page(locationSchema) }),
    },
  }, async (request) => {
    const { cursor: _, limit: __, ...filter } = request.query;
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const among = organizationsFor(callerOf(request).actor, "cloudlet:read");
    const rows = await cloudlets(db, { ...filter, among }, after === undefined ? undefined : { organization: after[0] ?? "", name: after[1] ?? "" }, limit + 1);
    const places = new Map<string, Place>();
    for (const { document } of rows) places.set(document, await placeOf(db, document));
    return pageOf(rows, limit, ({ id: own, organization, name, platform, state: of, document }) => ({ id: own, organization, name, platform, state: of, ...places.get(document) }), ({ organization, name }) => [organization, name]);
  });
};

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** A spec takes a millisecond to read; what it says of its digest never changes. */
const known = new Map<string, Place>();

/** So many take a megabyte. */
const placesKept = 10_000;

async function placeOf(db: Database, document: string): Promise<Place> {
  const kept = known.get(document);
  if (kept !== undefined) return kept;
  const { location } = readYaml(await documentText(db, document)).value as unknown as { readonly location: Place };
  const place = { latitude: location.latitude, longitude: location.longitude };
  const [oldest] = known.keys();
  if (known.size >= placesKept && oldest !== undefined) known.delete(oldest);
  known.set(document, place);
  return place;
}
