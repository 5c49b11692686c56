/** A field of one value: text, number, choice, yes or no. */

import { useId, type ReactNode } from "react";
import type { Json } from "../../src/core/json.ts";
import { idOf, issuesAt, Required, useForm, type FieldProps } from "./form.tsx";
import { Help, Mistakes } from "./help.tsx";

/** Longer texts are keys and certificates: several lines. */
const lineLength = 4_096;

export function ScalarField({ schema, pointer, name, value, isRequired, set }: FieldProps): ReactNode {
  const form = useForm();
  const id = useId();
  const mistakes = issuesAt(form, pointer);
  const shared = { id: idOf(form, pointer), "aria-invalid": mistakes.some(({ severity }) => severity === "error"), "aria-required": isRequired, "aria-describedby": `${id}-help ${id}-wrong` };
  const usual = schema.default === undefined || typeof schema.default === "object" ? [] : [`Default: \`${shown(schema.default)}\`.`];
  const named = schema["x-unit"] ?? "";
  const unit = named === "" || (schema.description ?? "").toLowerCase().includes(named.toLowerCase()) ? [] : [`In ${named}.`];
  const choices = schema.type === "boolean" ? [true, false] : schema.enum;
  const example = schema.examples?.[0];
  const placeholder = example === undefined || typeof example === "object" ? "" : `e.g. ${String(example)}`;
  const text = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const take = (typed: string): void => set(typed === "" ? undefined : schema.type === "integer" || schema.type === "number" ? numberOr(typed) : typed);
  return (
    <div className="field">
      <label htmlFor={shared.id}>{name}{isRequired && <Required />}</label>
      {choices !== undefined ? (
        <select {...shared} disabled={form.readOnly} value={value === undefined ? "" : shown(value)} onChange={(event) => set(choices.find((each) => shown(each) === event.target.value))}>
          <option value="">{schema.default === undefined ? "not set" : `not set (default: ${shown(schema.default)})`}</option>
          {choices.map((each) => <option key={shown(each)} value={shown(each)}>{shown(each)}</option>)}
          {value !== undefined && !choices.includes(value) && <option value={shown(value)}>{shown(value)}</option>}
        </select>
      ) : (schema.maxLength ?? 0) > lineLength ? (
        <textarea {...shared} readOnly={form.readOnly} rows={4} spellCheck={false} value={text} onChange={(event) => take(event.target.value)} />
      ) : (
        <input {...shared} type="text" inputMode={schema.type === "integer" ? "numeric" : schema.type === "number" ? "decimal" : "text"} readOnly={form.readOnly} spellCheck={false} autoComplete="off" autoCapitalize="none" placeholder={placeholder} value={text} onChange={(event) => take(event.target.value)} />
      )}
      <Help id={`${id}-help`} text={schema.description} more={[...unit, ...(choices === undefined ? usual : [])]} />
      <Mistakes id={`${id}-wrong`} issues={mistakes} />
    </div>
  );
}

/** While it is being written, or where it is none, it stays a text: the service says so at the field. */
function numberOr(typed: string): Json {
  const number = Number(typed);
  return String(number) === typed && Number.isFinite(number) ? number : typed;
}

function shown(value: Json): string {
  return value === true ? "yes" : value === false ? "no" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
