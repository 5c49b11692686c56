/** JSON Schemas (2020-12) of what requests and answers hold; the OpenAPI document is made of these. */

/** A schema is plain data. */
export type Schema = Readonly<Record<string, unknown>>;

export const text = (description: string, more: Schema = {}): Schema => ({ type: "string", description, ...more });
export const count = (description: string, more: Schema = {}): Schema => ({ type: "integer", minimum: 0, description, ...more });
export const flag = (description: string): Schema => ({ type: "boolean", description });
export const time = (description: string): Schema => ({ type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?Z$", description: `${description} RFC 3339, UTC.` });
export const listOf = (items: Schema, description: string, more: Schema = {}): Schema => ({ type: "array", items, description, ...more });
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });

/** An object with exactly these properties; those in `optional` may be left out. */
export function object(properties: Readonly<Record<string, Schema>>, more: { readonly optional?: readonly string[]; readonly description?: string } = {}): Schema {
  const required = Object.keys(properties).filter((name) => !(more.optional ?? []).includes(name));
  return { type: "object", properties, required, additionalProperties: false, ...(more.description === undefined ? {} : { description: more.description }) };
}

export const id = text("Unpredictable name of a row.", { pattern: "^[A-Za-z0-9_-]{22}$", "x-form": "an id" });
export const digest = text("Digest.", { pattern: "^sha256:[0-9a-f]{64}$" });
/** As a spec writes it. */
export const organizationName = text("An organization.", { minLength: 1, maxLength: 80, pattern: "^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]*$", "x-form": "a letter or digit first, then letters, digits, spaces and any of - _ . & , !" });
export const userName = text("A person's name for logging in.", { pattern: "^[a-z0-9][a-z0-9._@-]{0,63}$", "x-form": "a lower-case letter or digit first, then those and any of . _ @ -, at most 64" });
export const memberRole = text("Role in an organization.", { enum: ["manager", "contributor", "viewer"] });
export const platformRole: Schema = { enum: ["admin", "auditor", null], description: "Role on the whole platform." };

const issue = object(
  {
    code: text("`stage/problem`, as docs/reference/issues.md lists them."),
    severity: text("An error stands in the way, a warning does not.", { enum: ["error", "warning"] }),
    pointer: text("JSON pointer (RFC 6901) to where it is."),
    message: text("What is wrong."),
    hint: text("What to do."),
    line: count("From 1."),
    column: count("From 1, in UTF-16 units."),
    endLine: count("From 1."),
    endColumn: count("After the last."),
  },
  { optional: ["hint", "line", "column", "endLine", "endColumn"], description: "One mistake." },
);

/** Shared schemas by the name that OpenAPI gives them. */
export const shared: Readonly<Record<string, Schema>> = {
  Issue: { $id: "Issue", ...issue },
  Problem: {
    $id: "Problem",
    ...object(
      {
        type: text("A URN for the kind of problem.", { pattern: "^urn:cloudlet-bundle:problem:[a-z-]+$" }),
        title: text("The kind, in words."),
        status: { type: "integer", description: "The HTTP status." },
        detail: text("What is wrong this time."),
        issues: listOf({ $ref: "Issue#" }, "Every mistake in the document, or in the request."),
      },
      { optional: ["issues"], description: "RFC 9457." },
    ),
  },
};

export const problem: Schema = { description: "A problem.", content: { "application/problem+json": { schema: { $ref: "Problem#" } } } };

/** The answers of an operation that may be refused like any other. */
export function answers(good: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const described = Object.entries(good).map(([status, schema]) => [status, "description" in schema ? schema : { description: words[status] ?? "The answer.", ...schema }] as const);
  return { ...Object.fromEntries(described), "4xx": problem, "5xx": problem };
}

const words: Readonly<Record<string, string>> = { 201: "It is there now.", 202: "It is being made." };

/** Headers that an operation looks at; others may be there, too. Those in `needed` it does not work without, and says so in its own words. */
export function headers(known: Readonly<Record<string, string>>, needed: readonly string[] = []): Schema {
  const properties = Object.fromEntries(Object.entries(known).map(([name, description]) => [name, text(description)]));
  return { type: "object", properties, ...(needed.length === 0 ? {} : { "x-needed": needed }) };
}

export const nothing: Schema = { type: "null", description: "Done; there is nothing to tell." };

/** A page of a list. */
export function page(items: Schema): Schema {
  return object({ items: listOf(items, "In order."), next: text("Give it as `cursor` for the next page; left out on the last one.") }, { optional: ["next"] });
}

export const pageQuery = {
  cursor: text("`next` of the page before.", { maxLength: 1_000 }),
  limit: text("How many at most: 1 to 200; 50 when left out.", { pattern: "^([1-9][0-9]?|1[0-9]{2}|200)$", "x-form": "a number from 1 to 200" }),
};

/** Query parameters: each is a text, each may be left out, no others are known. */
export function query(properties: Readonly<Record<string, Schema>>): Schema {
  return object(properties, { optional: Object.keys(properties) });
}

export function params(...names: readonly string[]): Schema {
  return object(Object.fromEntries(names.map((name) => [name, text(`The ${name} that the path names.`, { minLength: 1, maxLength: 500 })])));
}
