/** /v1/bundles/…/diff/…: what changed from one bundle to another, as `diff` tells it. */

import type { Difference, DiffSide } from "../../evidence/diff.ts";
import { groups, severities } from "../../evidence/diff-rules.ts";
import type { FileLines, Sides } from "../../evidence/diff-lines.ts";
import { linesOf } from "../../evidence/explain.ts";
import { comparedSide, compareSides, type ComparedSide } from "../../seal/compared-side.ts";
import { bundleReader, sound, type ReadBundle } from "../jobs/bundle-contents.ts";
import { bundleById } from "../state/bundles.ts";
import type { Resource } from "./app.ts";
import { anyValue } from "./bundle-explanations.ts";
import { visible } from "./caller.ts";
import { readyLayout } from "./ready-layout.ts";
import { answers, count, id, listOf, object, params, text, type Schema } from "./schemas.ts";

/** As on the page of `diff --html`: a user-data may differ in hundreds of lines; so many show what it is about. */
const shownLines = 24;

/** A line of base64 has no end. */
const shownCharacters = 240;

const sides = (each: Schema, what: string): Schema => object({ before: listOf(each, `${what}, before.`), after: listOf(each, `${what}, after.`) });
const place = object({ file: text("In the bundle."), line: count("From 1."), column: count("From 1.") });
const toldOrigin = object({ origin: text("Of the value."), place, reason: text("Of a default or constant.") }, { optional: ["place", "reason"] });
const shown = object({ line: count("From 1."), text: text(`At most ${shownCharacters} characters of it.`) });
const fileLines = object({ file: text("Its path."), lines: listOf(count("From 1."), "All that are other ones."), shown: listOf(shown, `The first ${shownLines}.`) });
const difference = object(
  {
    group: text("What kind of change.", { enum: [...groups] }), severity: text("By group.", { enum: [...new Set(Object.values(severities))] }),
    subject: text("A document's field, a file, its mode, who signed, or what made the bundle.", { enum: ["spec", "release", "lock", "file", "mode", "signer", "generator"] }),
    kind: text("How it changed.", { enum: ["added", "removed", "changed", "moved"] }), name: text("The field's pointer, or the file's path."),
    before: anyValue, after: anyValue, origins: sides(toldOrigin, "Where the value comes from"), lines: sides(fileLines, "The lines that show it"),
  },
  { optional: ["before", "after"] },
);

export const differenceResource: Resource = (app, context) => {
  const readBundle = bundleReader(context);

  app.get<{ Params: { id: string; other: string } }>("/v1/bundles/:id/diff/:other", {
    schema: { operationId: "compareBundles", summary: "What changed from the first bundle to the other. The caller must be allowed to see both.", tags: ["bundles"], params: params("id", "other"), response: answers({ 200: object({ before: id, after: id, differences: listOf(difference, "By group; none: the same files, the same signer.") }) }) },
  }, async (request) => {
    const [before, after] = [
      visible(request, "bundle:read", await bundleById(context.db, request.params.id)),
      visible(request, "bundle:read", await bundleById(context.db, request.params.other)),
    ];
    const layouts = [readyLayout(before), readyLayout(after)] as const;
    const { a, b, found } = await compareSides(await sideOf(await readBundle(layouts[0])), await sideOf(await readBundle(layouts[1])));
    return { before: before.id, after: after.id, differences: found.map((each) => withTexts(each, { before: a, after: b })) };
  });
};

async function sideOf({ contents, record, made }: ReadBundle): Promise<ComparedSide> {
  return sound(await comparedSide(contents, record, made));
}

function withTexts(difference: Difference, both: Readonly<Record<keyof Sides<unknown>, DiffSide>>): object {
  const { lines } = difference;
  const texts = (which: keyof Sides<unknown>): readonly object[] => lines[which].map((each) => ({ ...each, shown: textsOf(each, both[which]) }));
  return { ...difference, lines: { before: texts("before"), after: texts("after") } };
}

function textsOf({ file, lines }: FileLines, { files }: DiffSide): readonly object[] {
  const all = linesOf(files.get(file)?.text ?? "");
  return lines.slice(0, shownLines).map((line) => ({ line, text: [...(all[line - 1] ?? "").slice(0, 2 * shownCharacters)].slice(0, shownCharacters).join("") }));
}
