/** Parameters of an installation: what only the site knows, each by its name. */

import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

/** Rows without a name are left out. */
export function parametersOf(rows: readonly Parameter[]): Readonly<Record<string, string>> {
  return Object.fromEntries(rows.filter(({ name }) => name.trim() !== "").map(({ name, value }) => [name.trim(), value]));
}

export function ParameterFields({ parameters, onChange, known }: { readonly parameters: readonly Parameter[]; readonly onChange: (parameters: readonly Parameter[]) => void; readonly known: readonly string[] }): ReactNode {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const focusAt = useRef<number | "add">(undefined);
  useEffect(() => {
    const at = focusAt.current;
    focusAt.current = undefined;
    if (at === "add") box.current?.querySelector<HTMLElement>("[data-add] button")?.focus();
    else if (at !== undefined) box.current?.querySelectorAll<HTMLElement>(".parameter")[at]?.querySelector("input")?.focus();
  }, [parameters.length]);
  const set = (at: number, change: Partial<Parameter>): void => onChange(parameters.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const names = new Set(parameters.map(({ name }) => name.trim()).filter((name, at, all) => name !== "" && all.indexOf(name) !== at));
  return (
    <div ref={box}>
      <p>What only the site knows: a flavor, a network's name there. None is needed where the spec names what the site has.</p>
      {known.length > 0 && <datalist id={`${id}-known`}>{known.map((name) => <option key={name} value={name} />)}</datalist>}
      {parameters.map((each, at) => (
        <div key={at} className="parameter">
          <TextField label="Name" name={`parameter-${at}`} value={each.name} onChange={(name) => set(at, { name })} error={names.has(each.name.trim()) ? "It is there twice; the last one counts." : undefined} input={known.length === 0 ? {} : { list: `${id}-known` }} />
          <TextField label="Value" name={`value-${at}`} value={each.value} onChange={(value) => set(at, { value })} />
          <Button className="button" aria-label={`Take out ${each.name === "" ? "this parameter" : each.name}`} onPress={() => { focusAt.current = "add"; onChange(parameters.filter((_, index) => index !== at)); }}>Take out</Button>
        </div>
      ))}
      <div className="row parameter-add" data-add=""><Button className="button small" onPress={() => { focusAt.current = parameters.length; onChange([...parameters, { name: "", value: "" }]); }}>Add a parameter</Button></div>
    </div>
  );
}
