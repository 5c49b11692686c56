/** Fields of several values: lists, and maps whose keys are free. All of it can be done with the keyboard alone. */

import { useEffect, useId, useRef, type ReactNode } from "react";
import type { Json } from "../../src/core/json.ts";
import { below } from "../../src/core/pointer.ts";
import { Field, idOf, isFilled, issuesAt, objectOf, Section, useForm, type FieldProps } from "./form.tsx";
import { Mistakes } from "./help.tsx";
import type { Schema } from "./schema.ts";

export function ListField({ schema, pointer, name, value, isRequired, set }: FieldProps): ReactNode {
  const form = useForm();
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  const each = form.schema.resolved(schema.items ?? {});
  const one = singular(name);
  const { place, focusOn } = useFocusOn();
  const add = (): void => {
    set([...items, emptyOf(form.schema.resolved, each)]);
    focusOn(`[data-item="${items.length}"] :is(input, select, textarea)`);
  };
  const remove = (index: number): void => {
    const left = items.filter((_, at) => at !== index);
    set(left.length === 0 && !isRequired ? undefined : left);
    // Where one was, the next one is; else the button that adds.
    focusOn(left.length === 0 ? "[data-add]" : `[data-item="${Math.min(index, left.length - 1)}"] :is(input, select, textarea)`);
  };
  const move = (index: number, to: number): void => {
    const moved = [...items];
    moved.splice(to, 0, ...moved.splice(index, 1));
    set(moved);
    focusOn(`[data-item="${to}"] [data-move="${to > index ? "down" : "up"}"]:not(:disabled), [data-item="${to}"] [data-move]:not(:disabled)`);
  };
  return (
    <Section title={name} pointer={pointer} help={schema.description} isRequired={isRequired} isOpen={items.length > 0}>
      <Mistakes issues={issuesAt(form, pointer)} />
      <div ref={place}>
        {items.map((item, index) => (
          <div key={index} data-item={index} className="form-item" role="group" aria-label={titleOf(one, index, item)}>
            <Field schema={each} pointer={below(pointer, index)} name={titleOf(one, index, item)} value={item} isRequired={false} set={(next) => (next === undefined && typeof item !== "object" ? set(items.map((other, at) => (at === index ? "" : other))) : set(items.map((other, at) => (at === index ? (next ?? {}) : other))))} />
            {!form.readOnly && (
              <div className="row form-buttons">
                <button type="button" className="button small" data-move="up" disabled={index === 0} aria-label={`Move ${titleOf(one, index, item)} up`} onClick={() => move(index, index - 1)}>Up</button>
                <button type="button" className="button small" data-move="down" disabled={index === items.length - 1} aria-label={`Move ${titleOf(one, index, item)} down`} onClick={() => move(index, index + 1)}>Down</button>
                <button type="button" className="button small danger" aria-label={`Remove ${titleOf(one, index, item)}`} onClick={() => remove(index)}>Remove</button>
              </div>
            )}
          </div>
        ))}
        {!form.readOnly && items.length < (schema.maxItems ?? Infinity) && <button type="button" data-add className="button small" onClick={add}>Add {begun(one)}</button>}
      </div>
    </Section>
  );
}

export function MapField({ schema, pointer, name, value, isRequired, set }: FieldProps): ReactNode {
  const form = useForm();
  const id = useId();
  const entries = Object.entries(objectOf(value)) as [string, Json][];
  const each = typeof schema.additionalProperties === "object" ? form.schema.resolved(schema.additionalProperties) : undefined;
  const { place, focusOn } = useFocusOn();
  if (each === undefined) return null;
  const change = (next: readonly (readonly [string, Json])[]): void => set(next.length === 0 && !isRequired ? undefined : Object.fromEntries(next));
  const add = (): void => {
    let fresh = "NAME";
    for (let number = 2; entries.some(([key]) => key === fresh); number += 1) fresh = `NAME_${number}`;
    change([...entries, [fresh, emptyOf(form.schema.resolved, each)]]);
    focusOn(`[data-item="${entries.length}"] input`);
  };
  return (
    <Section title={name} pointer={pointer} help={schema.description} isRequired={isRequired} isOpen={isFilled(value)}>
      <Mistakes issues={issuesAt(form, pointer)} />
      <div ref={place}>
        {entries.map(([key, item], index) => (
          <div key={index} data-item={index} className="form-item" role="group" aria-label={key}>
            <div className="field">
              <label htmlFor={`${id}-${index}`}>Name</label>
              <input id={`${id}-${index}`} type="text" defaultValue={key} readOnly={form.readOnly} spellCheck={false} autoComplete="off" key={key} onBlur={({ target }) => { if (target.value !== key && target.value !== "" && !entries.some(([other]) => other === target.value)) change(entries.map((entry, at) => (at === index ? [target.value, item] : entry))); else target.value = key; }} />
            </div>
            <Field schema={each} pointer={below(pointer, key)} name={`Value of ${key}`} value={item} isRequired={false} set={(next) => change(entries.map((entry, at) => (at === index ? [key, next ?? (typeof item === "object" ? {} : "")] : entry)))} />
            {!form.readOnly && <div className="row form-buttons"><button type="button" className="button small danger" aria-label={`Remove ${key}`} onClick={() => { change(entries.filter((_, at) => at !== index)); focusOn("[data-add]"); }}>Remove</button></div>}
          </div>
        ))}
        {!form.readOnly && <button type="button" data-add className="button small" id={`${idOf(form, pointer)}-add`} onClick={add}>Add a name</button>}
      </div>
    </Section>
  );
}

/** Leads the focus to something that is there only after the change. */
function useFocusOn(): { readonly place: React.RefObject<HTMLDivElement | null>; readonly focusOn: (selector: string) => void } {
  const place = useRef<HTMLDivElement>(null);
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const found = place.current?.querySelector<HTMLElement>(wanted.current);
    if (found === null || found === undefined) return;
    wanted.current = undefined;
    found.focus();
  });
  return { place, focusOn: (selector) => (wanted.current = selector) };
}

/** What a new item is: an object with its required fields empty, or an empty text. */
function emptyOf(resolved: (schema: Schema) => Schema, schema: Schema): Json {
  if (schema.type === "object") return Object.fromEntries((schema.required ?? []).filter((key) => resolved(schema.properties?.[key] ?? {}).type === "string").map((key) => [key, first(resolved(schema.properties?.[key] ?? {}))]));
  return first(schema);
}

function first(schema: Schema): Json {
  return schema.enum?.[0] ?? "";
}

function titleOf(one: string, index: number, item: Json): string {
  const { name } = objectOf(item);
  return `${one} ${index + 1}${typeof name === "string" && name !== "" ? `: ${name}` : ""}`;
}

/** Inside a sentence: abbreviations stay as they are. */
function begun(name: string): string {
  return /^[A-Z][a-z]/.test(name) ? name.slice(0, 1).toLowerCase() + name.slice(1) : name;
}

function singular(name: string): string {
  if (/^(External|Internal)$/.test(name)) return `${name} network`;
  if (/^(Ingress|Egress)$/.test(name)) return `${name} rule`;
  return /[^s]s$/.test(name) && !/^(DNS)$/.test(name) ? name.slice(0, -1) : name === "DNS" || name === "NTP" ? `${name} server` : name === "From" ? "Block" : name;
}
