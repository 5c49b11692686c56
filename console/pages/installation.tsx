/** One installation: watched while it goes on, then what came of it, and what can be done next. */

import { useRef, useState, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Findings } from "../installations/findings-list.tsx";
import { actionWords, isOver, stateWords, type Installation, type InstallationPlatform, type InstallationState } from "../installations/installation.ts";
import { LoginFields, useLogin } from "../installations/login.tsx";
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
import { InstallationTag, platformFor, siteCredentials } from "./cloudlet-installations.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import { NextSteps } from "./installation-next.tsx";
import type { Release } from "./releases.tsx";

export interface SeenInstallation {
  readonly installation: Installation;
  readonly cloudlet: Cloudlet;
  readonly bundle: Bundle;
  readonly release: string;
  readonly platform: InstallationPlatform;
  readonly kept: readonly string[];
  /** Another one has changed something at the site since, so nobody goes on with this one. */
  readonly isPast: boolean;
}

/** Enough to find the last one that was no mere look. */
const lookedAt = 50;

async function seenBy(api: Api, path: string, signal: AbortSignal): Promise<SeenInstallation> {
  const { body: installation } = await api.get<Installation>(path, { signal });
  const [cloudlet, bundle, platform, later] = await Promise.all([
    api.get<Cloudlet>(`/v1/cloudlets/${installation.cloudlet}`, { signal }),
    api.get<Bundle>(`/v1/bundles/${installation.bundle}`, { signal }),
    platformFor(api, installation.cloudlet, signal),
    api.get<{ readonly items: readonly Installation[] }>(`/v1/installations?cloudlet=${installation.cloudlet}&limit=${lookedAt}`, { signal }),
  ]);
  const [release, kept] = await Promise.all([api.get<Release>(`/v1/releases/${bundle.body.release}`, { signal }), siteCredentials(api, installation.cloudlet, signal)]);
  const last = later.body.items.find(({ action }) => action !== "check");
  return { installation, cloudlet: cloudlet.body, bundle: bundle.body, release: release.body.name, platform, kept: kept.map(({ name }) => name), isPast: installation.action !== "check" && last !== undefined && last.id !== installation.id };
}

export function InstallationPage({ id }: { readonly id: string }): ReactNode {
  const path = `/v1/installations/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (api, signal) => seenBy(api, path, signal));
  const seen = loaded.value;
  const title = seen === undefined ? "Installation" : `${actionWords[seen.installation.action].noun} ${seen.cloudlet.name}`;
  return (
    <Page title={title} kind={seen === undefined ? "Installation" : `Installation of ${seen.installation.organization}`} up={seen === undefined ? { to: "/cloudlets", name: "Cloudlets" } : { to: `/cloudlets/${seen.cloudlet.id}/installations`, name: `Installations of ${seen.cloudlet.name}` }}>
      <Ready loaded={loaded}>{(value) => <Shown seen={value} reload={loaded.reload} />}</Ready>
    </Page>
  );
}

function Shown({ seen: loaded, reload }: { readonly seen: SeenInstallation; readonly reload: () => void }): ReactNode {
  const [installation, setAgain] = useNewest(loaded.installation);
  const seen = { ...loaded, installation };
  const run = useRun(`/v1/installations/${installation.id}/events`, isOver, installation.attempts);
  const { state, lines } = useRunState(installation, run, reload);
  return (
    <>
      <Standing seen={seen} state={state} run={run} begun={(next) => { setAgain(next); reload(); }} />
      {isOver(state) && run.isOver && <Findings lines={lines} />}
      <RunLog run={run} name="What install.sh says" fileName={`${seen.cloudlet.name}-${installation.action}.log`} />
      <About seen={seen} state={state} />
    </>
  );
}

/** How far it is, and what can be done about it now. */
function Standing({ seen, state, run, begun }: { readonly seen: SeenInstallation; readonly state: InstallationState; readonly run: Run; readonly begun: (again: Installation) => void }): ReactNode {
  const { installation, cloudlet, isPast, platform } = seen;
  const mayWrite = useMay()("installation:write", installation.organization);
  const heading = useRef<HTMLHeadingElement>(null);
  const [asked, setAsked] = useState<"cancel" | "retry">();
  const [isStopping, setStopping] = useState(false);
  const [tag, , means] = stateWords[state];
  const stage = stageOf(run.events);
  const isAtWork = !isOver(state);
  useWorkEnd(isAtWork, heading, () => {
    setStopping(false);
    setAsked((now) => (now === "cancel" ? undefined : now));
  });
  return (
    <section className={`card verdict ${isAtWork ? "look" : tag}`} aria-label="How far it is">
      <h2 ref={heading} tabIndex={-1}>{isAtWork ? (state === "queued" ? "It waits for its turn" : "It goes on") : titles[state]}</h2>
      <p>{isAtWork ? (isStopping ? "It is being stopped. install.sh closes what it has open." : stage === undefined ? means : `At: ${stage}.`) : sentence(outcome(installation, state))}</p>
      {isAtWork && <div className="bar" aria-hidden="true"><i /></div>}
      {isAtWork && mayWrite && <div className="row"><Button className="button danger" isDisabled={isStopping} onPress={() => setAsked("cancel")}>Stop it …</Button></div>}
      {!isAtWork && <NextSteps seen={seen} state={state} retry={mayWrite && platform.available && !isPast && state !== "done" ? () => setAsked("retry") : undefined} />}
      {asked === "cancel" && <CancelDialog installation={installation} onClose={() => setAsked(undefined)} done={() => { setAsked(undefined); setStopping(true); }} />}
      {asked === "retry" && <RetryDialog seen={seen} onClose={() => setAsked(undefined)} done={(next) => { setAsked(undefined); begun(next); }} />}
      {!isAtWork && installation.action !== "check" && state === "done" && <p>State of the cloudlet: <Link to={`/cloudlets/${cloudlet.id}`}><CloudletTag state={cloudlet.state} /></Link></p>}
    </section>
  );
}

const titles: Readonly<Record<InstallationState, string>> = { queued: "", running: "", done: "It is done", findings: "Something stands in the way", failed: "It has failed", cancelled: "It was stopped", interrupted: "It was interrupted" };

function outcome({ action, exitStatus }: Installation, state: InstallationState): string {
  if (state === "done") return { check: "nothing stands in the way; nothing was changed", install: "it is installed, and well", upgrade: "it is upgraded, and well", rollback: "what was there before is there again", uninstall: "nothing of it is left at the site" }[action];
  if (state === "findings") return "install.sh has ended with what is named below";
  const status = exitStatus === null ? "" : ` install.sh ended with status ${exitStatus}.`;
  return `${stateWords[state][2]}${status}`;
}

function CancelDialog({ installation, onClose, done }: { readonly installation: Installation; readonly onClose: () => void; readonly done: () => void }): ReactNode {
  const { api } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    await api.post(`/v1/installations/${installation.id}/cancel`);
    done();
  });
  return (
    <FormDialog title="Stop it?" action="Stop it" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>install.sh is asked to end, and ended after 20 seconds. What was done stays at the site and is recorded: a retry goes on there, and uninstalling removes it.</p>
    </FormDialog>
  );
}

function RetryDialog({ seen: { installation, platform, kept }, onClose, done }: { readonly seen: SeenInstallation; readonly onClose: () => void; readonly done: (again: Installation) => void }): ReactNode {
  const { api } = useConsole();
  const login = useLogin(platform, kept, installation.credential);
  const { run, isRunning, problem } = useAction(async () => {
    const given = login.take();
    if (given === undefined) return;
    const { body } = await api.post<Installation>(`/v1/installations/${installation.id}/retry`, given);
    login.forget();
    done(body);
  });
  return (
    <FormDialog title="Retry" action="Go on" isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>It goes on where it ended, with the same parameters and secrets.{platform.login !== "none" && installation.credential === null && " The login was for one run, and is given again."}</p>
      <LoginFields platform={platform} kept={kept} login={login} />
    </FormDialog>
  );
}

function About({ seen: { installation, cloudlet, bundle, release }, state }: { readonly seen: SeenInstallation; readonly state: InstallationState }): ReactNode {
  const parameters = Object.entries(installation.parameters);
  return (
    <section className="card">
      <h2>What it is</h2>
      <dl>
        <dt>What</dt><dd>{actionWords[installation.action].name} <span className="soft">{actionWords[installation.action].does}</span></dd>
        <dt>State</dt><dd><InstallationTag state={state} /></dd>
        <dt>Cloudlet</dt><dd><Link to={`/cloudlets/${cloudlet.id}`}>{cloudlet.name}</Link></dd>
        <dt>Bundle</dt><dd><Link to={`/bundles/${bundle.id}`}>release {release}</Link></dd>
        <dt>Login</dt><dd>{installation.credential === null ? "given for this run, and not kept" : <>kept credentials <code>{installation.credential}</code></>}</dd>
        {parameters.length > 0 && <><dt>Parameters</dt><dd>{parameters.map(([name, value]) => <div key={name}><code>{name}={value}</code></div>)}</dd></>}
        {installation.allowOlder && <><dt>Older</dt><dd>allowed</dd></>}
        <dt>Asked for</dt><dd><Time at={installation.requested} />, by {installation.requestedBy}</dd>
        {installation.started !== null && <><dt>Begun</dt><dd><Time at={installation.started} />{installation.attempts > 1 && `, for the ${installation.attempts}. time`}</dd></>}
        {installation.finished !== null && <><dt>Ended</dt><dd><Time at={installation.finished} />{installation.exitStatus !== null && `, with status ${installation.exitStatus} of install.sh`}</dd></>}
      </dl>
    </section>
  );
}
