/** A spec written as a form and as YAML at once: each follows the other, and the service checks both while they are written. */

import { useEffect, useId, useMemo, useRef, useState, type ReactNode } from "react";
import type { Json } from "../../src/core/json.ts";
import { isSame, patchYaml } from "../../src/spec/patch-yaml.ts";
import { readYaml } from "../../src/spec/read-yaml.ts";
import { ApiProblem, type Api, type Issue } from "../api.ts";
import { Form, idOf, objectOf, Properties, type FormContext } from "./form.tsx";
import { Picture } from "./picture.tsx";
import { Marked } from "../parts/marked.tsx";
import { formSchema, labelOf, type Schema } from "./schema.ts";
import { Start } from "./start.tsx";
import { useChecked } from "./use-checked.ts";
import { YamlEditor, type YamlEditorHandle } from "./yaml-editor.tsx";

export interface SpecEditorProps {
  readonly api: Api;
  /** YAML, or JSON. */
  readonly value: string;
  readonly onChange: (yaml: string) => void;
  readonly onValidity: (valid: boolean) => void;
  /** What the service has refused when it was to be kept. */
  readonly refused?: readonly Issue[];
  /** What ends the work; always in sight. */
  readonly actions: ReactNode;
}

export function SpecEditor({ api, value, onChange, onValidity, refused = [], actions }: SpecEditorProps): ReactNode {
  const prefix = `${useId()}field`;
  const platforms = usePlatforms(api);
  const checked = useChecked(api, value, onValidity);
  const issues = useMemo(() => [...refused, ...checked.issues.filter((each) => !refused.some((other) => other.code === each.code && other.pointer === each.pointer))], [refused, checked.issues]);
  const written = useMemo(() => valueOf(value), [value]);
  const yaml = useRef<YamlEditorHandle>(null);
  const platform = objectOf(objectOf(written)["platform"])["type"];
  const schema = useMemo(() => formSchema(typeof platform === "string" ? platform : undefined, platforms), [platform, platforms]);
  const form: FormContext = { schema, issues, readOnly: false, prefix };
  const set = (next: Json | undefined): void => {
    const whole = fitted(next ?? {}, written);
    if (isSame(whole, written)) return;
    const patched = patchYaml(value.trim() === "" ? "{}\n" : value, whole);
    if (patched !== undefined) onChange(patched);
  };
  const go = (issue: Issue): void => {
    if (!focusField(form, issue.pointer)) yaml.current?.go(issue);
  };
  return (
    <div className="spec-editor">
      <Start api={api} platforms={platforms} value={value} onChange={onChange} />
      <Verdict checked={checked} issues={issues} go={go} goToLine={(issue) => yaml.current?.go(issue)} isEmpty={value.trim() === ""} />
      <div className="spec-sides">
        <section className="card spec-form" aria-label="Spec as a form">
          <h2>Form</h2>
          {written === undefined ? <p role="status">The form comes back when the YAML can be read.</p> : <Form value={form}><Fields schema={schema.root} value={written} set={set} /></Form>}
        </section>
        <div className="spec-text">
          <Picture svg={checked.picture} state={checked.state} />
          <section className="card" aria-label="Spec as YAML">
            <h2>YAML</h2>
            <YamlEditor ref={yaml} label="Spec (YAML)" value={value} onChange={onChange} issues={issues} readOnly={false} />
          </section>
        </div>
      </div>
      <div className="send">{actions}<FirstMistake issues={issues} go={go} /></div>
    </div>
  );
}

/** Undefined where the text is not one sound document of keys: then there is nothing for a form. An empty text is an empty one. */
function valueOf(text: string): Json | undefined {
  if (text.trim() === "") return {};
  const { value, issues } = readYaml(text);
  return issues.length > 0 || typeof value !== "object" || value === null || Array.isArray(value) ? undefined : value;
}

/** A new document has its version and kind; with another platform, the parameters of the one before mean nothing. */
function fitted(next: Json, before: Json | undefined): Json {
  const spec = { apiVersion: "cloudlet-bundle/v1", kind: "Cloudlet", ...objectOf(next) };
  const [old, now] = [objectOf(objectOf(before)["platform"]), objectOf(spec["platform" as keyof typeof spec])];
  return old["type"] === now["type"] || now["type"] === undefined || !isSame(old["parameters"], now["parameters"]) ? spec : { ...spec, platform: { type: now["type"] } as Json };
}

/** What is one value stands first, in one group; then a section each. */
function Fields({ schema, value, set }: { readonly schema: Schema; readonly value: Json; readonly set: (next: Json | undefined) => void }): ReactNode {
  const isPlain = (each: Schema): boolean => each.type !== "object" && each.type !== "array" && each.oneOf === undefined && each.$ref === undefined;
  const some = (plain: boolean): Schema => ({ ...schema, properties: Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([, each]) => isPlain(each) === plain)) });
  return (
    <>
      <div className="form-plain"><Properties schema={some(true)} pointer="" value={value} set={set} /></div>
      <Properties schema={some(false)} pointer="" value={value} set={set} />
    </>
  );
}

function usePlatforms(api: Api): readonly string[] {
  const [platforms, setPlatforms] = useState<readonly string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    api.get<{ readonly items: readonly { readonly platform: string }[] }>("/v1/starters", { signal: stop.signal }).then(
      ({ body }) => setPlatforms(body.items.map(({ platform }) => platform)),
      // The form does without the list: the platform is a text then.
      (error: unknown) => { if (!stop.signal.aborted && !(error instanceof ApiProblem)) throw error; },
    );
    return () => stop.abort();
  }, [api]);
  return platforms;
}

interface VerdictProps {
  readonly checked: ReturnType<typeof useChecked>;
  readonly issues: readonly Issue[];
  readonly go: (issue: Issue) => void;
  readonly goToLine: (issue: Issue) => void;
  readonly isEmpty: boolean;
}

function Verdict({ checked, issues, go, goToLine, isEmpty }: VerdictProps): ReactNode {
  const errors = issues.filter(({ severity }) => severity === "error").length;
  const said = isEmpty ? "Fill in the form, or begin with a template; it is checked while you write." : checked.state === "checking" ? "Checking …" : checked.problem ?? verdict(errors, issues.length - errors);
  return (
    <section className={`note ${isEmpty || checked.state === "checking" ? "" : errors > 0 || checked.problem !== undefined ? "bad" : issues.length > 0 ? "look" : "good"}`} aria-label="What the check says">
      <p role="status">{said}</p>
      {issues.length > 0 && (
        <ul className="spec-issues">{issues.map((issue, index) => (
          <li key={index}>
            <span className={`tag ${issue.severity === "error" ? "bad" : "look"}`}>{issue.severity}</span>{" "}
            <button type="button" className="button plain small" onClick={() => go(issue)}>{issue.pointer === "" ? "the spec" : issue.pointer.slice(1).split("/").map(labelOf).join(" › ")}</button>
            {issue.line !== undefined && <>{" "}<button type="button" className="button plain small" onClick={() => goToLine(issue)}>line {issue.line}</button></>}
            {": "}<Marked text={issue.message} />{issue.hint !== undefined && <span className="soft">; <Marked text={issue.hint} /></span>}
          </li>
        ))}</ul>
      )}
    </section>
  );
}

/** The list of mistakes is far away in a long form. */
function FirstMistake({ issues, go }: { readonly issues: readonly Issue[]; readonly go: (issue: Issue) => void }): ReactNode {
  const errors = issues.filter(({ severity }) => severity === "error");
  const [first] = errors;
  return first === undefined ? null : <button type="button" className="button plain" onClick={() => go(first)}>{errors.length === 1 ? "Show the mistake" : `Show the first of ${errors.length} mistakes`}</button>;
}

function verdict(errors: number, warnings: number): string {
  const counted = (count: number, word: string): readonly string[] => (count === 0 ? [] : [`${count} ${word}${count === 1 ? "" : "s"}`]);
  const all = [...counted(errors, "mistake"), ...counted(warnings, "warning")];
  return all.length === 0 ? "No mistake was found." : `${all.join(", ")}.`;
}

/** The field at the pointer, or the nearest one around it; false where the form has none. */
function focusField(form: FormContext, pointer: string): boolean {
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = document.getElementById(idOf(form, at));
    if (found === null) continue;
    for (let around = found.closest("details"); around !== null; around = around.parentElement?.closest("details") ?? null) around.open = true;
    found.focus();
    found.scrollIntoView({ block: "center" });
    return true;
  }
  return false;
}

