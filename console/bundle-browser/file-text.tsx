/** A file of a bundle: its lines with their numbers, and for the line that is looked at, what caused it. */

import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { ApiProblem, type Api } from "../api.ts";
import { sizeText, type Wanted } from "./bundle-browser.tsx";
import { valueText, visible, type Explanation, type Line, type Origin, type Stretch } from "./explanation.ts";
import type { BundleFile } from "./tree.ts";

export interface FileTextProps {
  readonly api: Api;
  readonly bundle: string;
  readonly file: BundleFile;
  readonly line: number;
  readonly open: (wanted: Wanted) => void;
  readonly specAddress: ((pointer: string) => string) | undefined;
}

export function FileText({ api, bundle, file, line: wanted, open, specAddress }: FileTextProps): ReactNode {
  const { told, problem, more } = useExplanation(api, bundle, file.path, wanted);
  const [at, setAt] = useState(wanted);
  const place = useRef<HTMLOListElement>(null);
  const lines = told?.lines ?? [];
  const here = lines.find(({ line }) => line === at);
  const hasLine = lines.some(({ line }) => line === wanted);
  useEffect(() => {
    setAt(wanted);
    if (hasLine && wanted > 1) focusLine(place.current, wanted);
  }, [wanted, hasLine]);
  const move = (event: KeyboardEvent): void => {
    const step = ({ ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity } as const)[event.key as "Home"];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const first = lines[0]?.line ?? 1;
    focusLine(place.current, Math.max(first, Math.min(first + lines.length - 1, at + step)));
  };
  return (
    <>
      <h2><code>{file.path}</code></h2>
      <p className="soft">{file.role}, {sizeText(file.size)}, mode {file.mode}{told?.source == null ? "" : <>, made of <code>{told.source}</code></>}</p>
      <p className="soft file-sum">SHA-256 <code>{file.sha256}</code></p>
      {problem !== undefined && <p className="note bad" role="alert">{problem}</p>}
      {told?.isText === false && <p className="note">A disk or a container image: it has no lines, and nothing of it is fetched here. It comes from <code>{told.source}</code>; evidence/lock.json has its digest.</p>}
      {told?.isText === true && (
        <div className="file-sides">
          <div className="file-text">
            <ol ref={place} className="file-lines" aria-label={`Lines of ${file.path}; the arrow keys lead from line to line`} onKeyDown={move}>
              {lines.map((line) => <LineRow key={line.line} line={line} isHere={line.line === at} look={setAt} />)}
            </ol>
            {lines.length > 0 && (lines.at(-1)?.line ?? 0) < told.count && <button type="button" className="button small" onClick={more}>Show more of {told.count} lines</button>}
          </div>
          <aside className="file-origins" aria-label="What caused the line" aria-live="polite">{here === undefined ? <p className="soft">Look at a line.</p> : <LineOrigins line={here} source={told.source} open={open} specAddress={specAddress} />}</aside>
        </div>
      )}
    </>
  );
}

/** By the thousand lines; nothing else is fetched. */
function useExplanation(api: Api, bundle: string, file: string, wanted: number): { readonly told: Explanation | undefined; readonly problem: string | undefined; readonly more: () => void } {
  const [told, setTold] = useState<Explanation>();
  const [problem, setProblem] = useState<string>();
  const load = useCallback(async (from: number, signal?: AbortSignal): Promise<void> => {
    try {
      const { body } = await api.get<Explanation>(`/v1/bundles/${encodeURIComponent(bundle)}/explanation?file=${encodeURIComponent(file)}&from=${from}`, signal === undefined ? {} : { signal });
      setTold((before) => ({ ...body, lines: [...(before?.lines ?? []).filter(({ line }) => line < from), ...body.lines] }));
      setProblem(undefined);
    } catch (error) {
      if (signal?.aborted === true) return;
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error.problem.detail);
    }
  }, [api, bundle, file]);
  const last = told?.lines.at(-1)?.line ?? 0;
  useEffect(() => {
    const stop = new AbortController();
    if (told === undefined) void load(1, stop.signal);
    else if (wanted > last && last < told.count && told.isText) void load(last + 1, stop.signal);
    return () => stop.abort();
  }, [load, wanted, last, told === undefined]);
  return { told, problem, more: () => void load(last + 1) };
}

function focusLine(place: HTMLOListElement | null, line: number): void {
  const found = place?.querySelector<HTMLElement>(`[data-line="${line}"]`);
  found?.focus({ preventScroll: true });
  found?.scrollIntoView({ block: "nearest" });
}

function LineRow({ line, isHere, look }: { readonly line: Line; readonly isHere: boolean; readonly look: (line: number) => void }): ReactNode {
  return (
    <li data-line={line.line} tabIndex={isHere ? 0 : -1} className={isHere ? "here" : ""} onFocus={() => look(line.line)} onMouseEnter={() => look(line.line)} onClick={(event) => event.currentTarget.focus({ preventScroll: true })}>
      <span className="file-number" aria-hidden="true">{line.line}</span>
      <code>{partsOf(line).map(({ text, value }, index) => (value === undefined ? visible(text) : <span key={index} className={value.shows ? "shows" : "because"}>{visible(text)}</span>))}</code>
    </li>
  );
}

/** The line cut where a value begins or ends. */
function partsOf({ text, values }: Line): readonly { readonly text: string; readonly value: Stretch | undefined }[] {
  const parts: { readonly text: string; readonly value: Stretch | undefined }[] = [];
  let done = 1;
  for (const value of values) {
    if (value.start < done) continue;
    parts.push({ text: text.slice(done - 1, value.start - 1), value: undefined }, { text: text.slice(value.start - 1, value.end - 1), value });
    done = value.end;
  }
  return [...parts, { text: text.slice(done - 1), value: undefined }].filter((part) => part.text !== "" || part.value !== undefined);
}

interface OriginsProps {
  readonly line: Line;
  readonly source: string | null;
  readonly open: (wanted: Wanted) => void;
  readonly specAddress: ((pointer: string) => string) | undefined;
}

function LineOrigins({ line, source, open, specAddress }: OriginsProps): ReactNode {
  return (
    <>
      <h3>Line {line.line}</h3>
      <p className="soft">{line.template !== null ? <>Template <code>{line.template.path}:{line.template.line}</code></> : source === null ? "" : <>Made of <code>{source}</code></>}</p>
      {line.values.length === 0 && <p>No value caused it: it is the file’s own text.</p>}
      {line.values.map((value, index) => (
        <div key={index} className="file-value">
          <p><code>{visible(valueText(value.text))}</code>{value.shows ? " shows" : " is there because of"}</p>
          <ul>{value.origins.map((origin) => <li key={origin.origin}><OriginText origin={origin} open={open} specAddress={specAddress} /></li>)}</ul>
        </div>
      ))}
    </>
  );
}

function OriginText({ origin, open, specAddress }: { readonly origin: Origin } & Pick<OriginsProps, "open" | "specAddress">): ReactNode {
  const { kind, pointer = "", value, places = [], reason } = origin;
  if (kind === "default" || kind === "constant") return <><span className="tag">{kind}</span> <code>{visible(origin.origin.slice(kind.length + 1))}</code>{reason == null ? "" : `: ${reason}`}</>;
  const [place] = places;
  return (
    <>
      <span className="tag">{kind}</span>{" "}
      {kind === "spec" && specAddress !== undefined ? <a href={specAddress(pointer)}><code>{visible(pointer)}</code></a> : <code>{visible(pointer)}</code>}
      {value === undefined ? "" : <>: <code>{visible(valueText(value))}</code></>}
      {place !== undefined && <>{" "}<button type="button" className="button plain small" onClick={() => open({ path: place.file, line: place.line })}>{place.file}:{place.line}</button></>}
    </>
  );
}
