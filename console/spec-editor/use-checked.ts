/** What the service says of a spec while it is written: its mistakes, and a picture of what has none. */

import { useEffect, useRef, useState } from "react";
import { ApiProblem, type Api, type Issue } from "../api.ts";

export interface Checked {
  readonly state: "checking" | "valid" | "wrong" | "unknown";
  /** Of the text that was checked last. */
  readonly issues: readonly Issue[];
  readonly picture: string | undefined;
  /** Why it could not be checked. */
  readonly problem: string | undefined;
}

/** Long enough to end a word. */
const quietMs = 400;

const type = "application/yaml";

export function useChecked(api: Api, value: string, onValidity: (valid: boolean) => void): Checked {
  const [checked, setChecked] = useState<Checked>({ state: "unknown", issues: [], picture: undefined, problem: undefined });
  const heard = useRef(onValidity);
  heard.current = onValidity;
  const isFirst = useRef(true);
  useEffect(() => {
    // What is there already is no word that somebody is about to end.
    const waitMs = isFirst.current ? 0 : quietMs;
    isFirst.current = false;
    if (value.trim() === "") {
      setChecked({ state: "unknown", issues: [], picture: undefined, problem: undefined });
      heard.current(false);
      return;
    }
    const stop = new AbortController();
    setChecked((before) => ({ ...before, state: "checking", problem: undefined }));
    const check = async (): Promise<void> => {
      try {
        const { body } = await api.post<{ readonly valid: boolean; readonly issues: readonly Issue[] }>("/v1/cloudlets/validate", value, { type, signal: stop.signal });
        setChecked((before) => ({ ...before, state: body.valid ? "valid" : "wrong", issues: body.issues }));
        heard.current(body.valid);
        if (!body.valid) return;
        const drawn = await api.post<string>("/v1/cloudlets/picture", value, { type, signal: stop.signal });
        setChecked((before) => ({ ...before, picture: drawn.body }));
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiProblem)) throw error;
        setChecked((before) => ({ ...before, state: "unknown", issues: [], problem: `It could not be checked: ${error.problem.detail}` }));
        // The service checks again when it is to be kept: not to have checked it now is no reason to keep it back.
        heard.current(true);
      }
    };
    const timer = setTimeout(() => void check(), waitMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [api, value]);
  return checked;
}
