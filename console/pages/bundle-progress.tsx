/** A bundle that is being made: what it is at, as the service tells it. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { useConsole } from "../console.tsx";
import { sentence } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import type { BundleState } from "../parts/words.tsx";
import type { Bundle } from "./bundles.tsx";

interface Step {
  readonly state: BundleState;
  readonly message: string;
  readonly time: string;
}

/** After a connection that broke. */
const againMs = 2_000;

export function Progress({ bundle, ended }: { readonly bundle: Bundle; readonly ended: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const [isCut, setCut] = useState(false);
  const latest = useRef({ ended, tell });
  latest.current = { ended, tell };
  useEffect(() => {
    const stop = new AbortController();
    const watch = async (): Promise<void> => {
      for (let last: Step | undefined; !stop.signal.aborted; ) {
        const heard: Step[] = [];
        try {
          await api.events(`/v1/bundles/${bundle.id}/events`, ({ data }) => {
            heard.push(JSON.parse(data) as Step);
            setCut(false);
            setSteps([...heard]);
          }, stop.signal);
          last = heard.at(-1);
          if (last?.state === "ready" || last?.state === "failed") {
            latest.current.tell(last.state === "ready" ? "The bundle is ready." : "The bundle could not be made.");
            return latest.current.ended();
          }
        } catch {
          if (stop.signal.aborted) return;
        }
        setCut(true);
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    };
    void watch();
    return () => stop.abort();
  }, [api, bundle.id]);
  const now = steps.at(-1);
  return (
    <section className="card" aria-label="Progress">
      <h2>It is being made</h2>
      <p role="status">{isCut ? "The connection to the service is interrupted; it is tried again. The bundle is made all the same." : sentence(now === undefined ? "waiting for its turn" : words[now.message] ?? now.message)}</p>
      <div className="bar" aria-hidden="true"><i /></div>
      <ol className="progress">{steps.map((step, index) => <li key={index}><span className="soft"><Time at={step.time} /></span><span>{sentence(words[step.message] ?? step.message)}</span></li>)}</ol>
    </section>
  );
}

/** What the service's short words mean. */
const words: Readonly<Record<string, string>> = {
  "asked for": "It was asked for",
  "asked for again": "It was asked for again",
  drawing: "Writing every file of it",
  sealing: "Signing it",
  storing: "Storing its small files",
};
