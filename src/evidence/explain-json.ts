/** What explains a line, as JSON. */

import type { JsonObject } from "../core/json.ts";
import type { LineExplained, OriginExplained } from "./explain.ts";

export function lineAsJson({ line, text, template, values }: LineExplained): JsonObject {
  return {
    line,
    text,
    template: template === undefined ? null : { ...template },
    values: values.map(({ start, end, text: part, shows, origins }) => ({ start, end, text: part, shows, origins: origins.map(originAsJson) })),
  };
}

export function originAsJson(explained: OriginExplained): JsonObject {
  switch (explained.kind) {
    case "constant":
      return { origin: explained.origin, kind: explained.kind, reason: explained.reason ?? null };
    case "default":
      return { origin: explained.origin, kind: explained.kind, reason: explained.reason ?? null, fills: explained.fills === undefined ? null : { ...explained.fills } };
    default:
      return { origin: explained.origin, kind: explained.kind, pointer: explained.pointer, value: explained.value ?? null, places: explained.places.map((place) => ({ ...place })) };
  }
}
