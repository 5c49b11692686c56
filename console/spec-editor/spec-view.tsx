/** A spec to be read: its YAML, and the picture of its networks. */

import type { ReactNode } from "react";
import type { Api } from "../api.ts";
import { Picture } from "./picture.tsx";
import { useChecked } from "./use-checked.ts";
import { YamlEditor } from "./yaml-editor.tsx";

export interface SpecViewProps {
  readonly api: Api;
  readonly label: string;
  readonly value: string;
}

export function SpecView({ api, label, value }: SpecViewProps): ReactNode {
  const checked = useChecked(api, value, () => undefined);
  return (
    <div className="spec-view">
      <Picture svg={checked.picture} state={checked.state} />
      <section className="card" aria-label="Spec as YAML"><YamlEditor label={label} value={value} onChange={() => undefined} issues={checked.issues} readOnly /></section>
    </div>
  );
}
