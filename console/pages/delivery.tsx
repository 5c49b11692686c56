/** One delivery: watched while it goes on, then what came of it, and what can be done next. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { actionWords, isRun, progressText, stateWords, takesInputs, type Delivery, type DeliveryAction, type Progress } from "../deliveries/delivery.ts";
import { HostLoginFields, useHostLogin } from "../deliveries/login.tsx";
import { Findings } from "../installations/findings-list.tsx";
import { isOver, type InstallationState } from "../installations/installation.ts";
import { useNewest, useRunState, useWorkEnd } from "../installations/run-state.ts";
import { Link } from "../router.tsx";
import { Button } from "../parts/button.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { Page, Ready } from "../parts/page.tsx";
import { sentence } from "../parts/problem.tsx";
import { RunLog, stageOf, useRun, type Run } from "../parts/run-log.tsx";
import { Time } from "../parts/time.tsx";
import { CloudletTag } from "../parts/words.tsx";
import type { Bundle } from "./bundles.tsx";
import { DeliveryTag } from "./cloudlet-deliveries.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import type { Release } from "./releases.tsx";

interface Seen {
  readonly delivery: Delivery;
  readonly cloudlet: Cloudlet;
  readonly bundle: Bundle;
  readonly release: string;
}

async function seenBy(api: Api, path: string, signal: AbortSignal): Promise<Seen> {
  const { body: delivery } = await api.get<Delivery>(path, { signal });
  const [cloudlet, bundle] = await Promise.all([api.get<Cloudlet>(`/v1/cloudlets/${delivery.cloudlet}`, { signal }), api.get<Bundle>(`/v1/bundles/${delivery.bundle}`, { signal })]);
  const release = await api.get<Release>(`/v1/releases/${bundle.body.release}`, { signal });
  return { delivery, cloudlet: cloudlet.body, bundle: bundle.body, release: release.body.name };
}

export function DeliveryPage({ id }: { readonly id: string }): ReactNode {
  const path = `/v1/deliveries/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (api, signal) => seenBy(api, path, signal));
  const seen = loaded.value;
  return (
    <Page title={seen === undefined ? "Delivery" : `${actionWords[seen.delivery.action].noun} ${seen.cloudlet.name}`} kind={seen === undefined ? "Delivery" : `Delivery of ${seen.delivery.organization}`} up={seen === undefined ? { to: "/cloudlets", name: "Cloudlets" } : { to: `/cloudlets/${seen.cloudlet.id}/deliveries`, name: `Deliveries of ${seen.cloudlet.name}` }}>
      <Ready loaded={loaded}>{(value) => <Shown seen={value} reload={loaded.reload} />}</Ready>
    </Page>
  );
}

function Shown({ seen: loaded, reload }: { readonly seen: Seen; readonly reload: () => void }): ReactNode {
  const [delivery, setAgain] = useNewest(loaded.delivery);
  const seen = { ...loaded, delivery };
  const run = useRun(`/v1/deliveries/${delivery.id}/events`, isOver, delivery.attempts);
  const { state, lines } = useRunState(delivery, run, reload);
  return (
    <>
      <Standing seen={seen} state={state} run={run} begun={(next) => { setAgain(next); reload(); }} />
      {isOver(state) && run.isOver && <Findings lines={lines} />}
      <RunLog run={run} name="What it says" fileName={`${seen.cloudlet.name}-${delivery.action}.log`} />
      <About seen={seen} state={state} />
    </>
  );
}

/** As often as somebody looks at a bar. */
const askMs = 1_000;

function useProgress(id: string, isAtWork: boolean): Progress | undefined {
  const { api } = useConsole();
  const [progress, setProgress] = useState<Progress>();
  useEffect(() => {
    setProgress(undefined);
    if (!isAtWork) return;
    const stop = new AbortController();
    const ask = (): void => void api.get<Delivery>(`/v1/deliveries/${id}`, { signal: stop.signal }).then(({ body }) => stop.signal.aborted || setProgress(body.progress ?? undefined), () => undefined);
    const timer = setInterval(ask, askMs);
    ask();
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [api, id, isAtWork]);
  return progress;
}

/** How far it is, and what can be done about it now. */
function Standing({ seen, state, run, begun }: { readonly seen: Seen; readonly state: InstallationState; readonly run: Run; readonly begun: (again: Delivery) => void }): ReactNode {
  const { delivery, cloudlet } = seen;
  const mayWrite = useMay()("delivery:write", delivery.organization);
  const heading = useRef<HTMLHeadingElement>(null);
  const [asked, setAsked] = useState<"cancel" | "retry">();
  const [isStopping, setStopping] = useState(false);
  const isAtWork = !isOver(state);
  const progress = useProgress(delivery.id, isAtWork);
  const [tag, , means] = stateWords[state];
  useWorkEnd(isAtWork, heading, () => {
    setStopping(false);
    setAsked((now) => (now === "cancel" ? undefined : now));
  });
  const stage = progress?.phase === "running" ? stageOf(run.events) : undefined;
  const last = run.events.findLast((event) => event.state !== null && isOver(event.state))?.message;
  return (
    <section className={`card verdict ${isAtWork ? "look" : tag}`} aria-label="How far it is">
      <h2 ref={heading} tabIndex={-1}>{isAtWork ? (state === "queued" ? "It waits for its turn" : "It goes on") : titles[state]}</h2>
      {isAtWork && <p>{isStopping ? "It is being stopped." : progress === undefined ? means : sentence(stage === undefined ? progressText(progress) : `${progressText(progress)}, at: ${stage}`)}</p>}
      {!isAtWork && <p>{sentence((last ?? means).replace(/^(failed|findings|cancelled): /, ""))}</p>}
      {isAtWork && (progress !== undefined && progress.total > 0
        ? <progress className="far" aria-label="How far it is" max={progress.total} value={progress.done}>{progressText(progress)}</progress>
        : <div className="bar" aria-hidden="true"><i /></div>)}
      {isAtWork && mayWrite && <div className="row"><Button className="button danger" isDisabled={isStopping} onPress={() => setAsked("cancel")}>Stop it …</Button></div>}
      {!isAtWork && <NextSteps seen={seen} state={state} retry={mayWrite && state !== "done" ? () => setAsked("retry") : undefined} />}
      {asked === "cancel" && <CancelDialog delivery={delivery} onClose={() => setAsked(undefined)} done={() => { setAsked(undefined); setStopping(true); }} />}
      {asked === "retry" && <RetryDialog delivery={delivery} onClose={() => setAsked(undefined)} done={(next) => { setAsked(undefined); begun(next); }} />}
      {state === "done" && delivery.receipt !== null && <p>State of the cloudlet: <Link to={`/cloudlets/${cloudlet.id}`}><CloudletTag state={cloudlet.state} /></Link></p>}
    </section>
  );
}

const titles: Readonly<Record<InstallationState, string>> = { queued: "", running: "", done: "It is done", findings: "Something stands in the way", failed: "It has failed", cancelled: "It was stopped", interrupted: "It was interrupted" };

function NextSteps({ seen: { delivery, cloudlet, bundle }, state, retry }: { readonly seen: Seen; readonly state: InstallationState; readonly retry: (() => void) | undefined }): ReactNode {
  const mayBegin = useMay()("delivery:write", delivery.organization);
  const { action } = delivery;
  const another = (next: DeliveryAction): string => `/cloudlets/${cloudlet.id}/deliveries/new?action=${next}&bundle=${bundle.id}&from=${delivery.id}`;
  const isThere = state === "done" && (action === "deliver" || action === "check");
  return (
    <>
      {state === "done" && takesInputs(action) && action !== "check" && <p>The controller must know the public half of its <Link to={`/cloudlets/${cloudlet.id}/access-keys`}>access key</Link>.</p>}
      <div className="row">
        {retry !== undefined && <Button className="button main" onPress={retry}>Retry …</Button>}
        {mayBegin && isThere && <><Link className="button main" to={another("install")}>Install …</Link><Link className="button" to={another("upgrade")}>Upgrade …</Link></>}
        {delivery.receipt !== null && <Link className="button" to={`/cloudlets/${cloudlet.id}/receipts`}>See the receipts</Link>}
        {mayBegin && action !== "remove" && !(delivery.removeAfter && state === "done") && <Link className="button" to={another("remove")}>Take away what was brought …</Link>}
        {mayBegin && state !== "done" && <Link className="button" to={another(action)}>Begin another one …</Link>}
      </div>
    </>
  );
}

function CancelDialog({ delivery, onClose, done }: { readonly delivery: Delivery; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.post(`/v1/deliveries/${delivery.id}/cancel`);
    done();
  });
  return (
    <FormDialog title="Stop it?" action="Stop it" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>What has arrived at the host stays there, and a retry goes on with it. Where install.sh is at work, it is asked to end, and ended after 30 seconds; what it has done is recorded.</p>
    </FormDialog>
  );
}

function RetryDialog({ delivery, onClose, done }: { readonly delivery: Delivery; readonly onClose: () => void; readonly done: (again: Delivery) => void }): ReactNode {
  const { api } = useConsole();
  const login = useHostLogin();
  const { run, isRunning, problem } = useAction(async () => {
    const auth = login.take();
    if (auth === undefined) return;
    const { body } = await api.post<Delivery>(`/v1/deliveries/${delivery.id}/retry`, { auth });
    login.forget();
    done(body);
  });
  return (
    <FormDialog title="Retry" action="Go on" isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>It goes on where it ended: what is at <code>{delivery.host}</code> is not sent again, and an installation that goes on there is shown on. The login was for one run, and is given again.</p>
      <HostLoginFields login={login} />
    </FormDialog>
  );
}

function About({ seen: { delivery, cloudlet, bundle, release }, state }: { readonly seen: Seen; readonly state: InstallationState }): ReactNode {
  const parameters = Object.entries(delivery.parameters);
  return (
    <section className="card">
      <h2>What it is</h2>
      <dl>
        <dt>What</dt><dd>{actionWords[delivery.action].name} <span className="soft">{actionWords[delivery.action].does}</span></dd>
        <dt>State</dt><dd><DeliveryTag state={state} /></dd>
        <dt>Cloudlet</dt><dd><Link to={`/cloudlets/${cloudlet.id}`}>{cloudlet.name}</Link></dd>
        <dt>Bundle</dt><dd><Link to={`/bundles/${bundle.id}`}>release {release}</Link></dd>
        <dt>Host</dt><dd><code>{delivery.host}</code>{delivery.jumps.length > 0 && <> through {delivery.jumps.map((jump) => <code key={jump}>{jump} </code>)}</>}</dd>
        <dt>Folder there</dt><dd><code>{delivery.folder}</code></dd>
        <dt>Known by</dt><dd>{delivery.hostKeys.split("\n").map((line) => <div key={line}><code className="break">{line}</code></div>)}</dd>
        <dt>Login</dt><dd>given for this run, and not kept</dd>
        {delivery.source !== "" && <><dt>Read before</dt><dd><code>{delivery.source}</code></dd></>}
        {parameters.length > 0 && <><dt>Parameters</dt><dd>{parameters.map(([name, value]) => <div key={name}><code>{name}={value}</code></div>)}</dd></>}
        {isRun(delivery.action) && delivery.removeAfter && <><dt>Afterwards</dt><dd>what was brought is taken away</dd></>}
        <dt>Asked for</dt><dd><Time at={delivery.requested} />, by {delivery.requestedBy}</dd>
        {delivery.started !== null && <><dt>Begun</dt><dd><Time at={delivery.started} />{delivery.attempts > 1 && `, for the ${delivery.attempts}. time`}</dd></>}
        {delivery.finished !== null && <><dt>Ended</dt><dd><Time at={delivery.finished} />{delivery.exitStatus !== null && `, with status ${delivery.exitStatus} of install.sh`}</dd></>}
      </dl>
    </section>
  );
}
