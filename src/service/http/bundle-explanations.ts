/** /v1/bundles/…/explanation: a text of a bundle with what caused each stretch of each line, as `explain` tells it. */

import { explainFile, explainOrigins, linesOf } from "../../evidence/explain.ts";
import { lineAsJson } from "../../evidence/explain-json.ts";
import { templateLinesOf } from "../../evidence/trace.ts";
import { textIn } from "../../seal/contents.ts";
import { bundleReader, isText, sound } from "../jobs/bundle-contents.ts";
import { bundleById } from "../state/bundles.ts";
import type { Resource } from "./app.ts";
import { visible } from "./caller.ts";
import { readyLayout } from "./ready-layout.ts";
import { notFound } from "./problem.ts";
import { answers, count, flag, listOf, object, orNull, params, query, text } from "./schemas.ts";

/** What somebody reads at a time; with the origins of every line it is about a megabyte. */
const mostLines = 1_000;

const place = object({ file: text("In the bundle."), line: count("From 1."), column: count("From 1.") });
export const anyValue = { description: "Any JSON value." };
const origin = object(
  {
    origin: text("`spec:/a/b`, `release:…`, `lock:…`, `default:NAME` or `constant:NAME`."),
    kind: text("What it is.", { enum: ["spec", "release", "lock", "default", "constant"] }),
    pointer: text("Into the document."), value: anyValue, places: listOf(place, "Where it is written."),
    reason: orNull(text("Of a default or constant.")), fills: orNull({ type: "object", description: "What the default stands in for: document, pointer, value." }),
  },
  { optional: ["pointer", "value", "places", "reason", "fills"] },
);
const value = object({ start: count("Column, from 1."), end: count("After the last."), text: text("What stands there."), shows: flag("It shows the origins' values; or else it is only there because of them."), origins: listOf(origin, "What caused it.") });
const line = object({ line: count("From 1."), text: text("All of it."), template: orNull(object({ path: text("Of the template."), line: count("From 1.") })), values: listOf(value, "By column.") });
const explanation = object({
  file: text("Its path."), source: orNull(text("The template, static file or source that it was made from.")), isText: flag("False for disks and container images: they have no lines here."),
  count: count("Of all its lines."), lines: listOf(line, `At most ${mostLines}.`),
});

export const explanationResource: Resource = (app, context) => {
  const readBundle = bundleReader(context);

  app.get<{ Params: { id: string }; Querystring: { file?: string; from?: string } }>("/v1/bundles/:id/explanation", {
    schema: {
      operationId: "explainBundle", summary: "A file of the bundle, line by line, with what caused it.", tags: ["bundles"], params: params("id"),
      querystring: { ...query({ file: text("Its path.", { minLength: 1, maxLength: 500 }), from: text("The first line that is wanted; 1 when left out.", { pattern: "^[1-9][0-9]{0,8}$", "x-form": "a line's number" }) }), required: ["file"] },
      response: answers({ 200: explanation }),
    },
  }, async (request) => {
    const { file = "", from = "1" } = request.query;
    const layout = readyLayout(visible(request, "bundle:read", await bundleById(context.db, request.params.id)));
    if (!layout.files.some(({ path }) => path === file)) throw notFound();
    const { contents, record, made } = await readBundle(layout);
    const source = contents.listed.get(file)?.origin ?? made.get(file)?.source ?? null;
    if (!isText(file)) return { file, source, isText: false, count: 0, lines: [] };
    const all = sound(await textIn(contents, file));
    const first = Number(from);
    const explained = { path: file, text: all, source: source ?? undefined, templateLines: templateLinesOf(made, file, all) };
    const lines = explainFile(record, explained, explainOrigins(record), { first, last: first + mostLines - 1 });
    return { file, source, isText: true, count: linesOf(all).length, lines: lines.map(lineAsJson) };
  });
};
