/** The logic-less half of Handlebars: a template's text to a function from a view to tokens. */

import Handlebars from "handlebars";

import type { Scalar } from "../core/json.ts";
import type { Origin, Val } from "../core/origin.ts";
import type { View } from "../platforms/draft.ts";
import type { Hole, HoleKind, Origins, Token } from "./composition.ts";

type Ast = hbs.AST.Node;

/** Fills the template with a view. Throws on a name that the view doesn't have: that is a bug of template or platform. */
export type Fill = (view: View) => readonly Token[];

const compiled = new Map<string, Fill>();

/**
 * Compiles a template. `name` is for messages. Throws an Error that names the template's line for everything outside the
 * logic-less half: raw holes, partials, other helpers, arguments, whitespace control.
 */
export function compileTemplate(name: string, text: string): Fill {
  const key = `${name}\n${text}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  // Marks the places of holes and regions in what Handlebars gives; a view can't hold them (see `scalarAt`).
  if (/[\u0001-\u0007]/.test(text)) throw new Error(`${name}: a control character`);
  const program = Handlebars.parse(text);
  const rewritten = new Rewriter(name).program(program);
  const template = engine.compile(rewritten, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: { hole: true, holds: true, items: true, open: true, shut: true },
  });
  const fill: Fill = (view) => {
    const record: Record_ = { name, holes: [], opens: [] };
    return tokens(template(view, { data: { record } }), record);
  };
  compiled.set(key, fill);
  return fill;
}

interface Record_ {
  readonly name: string;
  readonly holes: Hole[];
  readonly opens: Origins[];
}

function tokens(text: string, record: Record_): readonly Token[] {
  const found: Token[] = [];
  const mark = /\u0001(\d+)\u0002|\u0003(\d+)\u0004|\u0005|\u0006(\d+)\u0007/g;
  let from = 0;
  let line = 1;
  for (const match of text.matchAll(mark)) {
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index), line });
    if (match[3] !== undefined) line = Number(match[3]);
    else if (match[1] !== undefined) found.push({ kind: "hole", hole: record.holes[Number(match[1])] as Hole });
    else if (match[2] !== undefined) found.push({ kind: "open", origins: record.opens[Number(match[2])] as Origins });
    else found.push({ kind: "shut" });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from), line });
  return found;
}

/** Rewrites a tree so that every name is looked up by us: own keys only, no silence about a missing one. */
class Rewriter {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  program(program: hbs.AST.Program): hbs.AST.Program {
    const body = program.body.flatMap((each) => this.statement(each));
    if (program.blockParams?.length > 0) this.refuse(program, "block parameters");
    return { ...program, body };
  }

  private statement(node: hbs.AST.Statement): readonly hbs.AST.Statement[] {
    switch (node.type) {
      case "ContentStatement":
        return [withLine(node as hbs.AST.ContentStatement)];
      case "CommentStatement":
        return [];
      case "MustacheStatement":
        return [this.hole(node as hbs.AST.MustacheStatement)];
      case "BlockStatement":
        return [this.block(node as hbs.AST.BlockStatement)];
      default:
        return this.refuse(node, node.type.startsWith("Partial") ? "a partial" : `a ${node.type}`);
    }
  }

  private hole(node: hbs.AST.MustacheStatement): hbs.AST.Statement {
    if (!node.escaped) this.refuse(node, "a raw hole; write {{name}}");
    if (node.strip.open || node.strip.close) this.refuse(node, "whitespace control (~)");
    if (node.hash !== undefined) this.refuse(node, "a named argument");
    const helper = node.params.length === 0 ? "value" : (node.path as hbs.AST.PathExpression).original;
    if (!isHoleKind(helper)) this.refuse(node, `a helper named ${helper}`);
    if (node.params.length > 1) this.refuse(node, "more than one argument");
    const path = node.params[0] ?? node.path;
    const call = [...this.place(path), literal(helper, node), literal(String(node.loc.start.line), node)];
    return { ...node, path: bare("hole", node), params: call } as hbs.AST.MustacheStatement;
  }

  private block(node: hbs.AST.BlockStatement): hbs.AST.Statement {
    const name = node.path.original;
    if (name !== "if" && name !== "each") this.refuse(node, `a block named ${name}`);
    const [subject, ...rest] = node.params;
    if (subject === undefined || rest.length > 0) this.refuse(node, "a block without exactly one argument");
    for (const strip of [node.openStrip, node.inverseStrip, node.closeStrip]) {
      if (strip?.open || strip?.close) this.refuse(node, "whitespace control (~)");
    }
    if (name === "each" && node.inverse !== undefined && node.inverse !== null) this.refuse(node, "{{else}} of an {{#each}}");
    const place = this.place(subject as Ast);
    const region = name === "if" ? place : [self(0, node), literal("", node)];
    const wrap = (program: hbs.AST.Program): hbs.AST.Program => {
      const inner = this.program(program);
      return { ...inner, body: [call("open", region, node), ...inner.body, call("shut", [], node)] };
    };
    const test = { type: "SubExpression", path: bare(name === "if" ? "holds" : "items", node), params: place, loc: node.loc };
    return {
      ...node,
      params: [test],
      program: wrap(node.program),
      ...(node.inverse ? { inverse: wrap(node.inverse) } : {}),
    } as unknown as hbs.AST.BlockStatement;
  }

  /** A path as two arguments: the object it starts from, and the names below that. */
  private place(node: Ast): readonly hbs.AST.Expression[] {
    if (node.type !== "PathExpression") this.refuse(node, "an argument that isn't a name");
    const path = node as hbs.AST.PathExpression;
    if (path.data) this.refuse(node, `@${path.parts.join(".")}; the plan decides`);
    if (!path.parts.every((part) => /^[A-Za-z_]\w*$/.test(part))) this.refuse(node, "a name that needs brackets");
    return [self(path.depth, node), literal(path.parts.join("."), node)];
  }

  private refuse(node: Ast, what: string): never {
    const { line, column } = node.loc.start;
    throw new Error(`${this.name}:${line}:${column + 1}: templates may not have ${what}`);
  }
}

/** Puts the line of the template on which it begins before a text. Handlebars has taken a line's end off it after a block. */
function withLine(node: hbs.AST.ContentStatement): hbs.AST.ContentStatement {
  if (node.value === "") return node;
  // Its type is wrong in Handlebars 4.7: `original` is the text as it stands in the template.
  const original = node.original as unknown as string;
  const isCut = !original.startsWith(node.value) && original.includes("\n");
  return { ...node, value: `\u0006${node.loc.start.line + (isCut ? 1 : 0)}\u0007${node.value}` };
}

function isHoleKind(name: string): name is HoleKind {
  return name === "value" || name === "block" || name === "code" || name === "sh";
}

function bare(name: string, near: Ast): hbs.AST.PathExpression {
  return { type: "PathExpression", data: false, depth: 0, parts: [name], original: name, loc: near.loc };
}

function self(depth: number, near: Ast): hbs.AST.PathExpression {
  return { type: "PathExpression", data: false, depth, parts: [], original: depth === 0 ? "this" : "..", loc: near.loc };
}

function literal(value: string, near: Ast): hbs.AST.StringLiteral {
  return { type: "StringLiteral", value, original: value, loc: near.loc };
}

function call(helper: string, params: readonly hbs.AST.Expression[], near: Ast): hbs.AST.Statement {
  const strip = { open: false, close: false };
  return { type: "MustacheStatement", path: bare(helper, near), params, escaped: true, strip, loc: near.loc } as unknown as hbs.AST.Statement;
}

const engine = Handlebars.create();

engine.registerHelper("hole", (from: unknown, path: string, kind: HoleKind, line: string, options: Options) => {
  const { record } = options.data;
  const at = `${record.name}:${line}`;
  const found = valueAt(from, path, at);
  const values = kind === "block" && Array.isArray(found) ? found : [found];
  if (values.length === 0) throw new Error(`${at}: {{block ${path}}} of no lines`);
  record.holes.push({ kind, values: values.map((each) => checked(each, path, at)) as [Val, ...Val[]], at, line: Number(line) });
  return `\u0001${record.holes.length - 1}\u0002`;
});

engine.registerHelper("holds", (from: unknown, path: string, options: Options) => {
  const found = valueAt(from, path, options.data.record.name);
  if (found === undefined) return false;
  if (Array.isArray(found)) return found.length > 0;
  return isVal(found) && typeof found.value === "boolean" ? found.value : true;
});

engine.registerHelper("items", (from: unknown, path: string, options: Options) => {
  const found = valueAt(from, path, options.data.record.name);
  if (!Array.isArray(found)) throw new Error(`${options.data.record.name}: {{#each ${path}}} of something else than a list`);
  return found;
});

engine.registerHelper("open", (from: unknown, path: string, options: Options) => {
  const { record } = options.data;
  const found = [...new Set(presenceOf(valueAt(from, path, record.name), path === ""))].sort() as Origin[];
  // An absent value has no origin; its {{else}} is the template's own text.
  record.opens.push(found as unknown as Origins);
  return `\u0003${record.opens.length - 1}\u0004`;
});

engine.registerHelper("shut", () => "\u0005");

interface Options {
  readonly data: { readonly record: Record_ };
}

/** Looks up own keys only. A key that is there may hold undefined; one that isn't there throws. */
function valueAt(from: unknown, path: string, at: string): unknown {
  let here = from;
  for (const name of path === "" ? [] : path.split(".")) {
    if (typeof here !== "object" || here === null || Array.isArray(here) || isVal(here) || !Object.hasOwn(here, name)) {
      throw new Error(`${at}: the view has no ${path}`);
    }
    here = (here as Readonly<{ [key: string]: unknown }>)[name];
  }
  return here;
}

function checked(found: unknown, path: string, at: string): Val {
  if (!isVal(found)) throw new Error(`${at}: ${path} is no value`);
  if (typeof found.value === "string" && /[\u0000-\u0008\u000b-\u001f]/.test(found.value)) {
    throw new Error(`${at}: a control character in ${path}`);
  }
  return found;
}

function isVal(found: unknown): found is Val<Scalar> {
  if (typeof found !== "object" || found === null || !("value" in found) || !("origins" in found)) return false;
  const { value, origins } = found;
  return typeof value !== "object" && Array.isArray(origins) && typeof origins[0] === "string";
}

/**
 * What a block is there because of: a value; of a list its entries; of a numbered entry, what gave it its number (what else
 * is in it shows, if at all, in the block's own holes); of another object its own values, or where it has none all below it.
 * A value that is made of a great many, as a digest is, says nothing of why its object is there.
 */
function presenceOf(found: unknown, isItem: boolean): readonly Origin[] {
  if (isVal(found)) return found.origins;
  if (Array.isArray(found)) return found.flatMap((each) => presenceOf(each, false));
  if (typeof found !== "object" || found === null) return [];
  if (isItem && "number" in found && isVal(found.number)) return found.number.origins;
  const own = Object.values(found).filter((each) => isVal(each) && each.origins.length <= manyOrigins);
  return own.length > 0 ? own.flatMap((each) => each.origins) : [...originsBelow(found)];
}

/** Most values are made of one or two others; what is made of more than these is a sum of everything. */
const manyOrigins = 8;

function originsBelow(found: unknown, into: Set<Origin> = new Set()): Set<Origin> {
  if (isVal(found)) for (const origin of found.origins) into.add(origin);
  else if (typeof found === "object" && found !== null) for (const each of Object.values(found)) originsBelow(each, into);
  return into;
}
