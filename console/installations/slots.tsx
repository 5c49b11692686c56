/** The other secrets that a bundle asks for, as its site/secrets.template names them. */

import { useState, type ReactNode } from "react";
import { FileField, TextField } from "../parts/field.tsx";
import { sizeText } from "../parts/words.tsx";
import type { Slot } from "./bundle-asks.ts";

export function SlotFields({ slots, values, onChange }: { readonly slots: readonly Slot[]; readonly values: Readonly<Record<string, string>>; readonly onChange: (values: Readonly<Record<string, string>>) => void }): ReactNode {
  return slots.map((slot) => <SlotField key={slot.name} slot={slot} value={values[slot.name] ?? ""} onChange={(value) => onChange({ ...values, [slot.name]: value })} />);
}

function SlotField({ slot: { name, description, isRequired, maxBytes }, value, onChange }: { readonly slot: Slot; readonly value: string; readonly onChange: (value: string) => void }): ReactNode {
  const [wrong, setWrong] = useState<string>();
  const take = (file: File | undefined): void => {
    setWrong(undefined);
    if (file === undefined) return;
    if (file.size > maxBytes) return setWrong(`It has ${sizeText(file.size)}; at most ${sizeText(maxBytes)} fit.`);
    file.arrayBuffer().then((bytes) => onChange(`base64:${base64Of(new Uint8Array(bytes))}`), () => setWrong("The file can't be read. Choose it again."));
  };
  return (
    <div className="field">
      <TextField label={description} name={name} type="password" autoComplete="new-password" value={value} onChange={onChange} isRequired={isRequired} hint={<><code>{name}</code>, at most {sizeText(maxBytes)}{isRequired ? "" : "; may stay empty"}. Once it was given, going on needs the very same.</>} />
      <FileField label={`Or a file for ${name}`} accept="" onFile={take} error={wrong} />
    </div>
  );
}

/** Any bytes pass in a secrets file that way. */
function base64Of(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
