/** A spec as YAML: lines with numbers, and while it is written, every mistake at its line. */

import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import type { Api, Issue } from "../api.ts";
import { asProblem } from "../console.tsx";
import { IssueList, ProblemNote } from "./problem.tsx";

export interface SpecTextProps {
  readonly api: Api;
  readonly value: string;
  readonly onChange: (yaml: string) => void;
  readonly onValidity: (valid: boolean) => void;
  readonly readOnly?: boolean;
  /** What the service has refused when it was to be kept. */
  readonly refused?: readonly Issue[];
}

/** Long enough to end a word. */
const quietMs = 400;

export function SpecText({ api, value, onChange, onValidity, readOnly = false, refused = [] }: SpecTextProps): ReactNode {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const found = useValidation(api, value, readOnly, onValidity);
  const issues = [...refused, ...found.issues.filter((each) => !refused.some((other) => other.code === each.code && other.pointer === each.pointer))];
  const errors = issues.filter(({ severity }) => severity === "error").length;
  const go = ({ line = 1, column = 1 }: Issue): void => {
    const place = offsetOf(value, line, column);
    const field = area.current;
    if (field === null) return;
    field.focus();
    field.setSelectionRange(place, endOfLine(value, place));
    field.scrollTop = Math.max(0, (line - 8) * lineHeight(field));
  };
  return (
    <div className={readOnly ? "" : "editor"}>
      <div>
        <label htmlFor={id} className={readOnly ? "visually-hidden" : "label"}>Spec (YAML)</label>
        <div className="lined">
          <Gutter lines={value.split("\n").length} issues={issues} place={gutter} />
          <textarea
            ref={area} id={id} value={value} readOnly={readOnly} spellCheck={false} autoCapitalize="none" autoComplete="off" wrap="off" rows={24}
            aria-invalid={errors > 0} aria-describedby={`${id}-verdict`} onChange={(event) => onChange(event.target.value)}
            onScroll={(event) => { if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop; }}
          />
        </div>
      </div>
      {!readOnly && (
        <section className={`card verdict ${errors > 0 ? "bad" : issues.length > 0 ? "look" : ""}`} aria-label="What the check says">
          <h2>Check</h2>
          <p id={`${id}-verdict`} role="status">{verdict(value, found.isChecking, errors, issues.length - errors)}</p>
          {issues.length > 0 && <IssueList issues={issues} go={go} />}
          <ProblemNote problem={found.problem} />
        </section>
      )}
    </div>
  );
}

function verdict(value: string, isChecking: boolean, errors: number, warnings: number): string {
  if (value.trim() === "") return "Write or paste a spec; it is checked while you write.";
  if (isChecking) return "Checking …";
  const said = [errors === 0 ? "" : `${errors} ${errors === 1 ? "mistake" : "mistakes"}`, warnings === 0 ? "" : `${warnings} ${warnings === 1 ? "warning" : "warnings"}`].filter((each) => each !== "");
  return said.length === 0 ? "No mistake was found." : `${said.join(", ")}.`;
}

function Gutter({ lines, issues, place }: { readonly lines: number; readonly issues: readonly Issue[]; readonly place: React.RefObject<HTMLDivElement | null> }): ReactNode {
  const worst = new Map<number, string>();
  for (const { line, severity } of issues) if (line !== undefined && worst.get(line) !== "bad") worst.set(line, severity === "error" ? "bad" : "look");
  return <div className="gutter" ref={place} aria-hidden="true">{Array.from({ length: lines }, (_, index) => <div key={index} className={worst.get(index + 1) ?? ""}>{index + 1}</div>)}</div>;
}

interface Found {
  readonly isChecking: boolean;
  readonly issues: readonly Issue[];
  readonly problem: ReturnType<typeof asProblem> | undefined;
}

function useValidation(api: Api, value: string, readOnly: boolean, onValidity: (valid: boolean) => void): Found {
  const [found, setFound] = useState<Found>({ isChecking: false, issues: [], problem: undefined });
  const heard = useRef(onValidity);
  heard.current = onValidity;
  useEffect(() => {
    if (readOnly || value.trim() === "") {
      setFound({ isChecking: false, issues: [], problem: undefined });
      heard.current(false);
      return;
    }
    const stop = new AbortController();
    setFound((before) => ({ ...before, isChecking: true }));
    const check = setTimeout(() => {
      api.post<{ readonly valid: boolean; readonly issues: readonly Issue[] }>("/v1/cloudlets/validate", value, { type: "application/yaml", signal: stop.signal }).then(
        ({ body }) => {
          if (stop.signal.aborted) return;
          setFound({ isChecking: false, issues: body.issues, problem: undefined });
          heard.current(body.valid);
        },
        // The service checks again when it is to be kept: not to have checked it now is no reason to keep it back.
        (error: unknown) => stop.signal.aborted || (setFound({ isChecking: false, issues: [], problem: asProblem(error) }), heard.current(true)),
      );
    }, quietMs);
    return () => {
      clearTimeout(check);
      stop.abort();
    };
  }, [api, value, readOnly]);
  return found;
}

function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  return lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

function lineHeight(field: HTMLTextAreaElement): number {
  return Number.parseFloat(getComputedStyle(field).lineHeight) || 19.5;
}
