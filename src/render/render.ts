/** Drafts to files: every hole encoded by the file's format, traced to its origins, and read back. */

import type { Assets } from "../core/assets.ts";
import { asset } from "../core/assets.ts";
import type { File, Span } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import { lineAt, lineStarts, spansByLine } from "../core/lines.ts";
import type { Origin, Val } from "../core/origin.ts";
import { val } from "../core/origin.ts";
import { isSome, mergedOrigins, quotedLine } from "../core/quoted-line.ts";
import type { Draft, Format, View } from "../platforms/draft.ts";
import type { FormatRules, Hole, Origins, Placed, Token } from "./composition.ts";
import { partsOf } from "./composition.ts";
import { envRules } from "./encode-env.ts";
import { jsonRules } from "./encode-json.ts";
import { markdownRules } from "./encode-markdown.ts";
import { xmlRules } from "./encode-xml.ts";
import { yamlRules } from "./encode-yaml.ts";
import { compileTemplate } from "./template.ts";

const formats: Readonly<Record<Format, FormatRules>> = {
  yaml: yamlRules,
  json: jsonRules,
  xml: xmlRules,
  env: envRules,
  markdown: markdownRules,
};

/**
 * Renders drafts in the order given. A template may quote the text of a file before it (`Draft.quotes`). Throws on
 * whatever is wrong: by now every choice was made and checked, so it is a bug of a template, a platform or the plan.
 */
export function render(drafts: readonly Draft[], assets: Assets): readonly File[] {
  const done = new Map<string, Rendered>();
  return drafts.map((draft) => {
    const { path, mode, role } = draft;
    if (draft.kind === "static") {
      return { path, role, mode, body: { kind: "bytes", bytes: staticBytes(assets, draft.asset) }, source: `templates/${draft.asset}`, spans: [] };
    }
    if (draft.kind === "text") {
      done.set(path, draft);
      return textFile(path, draft.text, { role, mode, source: draft.source, spans: draft.spans });
    }
    const source = `templates/${draft.template}`;
    const { text, spans, templateLines } = renderText(draft.format, source, asset(assets, draft.template), withQuotes(draft, done));
    done.set(path, { text, spans, source });
    return textFile(path, text, { role, mode, source, spans, templateLines });
  });
}

/** What a later template may quote. */
interface Rendered {
  readonly text: string;
  readonly spans: readonly Span[];
  readonly source: string;
}

/** One template filled, encoded, traced and read back. `name` is for messages. */
export function renderText(
  format: Format,
  name: string,
  template: string,
  view: View,
): { readonly text: string; readonly spans: readonly Span[]; readonly templateLines: readonly number[] } {
  const rules = formats[format];
  const tokens = compileTemplate(name, template)(view);
  const encoded = rules.encode(partsOf(tokens));
  const { text, placed, regions } = assemble(tokens, encoded);
  const harmless = tokens.map((token) => (token.kind === "hole" ? { ...token, hole: tame(token.hole) } : token));
  rules.parseBack(text, placed, assemble(harmless, rules.encode(partsOf(harmless))).text);
  return { text, spans: spansOf(text, placed, regions), templateLines: templateLinesOf(tokens, encoded) };
}

/** The hole with a harmless value of the same type: what the template's structure is measured by. */
function tame(hole: Hole): Hole {
  const [first] = hole.values;
  return typeof first.value === "string" ? { ...hole, values: [val("X", "constant:harmless")] } : hole;
}

interface Region {
  readonly start: number;
  readonly end: number;
  readonly origins: Origins;
}

function assemble(
  tokens: readonly Token[],
  encoded: readonly string[],
): { readonly text: string; readonly placed: readonly Placed[]; readonly regions: readonly Region[] } {
  let text = "";
  const placed: Placed[] = [];
  const regions: Region[] = [];
  const open: { readonly start: number; readonly origins: Origins }[] = [];
  for (const token of tokens) {
    switch (token.kind) {
      case "text":
        text += token.text;
        break;
      case "hole": {
        const start = text.length;
        text += encoded[placed.length] ?? "";
        placed.push({ hole: token.hole, start, end: text.length });
        break;
      }
      case "open":
        open.push({ start: text.length, origins: token.origins });
        break;
      case "shut": {
        const region = open.pop();
        if (region === undefined) throw new Error("a region shut that was not open");
        if (region.origins.length > 0) regions.push({ ...region, end: text.length });
      }
    }
  }
  return { text, placed, regions };
}

/** For each line of the text, the template's line that its first character comes from. */
function templateLinesOf(tokens: readonly Token[], encoded: readonly string[]): readonly number[] {
  const lines: number[] = [];
  let current = 0;
  let hole = 0;
  for (const token of tokens) {
    if (token.kind === "open" || token.kind === "shut") continue;
    const parts = (token.kind === "text" ? token.text : (encoded[hole] ?? "")).split("\n");
    const from = token.kind === "text" ? token.line : token.hole.line;
    if (token.kind === "hole") hole += 1;
    for (const [index, part] of parts.entries()) {
      if (index > 0) current += 1;
      // Nothing at the end of a piece is the beginning of the next one.
      if (part === "" && index === parts.length - 1) continue;
      lines[current] ??= token.kind === "text" ? from + index : from;
    }
  }
  return lines;
}

/** Every hole's stretch on each of its lines, and every line of each region; in order of place. */
function spansOf(text: string, placed: readonly Placed[], regions: readonly Region[]): readonly Span[] {
  const spans: Span[] = [];
  const starts = lineStarts(text);
  const mark = (line: number, from: number, to: number, origins: Origins, presence: { readonly presence?: true } = {}): void => {
    const start = starts[line] as number;
    const end = Math.min(to, (starts[line + 1] ?? text.length + 1) - 1);
    const blank = text.slice(Math.max(from, start), end).search(/\S/);
    if (blank < 0) return;
    spans.push({ line: line + 1, start: Math.max(from, start) - start + blank + 1, end: end - start + 1, origins, ...presence });
  };
  for (const { hole, start, end } of placed) {
    const first = lineAt(starts, start);
    const count = lineAt(starts, Math.max(start, end - 1)) - first + 1;
    // A text that ends in a line break has an empty last line, which isn't written.
    const lines = hole.values.at(-1)?.value === "" ? hole.values.slice(0, -1) : hole.values;
    // A block literal of YAML has a header line before them. Where the text had to be quoted, it is all on one line.
    const header = count - lines.length;
    const byLine = hole.kind === "block" && hole.values.length > 1 && (header === 0 || header === 1);
    const all = byLine ? undefined : (mergedOrigins(hole.values.map((each) => each.origins)) as Origins);
    for (let index = byLine ? header : 0; index < count; index += 1) {
      const line = lines[index - header];
      mark(first + index, start, end, all ?? (line as Val).origins);
      if (byLine && isSome(line?.because)) mark(first + index, start, end, line.because, { presence: true });
    }
  }
  for (const { start, end, origins } of regions) {
    if (end > start) for (let line = lineAt(starts, start); line <= lineAt(starts, end - 1); line += 1) mark(line, start, end, origins, { presence: true });
  }
  spans.sort((a, b) => a.line - b.line || a.start - b.start || b.end - a.end);
  return spans.filter((span, index) => index === 0 || !isSame(span, spans[index - 1] as Span));
}

function isSame(a: Span, b: Span): boolean {
  if (a.line !== b.line || a.start !== b.start || a.end !== b.end || a.presence !== b.presence) return false;
  return a.origins === b.origins || (a.origins.length === b.origins.length && a.origins.every((origin, index) => origin === b.origins[index]));
}

/** A static file is the same in every bundle that is made of these assets: the same bytes, so that who knows them knows their digests. */
function staticBytes(assets: Assets, path: string): Uint8Array {
  const made = statics.get(assets) ?? new Map<string, Uint8Array>();
  statics.set(assets, made);
  const bytes = made.get(path) ?? new TextEncoder().encode(asset(assets, path));
  made.set(path, bytes);
  return bytes;
}

const statics = new WeakMap<Assets, Map<string, Uint8Array>>();

/** The view, with the files that the template quotes as lists of lines. */
function withQuotes(draft: Draft & { kind: "template" }, done: ReadonlyMap<string, Rendered>): View {
  const quoted = Object.entries(draft.quotes ?? {}).map(([name, path]) => {
    const quoted = done.get(path);
    if (quoted === undefined) throw new Error(`${draft.path} quotes ${path}, which isn't rendered before it`);
    return [name, linesOf(quoted)] as const;
  });
  return { ...draft.view, ...Object.fromEntries(quoted) };
}

/** A rendered text as lines with origins; a line that no value caused comes from its template. */
function linesOf({ text, spans, source }: Rendered): readonly Val<string>[] {
  const spansAt = spansByLine(spans);
  const ofTheTemplate: readonly [Origin] = [`constant:${source}`];
  return text.split("\n").map((line, index) => quotedLine(line, spansAt(index + 1), ofTheTemplate));
}
