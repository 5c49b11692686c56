/** Requests whose body is a document as people write it, YAML or JSON: read by src/spec, so that its mistakes have lines and columns. */

import type { FastifyRequest } from "fastify";
import type { Outcome } from "../../core/issue.ts";
import { decodeText } from "../../spec/decode-text.ts";
import { located, type LocatedIssue } from "../located-issues.ts";
import type { App } from "./app.ts";
import { Problem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The body is a document of this kind; the API's description has its schema. */
    document?: DocumentName;
  }
}

export type DocumentName = "Cloudlet" | "Release" | "Lock" | "Receipt" | "MobiledgexCloudlet";

/** RFC 9512: application/yaml. A JSON text is YAML, too; what no person writes is JSON alone. */
export function typesOf(document: DocumentName): readonly string[] {
  return document === "Receipt" ? ["application/json"] : ["application/yaml", "application/json"];
}

/** Makes the routes of this part of the application take such documents as bytes. */
export function takeDocuments(app: App, document: DocumentName): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([...typesOf(document)], { parseAs: "buffer" }, (_, body, done) => done(null, body));
}

export interface ReceivedDocument<T> {
  readonly text: string;
  readonly value: T;
  readonly warnings: readonly LocatedIssue[];
}

export type Received<T> = { readonly ok: true; readonly document: ReceivedDocument<T> } | { readonly ok: false; readonly issues: readonly LocatedIssue[] };

/** What the body says, or every mistake in it; a text of no letters is a document with a mistake. Throws a Problem where there is no body. */
export function readBody<T>(request: FastifyRequest, read: (text: string) => Outcome<T>): Received<T> {
  if (request.headers["content-type"] === undefined) throw new Problem("bad-request", "The body is missing: send the document with its content type.");
  const decoded = decodeText(Buffer.isBuffer(request.body) ? request.body : new Uint8Array());
  if (!decoded.ok) return { ok: false, issues: located(decoded.issues) };
  const outcome = read(decoded.value);
  const issues = located(outcome.issues, decoded.value);
  return outcome.ok ? { ok: true, document: { text: decoded.value, value: outcome.value, warnings: issues } } : { ok: false, issues };
}

/** Throws a Problem with every mistake in the body. */
export function soundBody<T>(request: FastifyRequest, read: (text: string) => Outcome<T>): ReceivedDocument<T> {
  const received = readBody(request, read);
  if (received.ok) return received.document;
  throw notValid(received.issues);
}

export function notValid(issues: readonly LocatedIssue[]): Problem {
  const errors = issues.filter(({ severity }) => severity === "error").length;
  return new Problem("not-valid", errors === 1 ? "There is a mistake in the document." : `There are ${errors} mistakes in the document.`, { issues });
}
