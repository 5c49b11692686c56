/** Checks of what a request holds: ajv for JSON Schema 2020-12, strict, which changes nothing that it looks at. */

import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifySchemaCompiler } from "fastify";
import { schemaIssues, type Validator } from "../../spec/schema-issues.ts";
import { located } from "../located-issues.ts";
import { Problem } from "./problem.ts";
import { shared, type Schema } from "./schemas.ts";

/** Fastify's own would turn 5 into "5", drop what it does not know, and refuse `$schema` of 2020-12. */
export function validatorCompiler(): FastifySchemaCompiler<Schema> {
  // What schemaIssues needs: every mistake, and the schema beside each. Bodies are small, so all of them may be found.
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, verbose: true, coerceTypes: false, useDefaults: false, removeAdditional: false });
  // The pattern in words, for messages; and headers that are looked for where there is a better answer than 400.
  ajv.addVocabulary(["x-form", "x-needed"]);
  for (const schema of Object.values(shared)) ajv.addSchema(schema);
  return ({ schema, httpPart }) => {
    const validate = ajv.compile(schema) as unknown as Validator;
    return (data: unknown) => {
      const issues = schemaIssues(validate, data as Parameters<typeof schemaIssues>[1]);
      if (issues.length === 0) return { value: data };
      return { error: new Problem("bad-request", `the ${wordFor[httpPart ?? "body"] ?? httpPart} of the request is not as it must be`, { issues: located(issues) }) };
    };
  };
}

const wordFor: Readonly<Record<string, string>> = { body: "body", querystring: "query", params: "path", headers: "headers" };
