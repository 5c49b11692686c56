/** The form of a spec: every field of the schema with its help, default and mistakes. What it shows is the YAML's value and nothing else. */

import { createContext, use, useEffect, useId, useRef, useState, type ReactNode } from "react";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { below } from "../../src/core/pointer.ts";
import type { Issue } from "../api.ts";
import { ListField, MapField } from "./collections.tsx";
import { Help, Mistakes } from "./help.tsx";
import { ScalarField } from "./scalar-field.tsx";
import { labelOf, type FormSchema, type Schema } from "./schema.ts";

export interface FormContext {
  readonly schema: FormSchema;
  readonly issues: readonly Issue[];
  readonly readOnly: boolean;
  /** Before each id of a field, so that two editors may be on one page. */
  readonly prefix: string;
}

export const Form = createContext<FormContext | undefined>(undefined);

export function useForm(): FormContext {
  const form = use(Form);
  if (form === undefined) throw new Error("a field outside of a form");
  return form;
}

export interface FieldProps {
  readonly schema: Schema;
  readonly pointer: string;
  readonly name: string;
  /** Undefined: left out. */
  readonly value: Json | undefined;
  readonly isRequired: boolean;
  /** Undefined takes it out. */
  readonly set: (value: Json | undefined) => void;
}

/** The element that gets the focus when somebody is led to a field. */
export function idOf({ prefix }: FormContext, pointer: string): string {
  return `${prefix}${pointer}`;
}

export function issuesAt({ issues }: FormContext, pointer: string): readonly Issue[] {
  return issues.filter((each) => each.pointer === pointer);
}

export function Field(props: FieldProps): ReactNode {
  const form = useForm();
  const schema = form.schema.resolved(props.schema);
  const own = { ...props, schema };
  if (schema.const !== undefined) return null;
  if (schema.oneOf !== undefined) return <VariantField {...own} />;
  if (schema.type === "array") return <ListField {...own} />;
  if (schema.type === "object") return schema.properties === undefined ? <MapField {...own} /> : <GroupField {...own} />;
  return <ScalarField {...own} />;
}

/** Fields of an object in a frame of their own; what is optional and left out is closed. */
function GroupField(props: FieldProps): ReactNode {
  const { name, pointer, schema, value } = props;
  const form = useForm();
  return (
    <Section title={name} pointer={pointer} help={schema.description} isRequired={props.isRequired} isOpen={isFilled(value)}>
      <Mistakes issues={issuesAt(form, pointer)} />
      <Properties {...props} />
    </Section>
  );
}

export function Properties({ schema, pointer, value, set }: Pick<FieldProps, "schema" | "pointer" | "value" | "set">): ReactNode {
  const here = objectOf(value);
  const entries = Object.entries(schema.properties ?? {});
  return entries.map(([key, each]) => (
    <Field
      key={key} schema={each} pointer={below(pointer, key)} name={labelOf(key)} value={here[key]} isRequired={(schema.required ?? []).includes(key)}
      set={(next) => set(withKey(value, key, next, Object.keys(schema.properties ?? {})))}
    />
  ));
}

/** The spec with another value under the key; an object that has become empty goes, unless it stood there empty. */
function withKey(value: Json | undefined, key: string, next: Json | undefined, order: readonly string[]): Json | undefined {
  const before = objectOf(value);
  const entries = Object.entries(before).filter(([each]) => each !== key) as [string, Json][];
  if (next !== undefined) {
    // The key goes where it was, or where the schema has it.
    const at = Object.hasOwn(before, key) ? Object.keys(before).indexOf(key) : entries.findLastIndex(([each]) => order.indexOf(each) < order.indexOf(key)) + 1;
    entries.splice(at, 0, [key, next]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** One of several forms, which the constant of a field tells apart: an address by DHCP, a static one. */
function VariantField(props: FieldProps): ReactNode {
  const { schema, pointer, name, value, set, isRequired } = props;
  const form = useForm();
  const id = useId();
  const variants = (schema.oneOf ?? []).map((each) => form.schema.resolved(each));
  const key = Object.keys(variants[0]?.properties ?? {}).find((each) => variants[0]?.properties?.[each]?.const !== undefined) ?? "mode";
  const valueOf = (variant: Schema): string => String(variant.properties?.[key]?.const ?? "");
  const chosen = String(objectOf(value)[key] ?? "");
  const variant = variants.find((each) => valueOf(each) === chosen);
  const usual = objectOf(schema.default)[key];
  const field = below(pointer, key);
  const choose = (next: string): void => {
    if (next === "") return set(undefined);
    const kept = Object.entries(objectOf(value)).filter(([each]) => each !== key && variants.find((other) => valueOf(other) === next)?.properties?.[each] !== undefined);
    set(Object.fromEntries([[key, next], ...kept]) as JsonObject);
  };
  const mistakes = [...issuesAt(form, pointer), ...issuesAt(form, field)];
  return (
    <div className="form-variant">
      <div className="field">
        <label htmlFor={idOf(form, pointer)}>{name}{isRequired && <Required />}</label>
        <select id={idOf(form, pointer)} value={chosen} disabled={form.readOnly} aria-invalid={mistakes.length > 0} aria-describedby={`${id}-help ${id}-wrong`} onChange={(event) => choose(event.target.value)}>
          <option value="">{usual === undefined ? "not set" : `not set (default: ${String(usual)})`}</option>
          {variants.map((each) => <option key={valueOf(each)} value={valueOf(each)}>{valueOf(each)}</option>)}
          {variant === undefined && chosen !== "" && <option value={chosen}>{chosen}</option>}
        </select>
        <Help id={`${id}-help`} text={variant?.description ?? schema.description} />
        <Mistakes id={`${id}-wrong`} issues={mistakes} />
      </div>
      {variant !== undefined && <Properties schema={variant} pointer={pointer} value={value} set={set} />}
    </div>
  );
}

export function Required(): ReactNode {
  return <span className="form-required"> (required)</span>;
}

/** Opens and closes; the number of mistakes inside shows while it is closed. */
export function Section({ title, pointer, help, isRequired, isOpen, children }: { readonly title: string; readonly pointer: string; readonly help: string | undefined; readonly isRequired: boolean; readonly isOpen: boolean; readonly children: ReactNode }): ReactNode {
  const form = useForm();
  const id = useId();
  const place = useRef<HTMLDetailsElement>(null);
  // The browser's own from then on: what somebody empties does not close under their hands.
  const [wasOpen] = useState(isOpen || isRequired);
  useEffect(() => {
    if (isOpen && place.current !== null) place.current.open = true;
  }, [isOpen]);
  const wrong = form.issues.filter((each) => each.severity === "error" && (each.pointer === pointer || each.pointer.startsWith(`${pointer}/`))).length;
  return (
    <details className="form-section" open={wasOpen} ref={place}>
      <summary id={idOf(form, pointer)} aria-describedby={`${id}-help`}><span className="form-title">{title}</span>{isRequired && <Required />}{wrong > 0 && <> <span className="tag bad">{wrong === 1 ? "1 mistake" : `${wrong} mistakes`}</span></>}</summary>
      <div role="group" aria-label={title} className="form-inside">
        <Help id={`${id}-help`} text={help} />
        {children}
      </div>
    </details>
  );
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function isFilled(value: Json | undefined): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
