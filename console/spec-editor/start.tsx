/** Where a spec can begin: a platform's starter, a spec in a file, or a cloudlet object of MobiledgeX. */

import { useEffect, useId, useState, type ReactNode } from "react";
import { ApiProblem, type Api, type Issue } from "../api.ts";
import { Marked } from "../parts/marked.tsx";
import { readFile } from "../parts/read-file.ts";

interface Imported {
  readonly spec: string;
  readonly secrets: readonly string[];
  readonly missing: readonly string[];
  readonly warnings: readonly Issue[];
}

export interface StartProps {
  readonly api: Api;
  readonly platforms: readonly string[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Start({ api, platforms, value, onChange }: StartProps): ReactNode {
  const id = useId();
  const [platform, setPlatform] = useState("");
  const [before, setBefore] = useState<string>();
  const [said, setSaid] = useState<Said>();
  useEffect(() => setPlatform((chosen) => (chosen === "" ? (platforms.find((each) => each === "openstack") ?? platforms[0] ?? "") : chosen)), [platforms]);
  const begin = (text: string, next: Said): void => {
    setBefore(value.trim() === "" ? undefined : value);
    onChange(text);
    setSaid(next);
  };
  const template = async (): Promise<void> => {
    try {
      begin(await api.text(`/v1/starters/${encodeURIComponent(platform)}`), { title: `This is the starter for ${platform}. Fit it to your site.`, points: [], isWrong: false });
    } catch (error) {
      setSaid(refusal(error));
    }
  };
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    try {
      begin(await readFile(file), { title: `${file.name} is taken.`, points: [], isWrong: false });
    } catch (error) {
      setSaid(refusal(error));
    }
  };
  const takeOver = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    try {
      const { body } = await api.post<Imported>("/v1/imports", await readFile(file), { type: "application/yaml" });
      begin(body.spec, importSaid(file.name, body));
    } catch (error) {
      setSaid(refusal(error));
    }
  };
  return (
    <section className="card spec-start" aria-label="Start from">
      <div className="spec-ways">
        <div className="field"><label htmlFor={`${id}-platform`}>Start from a template</label><div className="row"><select id={`${id}-platform`} value={platform} onChange={(event) => setPlatform(event.target.value)}>{platforms.map((each) => <option key={each}>{each}</option>)}</select><button type="button" className="button" disabled={platform === ""} onClick={() => void template()}>Use template</button></div></div>
        <div className="field"><label htmlFor={`${id}-spec`}>Take the spec from a file</label><input id={`${id}-spec`} type="file" accept=".yaml,.yml,.json" onChange={(event) => { void take(event.target.files?.[0]); event.target.value = ""; }} /></div>
        <div className="field"><label htmlFor={`${id}-file`}>Import a cloudlet of MobiledgeX</label><input id={`${id}-file`} type="file" accept=".yaml,.yml,.json" aria-describedby={`${id}-hint`} onChange={(event) => { void takeOver(event.target.files?.[0]); event.target.value = ""; }} /><span className="hint" id={`${id}-hint`}>An mcctl data file or a REST body.</span></div>
      </div>
      <div role="status">
        {said !== undefined && (
          <div className={`note ${said.isWrong ? "bad" : said.points.length > 0 ? "look" : "good"}`}>
            <p>{said.title}</p>
            {said.points.length > 0 && <ul>{said.points.map((each, index) => <li key={index}><Marked text={each} /></li>)}</ul>}
            <div className="row">
              {before !== undefined && !said.isWrong && <button type="button" className="button small" onClick={() => { onChange(before); setBefore(undefined); setSaid(undefined); }}>Back to what was there</button>}
              <button type="button" className="button small" onClick={() => setSaid(undefined)}>Close</button>
            </div>
          </div>
        )}
      </div>
    </section>
  );
}

interface Said {
  readonly title: string;
  readonly points: readonly string[];
  readonly isWrong: boolean;
}

function importSaid(name: string, { missing, warnings }: Imported): Said {
  const points = [...warnings.map((issue) => pointOf(issue)), ...missing.filter((each) => !warnings.some(({ message }) => message === each)).map((each) => `Missing: ${each}`)];
  return { title: points.length === 0 ? `All of ${name} is carried over.` : `${name} is imported. Not all of it could be carried over:`, points, isWrong: false };
}

function pointOf({ line, message, hint }: Issue): string {
  return `${line === undefined ? "" : `Line ${line}: `}${message}${hint === undefined ? "" : `; ${hint}`}`;
}

function refusal(error: unknown): Said {
  if (!(error instanceof ApiProblem)) throw error;
  return { title: error.problem.detail, points: error.issues.map(pointOf), isWrong: true };
}
