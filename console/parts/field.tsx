/** Fields of forms: label, hint and error belong to the field, for a screen reader as well. */

import { useId, type ReactNode, type SelectHTMLAttributes } from "react";
import { FieldError, Input, Label, Text, TextArea, TextField as AriaTextField, type InputProps } from "react-aria-components";

export interface TextFieldProps {
  readonly label: string;
  /** As the API names it: errors come back under this name. */
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly type?: "text" | "password" | "number";
  readonly autoComplete?: string;
  readonly isRequired?: boolean;
  readonly autoFocus?: boolean;
  readonly readOnly?: boolean;
  readonly input?: InputProps;
}

export function TextField({ label, name, value, onChange, hint, error, type = "text", autoComplete = "off", isRequired = false, autoFocus = false, readOnly = false, input }: TextFieldProps): ReactNode {
  return (
    <AriaTextField className="field" name={name} value={value} onChange={onChange} type={type} autoComplete={autoComplete} isRequired={isRequired} autoFocus={autoFocus} isReadOnly={readOnly} isInvalid={error !== undefined} validationBehavior="aria">
      <Label>{label}</Label>
      <Input spellCheck="false" autoCapitalize="none" {...input} />
      {hint !== undefined && <Text slot="description" className="hint">{hint}</Text>}
      <FieldError className="wrong">{error}</FieldError>
    </AriaTextField>
  );
}

/** Of several lines; `isMasked` shows dots to whoever looks over the shoulder. */
export function LinesField({ label, name, value, onChange, hint, error, rows = 6, isMasked = false }: Pick<TextFieldProps, "label" | "name" | "value" | "onChange" | "hint" | "error"> & { readonly rows?: number; readonly isMasked?: boolean }): ReactNode {
  return (
    <AriaTextField className="field" name={name} value={value} onChange={onChange} autoComplete="off" isInvalid={error !== undefined} validationBehavior="aria">
      <Label>{label}</Label>
      <TextArea rows={rows} className={isMasked ? "masked" : ""} spellCheck="false" autoCapitalize="none" wrap="off" />
      {hint !== undefined && <Text slot="description" className="hint">{hint}</Text>}
      <FieldError className="wrong">{error}</FieldError>
    </AriaTextField>
  );
}

/** One of a few, each with what it means. */
export function RadioField<T extends string>({ label, name, value, onChange, choices }: { readonly label: string; readonly name: string; readonly value: T; readonly onChange: (value: T) => void; readonly choices: readonly { readonly value: T; readonly name: string; readonly hint?: ReactNode }[] }): ReactNode {
  const id = useId();
  return (
    <fieldset className="radios">
      <legend>{label}</legend>
      {choices.map((choice) => (
        <div key={choice.value} className="check">
          <input type="radio" id={`${id}-${choice.value}`} name={`${name}-${id}`} checked={choice.value === value} onChange={() => onChange(choice.value)} aria-describedby={choice.hint === undefined ? undefined : `${id}-${choice.value}-hint`} />
          <div><label htmlFor={`${id}-${choice.value}`}>{choice.name}</label>{choice.hint !== undefined && <div className="soft" id={`${id}-${choice.value}-hint`}>{choice.hint}</div>}</div>
        </div>
      ))}
    </fieldset>
  );
}

export interface Choice {
  readonly value: string;
  readonly name: string;
}

/** The browser's own list: every screen reader, phone and keyboard knows it. */
export function SelectField({ label, value, onChange, choices, hint, error, ...rest }: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void; readonly choices: readonly Choice[]; readonly hint?: ReactNode; readonly error?: string | undefined } & Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange">): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select {...rest} id={id} value={value} onChange={(event) => onChange(event.target.value)} aria-invalid={error !== undefined} aria-describedby={`${id}-hint ${id}-error`}>
        {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.name}</option>)}
      </select>
      {hint !== undefined && <span className="hint" id={`${id}-hint`}>{hint}</span>}
      {error !== undefined && <span className="wrong" id={`${id}-error`}>{error}</span>}
    </div>
  );
}

/** A file from the reader's machine; it is read when it is sent. A browser tells nothing when the same one is chosen again, changed perhaps: so each choice begins anew. */
export function FileField({ label, accept, onFile, hint, error }: { readonly label: string; readonly accept: string; readonly onFile: (file: File | undefined) => void; readonly hint?: ReactNode; readonly error?: string | undefined }): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type="file" accept={accept} onClick={(event) => { event.currentTarget.value = ""; onFile(undefined); }} onChange={(event) => onFile(event.target.files?.[0])} aria-invalid={error !== undefined} aria-describedby={`${id}-hint ${id}-error`} />
      {hint !== undefined && <span className="hint" id={`${id}-hint`}>{hint}</span>}
      {error !== undefined && <span className="wrong" id={`${id}-error`}>{error}</span>}
    </div>
  );
}
