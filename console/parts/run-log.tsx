/** What a run on the service says, while it goes on: watched over server-sent events, shown line by line, and told to a screen reader stage by stage. */

import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { useConsole } from "../console.tsx";
import { Button } from "./button.tsx";
import { saveText } from "./save.ts";
import { utcOf } from "./time.tsx";

/** One thing that the service tells of a run. */
export interface RunEvent {
  readonly number: number;
  /** Null for a line of the program's; else the state that the run came into. */
  readonly state: string | null;
  readonly message: string;
  readonly time: string;
}

export interface Run {
  readonly events: readonly RunEvent[];
  /** The connection is interrupted; it is tried again. */
  readonly isCut: boolean;
  /** All of it was heard. */
  readonly isOver: boolean;
}

/** After a connection that broke. */
const againMs = 2_000;
/** A program says dozens of lines at a time: they are drawn together. */
const drawMs = 120;

/**
 * Watches the events at `path` until the run has ended; of a connection that broke, what was heard already is not heard twice.
 * `isEnd` says which states are ends. Another `turn` watches anew: of a run that goes on after an end.
 */
export function useRun(path: string, isEnd: (state: string) => boolean, turn = 0): Run {
  const { api } = useConsole();
  const watched = `${path} ${turn}`;
  const [seen, setSeen] = useState<{ readonly of: string; readonly run: Run }>({ of: watched, run: unheard });
  const ends = useRef(isEnd);
  ends.current = isEnd;
  useEffect(() => {
    const stop = new AbortController();
    const heard: RunEvent[] = [];
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = (more: Partial<Run> = {}): void => {
      clearTimeout(drawing);
      drawing = undefined;
      if (!stop.signal.aborted) setSeen({ of: watched, run: { events: [...heard], isCut: false, isOver: false, ...more } });
    };
    const watch = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          await api.events(path, (event) => {
            const number = Number(event.id);
            if (number <= (heard.at(-1)?.number ?? 0)) return;
            const { state = null, message, time } = JSON.parse(event.data) as { readonly state?: string; readonly message: string; readonly time: string };
            heard.push({ number, state, message, time });
            drawing ??= setTimeout(draw, drawMs);
          }, stop.signal);
          const last = heard.at(-1);
          if (last !== undefined && last.state !== null && ends.current(last.state)) return draw({ isOver: true });
        } catch {
          if (stop.signal.aborted) return;
        }
        draw({ isCut: true });
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    };
    void watch();
    return () => {
      stop.abort();
      clearTimeout(drawing);
    };
  }, [api, path, watched]);
  return seen.of === watched ? seen.run : unheard;
}

const unheard: Run = { events: [], isCut: false, isOver: false };

/** The last heading that the program has said. */
export function stageOf(events: readonly RunEvent[]): string | undefined {
  return events.findLast((event) => event.state === null && isStage(event.message))?.message;
}

/** Longer is a sentence. */
const stageCharacters = 80;

/** A few words that are not set in; what has a colon or columns tells something of its own, but for `done: …`. */
function isStage(line: string): boolean {
  return line.length <= stageCharacters && /^[A-Za-z]/.test(line) && !/ {2}|^(finding|note) /.test(line) && !/: /.test(line.replace(/^done: /, ""));
}

/** What the browser draws without effort; the file has all of them. */
const shownAtMost = 1_000;

export interface RunLogProps {
  readonly run: Run;
  /** Of what it is the log. */
  readonly name: string;
  /** Under which it is saved. */
  readonly fileName: string;
}

/** The lines, following the end until somebody looks back. */
export function RunLog({ run, name, fileName }: RunLogProps): ReactNode {
  const { events, isCut } = run;
  const box = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const lines = events.filter(({ state }) => state === null);
  const shown = events.slice(-shownAtMost);
  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [isFollowing, events]);
  const scrolled = (): void => {
    const at = box.current;
    if (at !== null) setFollowing(at.scrollHeight - at.scrollTop - at.clientHeight < nearPx);
  };
  return (
    <section className="card" aria-label={name}>
      <div className="spread">
        <h2>{name}</h2>
        <div className="row">
          <Button className="button small" aria-pressed={isFollowing} onPress={() => setFollowing((before) => !before)}>Follow the end</Button>
          <Button className="button small" isDisabled={lines.length === 0} onPress={() => saveText(fileName, lines.map(({ message }) => `${message}\n`).join(""))}>Save the log</Button>
        </div>
      </div>
      {isCut && <p className="soft">The connection to the service is interrupted; it is tried again. The run goes on all the same.</p>}
      <div ref={box} className="run-log" tabIndex={0} role="region" aria-label={`Lines of: ${name}`} onScroll={scrolled}>
        {events.length > shown.length && <div className="run-line soft">{events.length - shown.length} earlier lines are in the saved log.</div>}
        {shown.map((event) => <Line key={event.number} of={event} />)}
        {events.length === 0 && <div className="run-line soft">Nothing was said yet.</div>}
      </div>
      <Told run={run} />
    </section>
  );
}

/** So near to the end is at the end: a zoomed page scrolls by fractions. */
const nearPx = 8;

function Line({ of: { state, message, time } }: { readonly of: RunEvent }): ReactNode {
  return (
    <div className={`run-line ${state === null ? kindOf(message) : "state"}`}>
      <time dateTime={time} title={utcOf(time)} aria-hidden="true">{clock.format(new Date(time))}</time>
      <span>{message === "" ? " " : message}</span>
    </div>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function kindOf(line: string): string {
  if (/^(finding|error)\b/.test(line)) return "bad";
  if (/^(note|warning)\b/.test(line)) return "look";
  return isStage(line) ? "stage" : "";
}

/** Somebody who listens hears a stage, and has time to do something else before the next. */
const quietMs = 10_000;

function Told({ run }: { readonly run: Run }): ReactNode {
  const last = run.events.findLast(({ state }) => state !== null);
  const stage = stageOf(run.events);
  const news = run.isCut ? "the connection to the service is interrupted" : run.isOver ? (last?.message ?? "") : stage === undefined ? (last?.message ?? "") : `at: ${stage}`;
  const [told, setTold] = useState("");
  const saidAt = useRef(0);
  useEffect(() => {
    const wait = run.isOver ? 0 : Math.max(0, saidAt.current + quietMs - Date.now());
    const say = setTimeout(() => {
      saidAt.current = Date.now();
      setTold(news);
    }, wait);
    return () => clearTimeout(say);
  }, [news, run.isOver]);
  return <p role="status" className="visually-hidden">{told}</p>;
}
