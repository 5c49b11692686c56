/** What changed from one bundle to another, group by group, with the lines that show it in both. */

import { useEffect, useId, useMemo, useState, type ReactNode } from "react";
import { ApiProblem, type Api } from "../api.ts";
import { valueText, visible, type Place } from "./explanation.ts";

export interface BundleDiffProps {
  readonly api: Api;
  readonly before: { readonly id: string };
  readonly after: { readonly id: string };
}

interface Sides<T> {
  readonly before: readonly T[];
  readonly after: readonly T[];
}

interface FileLines {
  readonly file: string;
  readonly lines: readonly number[];
  readonly shown: readonly { readonly line: number; readonly text: string }[];
}

interface Difference {
  readonly group: Group;
  readonly severity: "high" | "medium" | "low" | "none";
  readonly subject: string;
  readonly kind: "added" | "removed" | "changed" | "moved";
  readonly name: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly origins: Sides<{ readonly origin: string; readonly place?: Place; readonly reason?: string }>;
  readonly lines: Sides<FileLines>;
}

/** In the order in which an auditor wants them, as `cloudlet-bundle diff` has it. */
const groups = {
  exposure: "who can reach the PlatformVM, and whom it talks to",
  privilege: "who may do what: users, keys, authorities, secrets, the signer",
  software: "what runs: image, containers, scripts, templates, the generator",
  data: "what the cloudlet is called and told, without one of the above",
  sizing: "how much of the IaaS it takes",
  cosmetic: "descriptions, white space, the order of keys",
} as const;
type Group = keyof typeof groups;
const names = Object.keys(groups) as readonly Group[];

export function BundleDiff({ api, before, after }: BundleDiffProps): ReactNode {
  const id = useId();
  const { found, problem } = useDifferences(api, before.id, after.id);
  const [hidden, setHidden] = useState<ReadonlySet<Group>>(new Set());
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const shown = useMemo(() => (found ?? []).filter((each) => !hidden.has(each.group) && (wanted === "" || JSON.stringify(each).toLowerCase().includes(wanted))), [found, hidden, wanted]);
  if (problem !== undefined) return <p className="note bad" role="alert">{problem}</p>;
  if (found === undefined) return <p role="status">Comparing …</p>;
  const toggle = (group: Group): void => setHidden((now) => new Set(now.has(group) ? [...now].filter((each) => each !== group) : [...now, group]));
  return (
    <div className="bundle-diff">
      <section className="card" aria-label="Filter">
        <div className="field"><label htmlFor={`${id}-words`}>Show only what has</label><input id={`${id}-words`} type="search" value={words} spellCheck={false} autoComplete="off" onChange={(event) => setWords(event.target.value)} /><span className="hint" role="status">{found.length === 0 ? "No difference: the same files, the same signer." : shown.length === found.length ? `${found.length} ${found.length === 1 ? "difference" : "differences"}` : `${shown.length} of ${found.length} differences`}</span></div>
        <fieldset className="diff-groups"><legend>Groups</legend>{names.map((group) => <label key={group} className="check"><input type="checkbox" checked={!hidden.has(group)} disabled={!found.some((each) => each.group === group)} onChange={() => toggle(group)} /><span>{group} ({found.filter((each) => each.group === group).length})</span></label>)}</fieldset>
      </section>
      {names.filter((group) => shown.some((each) => each.group === group)).map((group) => {
        const own = shown.filter((each) => each.group === group);
        return (
          <section key={group} className="card" aria-labelledby={`${id}-${group}`}>
            <h2 id={`${id}-${group}`}>{group} <span className={`tag ${tags[own[0]?.severity ?? "none"]}`}>severity {own[0]?.severity}</span></h2>
            <p className="soft">{groups[group]}</p>
            {own.map((each, index) => <DifferenceText key={index} difference={each} />)}
          </section>
        );
      })}
    </div>
  );
}

const tags = { high: "bad", medium: "look", low: "", none: "" } as const;

function useDifferences(api: Api, before: string, after: string): { readonly found: readonly Difference[] | undefined; readonly problem: string | undefined } {
  const [state, setState] = useState<{ readonly found: readonly Difference[] | undefined; readonly problem: string | undefined }>({ found: undefined, problem: undefined });
  useEffect(() => {
    const stop = new AbortController();
    setState({ found: undefined, problem: undefined });
    api.get<{ readonly differences: readonly Difference[] }>(`/v1/bundles/${encodeURIComponent(before)}/diff/${encodeURIComponent(after)}`, { signal: stop.signal }).then(
      ({ body }) => setState({ found: body.differences, problem: undefined }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiProblem)) throw error;
        setState({ found: undefined, problem: error.problem.detail });
      },
    );
    return () => stop.abort();
  }, [api, before, after]);
  return state;
}

function DifferenceText({ difference: { subject, kind, name, before, after, origins, lines } }: { readonly difference: Difference }): ReactNode {
  const title = [subject, name].filter((word) => word !== "").join(" ");
  const count = lines.before.length + lines.after.length;
  return (
    <article className="diff-one">
      <h3><span className="tag">{kind}</span> <code>{visible(title)}</code></h3>
      {(before !== undefined || after !== undefined) && <p className="diff-values">{before !== undefined && <del>{visible(valueText(before))}</del>}{before !== undefined && after !== undefined && <span aria-hidden="true"> → </span>}{after !== undefined && <ins>{visible(valueText(after))}</ins>}</p>}
      <Origins origins={origins} />
      {count > 0 && <details><summary>{count === 1 ? "1 file shows it" : `Lines that show it, in ${new Set([...lines.before, ...lines.after].map(({ file }) => file)).size} files`}</summary><div className="diff-sides"><Lines title="Before" all={lines.before} /><Lines title="After" all={lines.after} /></div></details>}
    </article>
  );
}

function Origins({ origins }: { readonly origins: Difference["origins"] }): ReactNode {
  const all = (["before", "after"] as const).flatMap((side) => origins[side].flatMap(({ origin, place, reason }) => (place !== undefined ? [`${side}: ${place.file}:${place.line}`] : reason !== undefined ? [`${side}: ${origin}, ${reason}`] : [])));
  return all.length === 0 ? null : <p className="soft">{[...new Set(all)].slice(0, 6).join("; ")}</p>;
}

function Lines({ title, all }: { readonly title: string; readonly all: readonly FileLines[] }): ReactNode {
  return (
    <div>
      <h4>{title}</h4>
      {all.length === 0 && <p className="soft">No line.</p>}
      {all.map(({ file, lines, shown }) => (
        <div key={file}>
          <p><code>{visible(file)}</code></p>
          <table className="diff-lines"><caption className="visually-hidden">{title}: lines of {file}</caption><tbody>{shown.map(({ line, text }) => <tr key={line}><th scope="row">{line}</th><td><code>{visible(text)}</code></td></tr>)}</tbody></table>
          {lines.length > shown.length && <p className="soft">and {lines.length - shown.length} more</p>}
        </div>
      ))}
    </div>
  );
}
