/** How far a run is: what was loaded of it and what its events have told since, whichever is newer. */

import { useEffect, useRef, useState, type RefObject } from "react";
import type { Run } from "../parts/run-log.tsx";
import { isOver, type InstallationState } from "./installation.ts";

interface Begun {
  readonly state: InstallationState;
  readonly attempts: number;
}

/** What a retry has answered is newer than what was loaded. */
export function useNewest<T extends Begun>(loaded: T): readonly [newest: T, answered: (again: T) => void] {
  const [again, setAgain] = useState<T>();
  return [again !== undefined && again.attempts > loaded.attempts ? again : loaded, setAgain];
}

export interface RunState {
  readonly state: InstallationState;
  /** Of the last attempt. */
  readonly lines: readonly string[];
}

/** Loads it again when its end was told and is not in what was loaded. */
export function useRunState({ state: before }: Begun, run: Run, reload: () => void): RunState {
  // What was loaded may be older than what the events have told since.
  const told = run.events.findLast((event) => event.state !== null)?.state as InstallationState | null | undefined;
  const state = isOver(before) || told === undefined || told === null || (isOver(told) && !run.isOver) ? before : told;
  const latest = useRef(reload);
  latest.current = reload;
  const isBehind = run.isOver && !isOver(before);
  useEffect(() => {
    if (isBehind) latest.current();
  }, [isBehind]);
  const attempt = run.events.slice(run.events.findLastIndex((event) => event.state === "queued") + 1);
  return { state, lines: attempt.filter((event) => event.state === null).map(({ message }) => message) };
}

/** Calls `over` when it is at work no more; the focus goes to the heading where the button that had it is gone. */
export function useWorkEnd(isAtWork: boolean, heading: RefObject<HTMLElement | null>, over: () => void): void {
  const wasAtWork = useRef(isAtWork);
  const latest = useRef(over);
  latest.current = over;
  useEffect(() => {
    if (wasAtWork.current && !isAtWork && (document.activeElement === null || document.activeElement === document.body)) heading.current?.focus({ preventScroll: true });
    wasAtWork.current = isAtWork;
    if (!isAtWork) latest.current();
  }, [isAtWork]);
}
