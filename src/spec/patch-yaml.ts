/** Changes values in a YAML text and leaves everything else of it as it stands: comments, order, quotes, blank lines. */

import type { Json, JsonObject, Scalar } from "../core/json.ts";
import { below } from "../core/pointer.ts";
import { readYaml } from "./read-yaml.ts";
import { blockText, flowText, isShort, scalarText } from "./yaml-text.ts";
import { Awkward, type Place, shapeOf, type YamlShape } from "./yaml-shape.ts";

/**
 * The text whose value is `after`. Undefined where `text` can't be read as one sound document. Only the lines of what differs are
 * touched; where a node is written in a way that can't be changed in part, the smallest one around it is written anew.
 */
export function patchYaml(text: string, after: Json): string | undefined {
  const { value: before, marks, issues } = readYaml(text);
  if (before === undefined || issues.length > 0) return undefined;
  const patch: Patch = { shape: shapeOf(text, before, marks), edits: [] };
  try {
    change(patch, "", before, after);
  } catch (error) {
    if (!(error instanceof Awkward)) throw error;
    return wholly(after);
  }
  const patched = applied(text, patch.edits);
  const read = readYaml(patched);
  // What was written is read back; a text that says something else than the form is worth less than its comments.
  return read.issues.length === 0 && isSame(read.value, after) ? patched : wholly(after);
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Patch {
  readonly shape: YamlShape;
  readonly edits: Edit[];
}

function wholly(value: Json): string {
  return isCollection(value) && !isEmpty(value) ? `${blockText(value, "")}\n` : `${flowText(value)}\n`;
}

function change(patch: Patch, pointer: string, before: Json, after: Json): void {
  if (isSame(before, after)) return;
  const { edits, shape } = patch;
  const made = edits.length;
  try {
    if (isMapping(before) && isMapping(after) && !isEmpty(before) && !isEmpty(after)) changeMapping(patch, pointer, before, after);
    else if (Array.isArray(before) && Array.isArray(after) && !isEmpty(before) && !isEmpty(after)) changeSequence(patch, pointer, before, after);
    else if (isCollection(before) && isCollection(after) && isEmpty(after)) empty(patch, pointer, before, after);
    else if (isScalar(before) && isScalar(after)) changeScalar(patch, pointer, after);
    else throw new Awkward();
  } catch (error) {
    if (!(error instanceof Awkward)) throw error;
    edits.length = made;
    if (pointer === "") throw error;
    if (isCollection(after) && shape.isFlow(pointer) && (shape.isInFlow(pointer) || isEmpty(after) || isShort(after))) edits.push({ ...shape.flowAt(pointer), text: flowText(after) });
    else if (shape.isInFlow(pointer)) throw error;
    else rewrite(patch, pointer, after);
  }
}

/** Throws where the node has no place of its own: whoever holds it is written anew then. */
function changeScalar({ shape, edits }: Patch, pointer: string, after: Scalar | null): void {
  const place = shape.scalarAt(pointer);
  edits.push({ ...place, text: scalarText(after, place.quote) });
}

function changeMapping(patch: Patch, pointer: string, before: JsonObject, after: JsonObject): void {
  const { shape, edits } = patch;
  const kept = Object.keys(before).filter((key) => Object.hasOwn(after, key));
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const fresh = Object.keys(after).filter((key) => !Object.hasOwn(before, key));
  if (gone.length + fresh.length > 0 && (shape.isFlow(pointer) || kept.length === 0)) throw new Awkward();
  for (const key of kept) change(patch, below(pointer, key), before[key] as Json, after[key] as Json);
  for (const key of gone) edits.push({ ...shape.entryLines(below(pointer, key)), text: "" });
  const indent = " ".repeat(fresh.length === 0 ? 0 : shape.columnOf(below(pointer, kept[0] as string)));
  // Each comes after the one that is before it in the new value; the first of all after the first that stays.
  const order = Object.keys(after);
  for (const key of fresh) {
    const previous = order.slice(0, order.indexOf(key)).findLast((each) => kept.includes(each)) ?? (kept[0] as string);
    const at = shape.afterLineOf(below(pointer, previous));
    edits.push({ start: at.offset, end: at.offset, text: `${at.lacksEnd ? "\n" : ""}${blockText({ [key]: after[key] as Json }, indent)}\n` });
  }
}

function changeSequence(patch: Patch, pointer: string, before: readonly Json[], after: readonly Json[]): void {
  const { shape, edits } = patch;
  if (before.length !== after.length && shape.isFlow(pointer)) throw new Awkward();
  const same = (x: number, y: number): boolean => isSame(before[x], after[y]);
  let head = 0;
  while (head < Math.min(before.length, after.length) && same(head, head)) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && same(before.length - 1 - tail, after.length - 1 - tail)) tail += 1;
  const [olds, news] = [before.length - head - tail, after.length - head - tail];
  const paired = Math.min(olds, news);
  for (let index = head; index < head + paired; index += 1) change(patch, below(pointer, index), before[index] as Json, after[index] as Json);
  for (let index = head + paired; index < head + olds; index += 1) edits.push({ ...shape.itemLines(below(pointer, index), pointer, index), text: "" });
  const added = after.slice(head + paired, head + news);
  if (added.length === 0) return;
  const indent = " ".repeat(shape.dashColumn(pointer));
  const text = added.map((item) => `${blockText([item], indent)}\n`).join("");
  const at = head + paired === 0 ? shape.beforeItem(pointer) : shape.afterLineOf(below(pointer, head + paired - 1));
  edits.push({ start: at.offset, end: at.offset, text: `${at.lacksEnd ? "\n" : ""}${text}` });
}

/** Entry by entry, so that comments between them stay, as those of a starter that name what there could be. */
function empty({ shape, edits }: Patch, pointer: string, before: JsonObject | readonly Json[], after: JsonObject | readonly Json[]): void {
  if (shape.isFlow(pointer)) throw new Awkward();
  const { start } = shape.nodeAt(pointer);
  edits.push({ start, end: start, text: ` ${flowText(after)}` });
  for (const key of Object.keys(before)) edits.push({ ...(Array.isArray(before) ? shape.itemLines(below(pointer, key), pointer, Number(key)) : shape.entryLines(below(pointer, key))), text: "" });
}

/** The whole node anew, behind its key or dash; a comment on the key's line stays. */
function rewrite({ shape, edits }: Patch, pointer: string, after: Json): void {
  const { start, end, column, isBelowKey, restOfLine }: Place = shape.nodeAt(pointer);
  const isBlock = isCollection(after) && !isEmpty(after) && !isShort(after);
  if (!isBlock) {
    edits.push({ start, end: start, text: ` ${isCollection(after) ? flowText(after) : scalarText(after)}` });
    edits.push({ start: isBelowKey ? restOfLine : start, end, text: "" });
    return;
  }
  const text = `\n${blockText(after, " ".repeat(column + 2))}`;
  edits.push({ start: isBelowKey ? restOfLine : start, end, text });
}

function applied(text: string, edits: readonly Edit[]): string {
  const ordered = edits.map((edit, index) => ({ ...edit, index })).sort((a, b) => a.start - b.start || Number(a.end > a.start) - Number(b.end > b.start) || a.index - b.index);
  let done = 0;
  let made = "";
  for (const { start, end, text: inserted } of ordered) {
    if (start > done) made += text.slice(done, start);
    made += inserted;
    done = Math.max(done, end);
  }
  return made + text.slice(done);
}

export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, index) => isSame(each as Json, b[index] as Json));
  }
  const [x, y] = [a as JsonObject, b as JsonObject];
  return Object.keys(x).length === Object.keys(y).length && Object.keys(x).every((key) => Object.hasOwn(y, key) && isSame(x[key], y[key]));
}

function isCollection(value: Json): value is JsonObject | readonly Json[] {
  return typeof value === "object" && value !== null;
}

function isMapping(value: Json): value is JsonObject {
  return isCollection(value) && !Array.isArray(value);
}

function isScalar(value: Json): value is Scalar | null {
  return !isCollection(value);
}

function isEmpty(value: JsonObject | readonly Json[]): boolean {
  return Object.keys(value).length === 0;
}

