/** What a schema's validator found, in the user's words: one issue for each mistake, none lost, none twice. */

import type { Issue } from "../core/issue.ts";
import { below } from "../core/pointer.ts";
import { nearest } from "./nearest.ts";
import { mayBeSecret, show, showKey, showPlace } from "./show.ts";

/** An error of ajv (`verbose`, `allErrors`): the parts that are read here. */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly propertyName?: string;
  readonly parentSchema?: Schema;
  readonly data?: unknown;
}

/** A JSON Schema; only what messages are made of. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly "x-form"?: string;
  readonly "x-unit"?: string;
}

export interface Validator {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** The issues of `data`, which stands at `pointer` of its document. */
export function schemaIssues(validate: Validator, data: unknown, pointer = ""): readonly Issue[] {
  if (validate(data)) return [];
  const errors = validate.errors ?? [];
  const wrongType = new Set(errors.filter((each) => each.keyword === "type").map((each) => each.instancePath));
  const empty = new Set(errors.filter((each) => each.keyword === "minLength").map(place));
  return errors
    .filter((error) => !isEcho(error, wrongType, empty) && !isAlternative(error, errors))
    .map((error) => ({ ...issueOf(error), pointer: pointer + place(error) }));
}

/** Whether another error says the same with more. */
function isEcho(error: SchemaError, wrongType: ReadonlySet<string>, empty: ReadonlySet<string>): boolean {
  switch (error.keyword) {
    case "if":
    case "propertyNames":
      return true;
    case "enum":
    case "const":
      return wrongType.has(error.instancePath);
    case "pattern":
      return empty.has(place(error));
    case "discriminator":
      return error.params["error"] === "tag" && !Object.hasOwn(Object(error.data), String(error.params["tag"]));
    default:
      return false;
  }
}

/** Of several forms that something may have, what is wrong with one says more than that it is none of them, and nothing of which type the others have. */
function isAlternative({ keyword, instancePath }: SchemaError, errors: readonly SchemaError[]): boolean {
  const isHere = errors.some((each) => each.keyword === "anyOf" && each.instancePath === instancePath);
  if (!isHere || (keyword !== "type" && keyword !== "anyOf")) return false;
  const others = errors.filter((each) => each.instancePath.startsWith(`${instancePath}/`) || (each.instancePath === instancePath && each.keyword !== "type" && each.keyword !== "anyOf"));
  return keyword === "type" || others.length > 0;
}

/** Where the mistake is, within the validated data. */
function place(error: SchemaError): string {
  if (error.propertyName !== undefined) return below(error.instancePath, error.propertyName);
  switch (error.keyword) {
    case "additionalProperties":
      return below(error.instancePath, String(error.params["additionalProperty"]));
    case "discriminator":
      return below(error.instancePath, String(error.params["tag"]));
    case "uniqueItems":
      return below(error.instancePath, Math.max(Number(error.params["i"]), Number(error.params["j"])));
    default:
      return error.instancePath;
  }
}

type Words = Pick<Issue, "code" | "severity" | "message" | "hint">;

function issueOf(error: SchemaError): Words {
  const schema = error.parentSchema ?? {};
  const at = showPlace(place(error));
  if (error.propertyName !== undefined) return keyIssue(error.propertyName, schema);
  switch (error.keyword) {
    case "required":
      return missingKey(error, schema);
    case "additionalProperties":
      return unknownKey(error, schema);
    case "type":
      return wrong(
        "schema/type",
        `${at} must be ${typeInWords(String(error.params["type"]), schema)}, not ${valueInWords(error)}`,
        typeHint(error),
      );
    case "anyOf":
      return wrong("schema/type", `${at} must be ${(schema.anyOf ?? []).map((each) => typeInWords(String(each.type), each)).join(" or ")}, not ${valueInWords(error)}`);
    case "const":
      return wrong("schema/value", `${at} must be ${show(error.params["allowedValue"])}`);
    case "enum":
      return oneOf(at, error.data, (schema.enum ?? []).map(String), error);
    case "discriminator": {
      const tag = String(error.params["tag"]);
      return oneOf(
        at,
        error.params["tagValue"],
        (schema.oneOf ?? []).map((branch) => String(branch.properties?.[tag]?.const)),
        error,
      );
    }
    case "pattern":
      return wrong("schema/form", `${at} must be ${schema["x-form"] ?? "of another form"}${notValue(error)}`);
    case "minimum":
    case "maximum":
      return wrong(
        "schema/range",
        `${at} must be ${error.keyword === "minimum" ? "at least" : "at most"} ${String(error.params["limit"])}${unit(schema)}${notValue(error)}`,
      );
    case "minLength":
      return wrong("schema/length", `${at} must not be empty`);
    case "maxLength":
      return wrong("schema/length", `${at} must have at most ${String(error.params["limit"])} characters`);
    case "minItems":
      return wrong(
        "schema/count",
        `${at} needs at least ${String(error.params["limit"])} ${error.params["limit"] === 1 ? "entry" : "entries"}`,
      );
    case "maxItems":
    case "maxProperties":
      return wrong("schema/count", `${at} may have at most ${String(error.params["limit"])} entries`);
    case "uniqueItems":
      return wrong(
        "schema/repeated",
        `${at} repeats entry ${Math.min(Number(error.params["i"]), Number(error.params["j"])) + 1}`,
        "keep one of the two",
      );
    default:
      throw new Error(`no words for the schema keyword ${error.keyword}`);
  }
}

function wrong(code: Issue["code"], message: string, hint?: string): Words {
  return { code, severity: "error", message, ...(hint === undefined ? {} : { hint }) };
}

function missingKey(error: SchemaError, schema: Schema): Words {
  const key = String(error.params["missingProperty"]);
  const form = schema.properties?.[key];
  const example = (form as { readonly examples?: readonly unknown[] } | undefined)?.examples?.[0];
  const hint =
    example === undefined
      ? undefined
      : `for example ${key}: ${typeof example === "object" ? JSON.stringify(example) : show(example)}`;
  return wrong(
    "schema/missing-key",
    `${showKey(key)} is missing${error.instancePath === "" ? "" : ` in ${showPlace(error.instancePath)}`}`,
    hint,
  );
}

function unknownKey(error: SchemaError, schema: Schema): Words {
  const key = String(error.params["additionalProperty"]);
  const known = Object.keys(schema.properties ?? {});
  const near = nearest(key, known);
  const hint = mayBeSecret(below("", key))
    ? "a secret is never in this document; declare it under `secrets`"
    : near !== undefined
      ? `did you mean ${showKey(near)}?`
      : known.length === 0
        ? "nothing may be given here"
        : `known here: ${known.join(", ")}`;
  return wrong(
    "schema/unknown-key",
    `${showKey(key)} is not known${error.instancePath === "" ? "" : ` in ${showPlace(error.instancePath)}`}`,
    hint,
  );
}

function keyIssue(key: string, schema: Schema): Words {
  return wrong("schema/key", `the key ${showKey(key)} must be ${schema["x-form"] ?? "of another length"}`);
}

function oneOf(at: string, value: unknown, known: readonly string[], error: SchemaError): Words {
  const near = typeof value === "string" ? nearest(value, known) : undefined;
  const choice = known.length === 1 ? `must be ${String(known[0])}` : `must be one of ${known.join(", ")}`;
  const given = mayBeSecret(error.instancePath) ? "" : `, not ${show(value)}`;
  return wrong("schema/value", `${at} ${choice}${given}`, near === undefined ? undefined : `did you mean ${near}?`);
}

function typeInWords(type: string, schema: Schema): string {
  const unitOfIt = unit(schema);
  switch (type) {
    case "string":
      return "text";
    case "integer":
      return `a whole number${unitOfIt === "" ? "" : ` (${unitOfIt.trim()})`}`;
    case "number":
      return `a number${unitOfIt === "" ? "" : ` (${unitOfIt.trim()})`}`;
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    default:
      return "a group of keys";
  }
}

function valueInWords(error: SchemaError): string {
  const { data } = error;
  if (data === null || data === undefined) return "empty";
  if (Array.isArray(data)) return "a list";
  if (typeof data === "object") return "a group of keys";
  if (mayBeSecret(error.instancePath)) return `a ${typeof data}`;
  return typeof data === "string" ? `the text ${show(data)}` : String(data);
}

function typeHint(error: SchemaError): string | undefined {
  const type = String(error.params["type"]);
  if (error.data === null) return "give it a value, or delete the line";
  if (type === "string" && (typeof error.data === "number" || typeof error.data === "boolean")) {
    return "write it in quotes";
  }
  if (type === "array" && typeof error.data !== "object") return "a list has one `- ` line for each entry";
  if (
    (type === "integer" || type === "number") &&
    typeof error.data === "string" &&
    /^-?\d+(\.\d+)?$/.test(error.data)
  ) {
    return "write it without quotes";
  }
  return undefined;
}

function notValue(error: SchemaError): string {
  return mayBeSecret(error.instancePath) ? "" : `, not ${show(error.data)}`;
}

function unit(schema: Schema): string {
  const name = schema["x-unit"];
  return name === undefined || name.length > 12 ? "" : ` ${name}`;
}
