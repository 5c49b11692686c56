/** What every part of the console is given: the API, who is logged in, and a place to tell something. */

import { createContext, use, useEffect, useRef, useState } from "react";
import { may, type Action } from "../src/service/access/roles.ts";
import { ApiProblem, type Api } from "./api.ts";
import type { Me } from "./session.ts";

export interface Console {
  readonly api: Api;
  readonly me: Me;
  /** Says what was done, on the page and to a screen reader. */
  readonly tell: (message: string) => void;
  readonly signOut: () => void;
  /** The service has ended the session already. */
  readonly leave: () => void;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

export function useConsole(): Console {
  const value = use(ConsoleContext);
  if (value === undefined) throw new Error("nobody is logged in here");
  return value;
}

/** As the service decides, by the same table: what one may not do isn't offered. */
export function useMay(): (action: Action, organization?: string) => boolean {
  const { me } = useConsole();
  const actor = { platformRole: me.platformRole, roles: new Map(me.memberships.map(({ organization, role }) => [organization, role])) };
  return (action, organization) => may(actor, action, organization === undefined ? {} : { organization });
}

/** Whether there is any organization in which they may. */
export function useMaySomewhere(): (action: Action) => boolean {
  const { me } = useConsole();
  const mayDo = useMay();
  return (action) => mayDo(action) || me.memberships.some(({ organization }) => mayDo(action, organization));
}

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** What `load` gives; asked for again when the key changes, or with `reload`. What was there stays until then. */
export function useLoaded<T>(key: string, load: (api: Api, signal: AbortSignal) => Promise<T>): Loaded<T> {
  const { api } = useConsole();
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ readonly key: string; readonly value?: T; readonly problem?: ApiProblem; readonly isLoading: boolean }>({ key, isLoading: true });
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => (before.key === key ? { ...before, isLoading: true } : { key, isLoading: true }));
    latest.current(api, stop.signal).then(
      (value) => stop.signal.aborted || setState({ key, value, isLoading: false }),
      (error: unknown) => stop.signal.aborted || setState({ key, problem: asProblem(error), isLoading: false }),
    );
    return () => stop.abort();
  }, [api, key, turn]);
  const isCurrent = state.key === key;
  return { value: isCurrent ? state.value : undefined, problem: isCurrent ? state.problem : undefined, isLoading: !isCurrent || state.isLoading, reload: () => setTurn((before) => before + 1) };
}

/** Does something once at a time, and keeps what went wrong. */
export function useAction<A extends readonly unknown[]>(work: (...given: A) => Promise<void>): { readonly run: (...given: A) => Promise<void>; readonly isRunning: boolean; readonly problem: ApiProblem | undefined; readonly forget: () => void } {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const busy = useRef(false);
  const run = async (...given: A): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    setRunning(true);
    setProblem(undefined);
    try {
      await work(...given);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      busy.current = false;
      setRunning(false);
    }
  };
  return { run, isRunning, problem, forget: () => setProblem(undefined) };
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem({ type: "urn:cloudlet-bundle:problem:defect", title: "A defect of the console", status: 0, detail: error instanceof Error ? error.message : String(error) });
}
