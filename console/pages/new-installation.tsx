/** Beginning an installation: what of which bundle, with which login, parameters and secrets. None of it is kept by the page, and the address holds no more than action and bundle. */

import { useState, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Confirmation, needsConfirmation } from "../installations/confirmation.tsx";
import { InputFields, useInputs } from "../installations/inputs.tsx";
import { actionsInOrder, actionWords, isAction, takesInputs, type Installation, type InstallationAction, type InstallationPlatform } from "../installations/installation.ts";
import { LoginFields, useLogin } from "../installations/login.tsx";
import { navigate, Link, usePlace } from "../router.tsx";
import { Button } from "../parts/button.tsx";
import { RadioField, SelectField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { allOf } from "../parts/pages.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { localOf } from "../parts/time.tsx";
import type { Bundle } from "./bundles.tsx";
import { platformFor, siteCredentials } from "./cloudlet-installations.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import type { Release } from "./releases.tsx";

interface Seen {
  readonly cloudlet: Cloudlet;
  readonly platform: InstallationPlatform;
  /** Ready ones, the newest first. */
  readonly bundles: readonly Bundle[];
  readonly releases: ReadonlyMap<string, string>;
  readonly kept: readonly string[];
  /** There is an access key that is good. */
  readonly isIssued: boolean;
}

/** More than anybody wants to choose from. */
const bundlesAtMost = 200;

async function seenBy(api: Api, id: string, signal: AbortSignal): Promise<Seen> {
  const [{ body: cloudlet }, platform] = await Promise.all([api.get<Cloudlet>(`/v1/cloudlets/${encodeURIComponent(id)}`, { signal }), platformFor(api, id, signal)]);
  const [bundles, releases, kept, keys] = await Promise.all([
    allOf<Bundle>(api, `/v1/bundles?cloudlet=${cloudlet.id}&state=ready`, bundlesAtMost, signal),
    api.get<{ readonly items: readonly Release[] }>("/v1/releases", { signal }),
    platform.available ? siteCredentials(api, cloudlet.id, signal) : [],
    api.get<{ readonly items: readonly { readonly revoked: string | null }[] }>(`/v1/cloudlets/${cloudlet.id}/access-keys`, { signal }),
  ]);
  return { cloudlet, platform, bundles, releases: new Map(releases.body.items.map(({ id: release, name }) => [release, name])), kept: kept.map(({ name }) => name), isIssued: keys.body.items.some(({ revoked }) => revoked === null) };
}

export function NewInstallation({ id }: { readonly id: string }): ReactNode {
  const mayDo = useMay();
  const loaded = useLoaded(`new installation of ${id}`, (api, signal) => seenBy(api, id, signal));
  const { value } = loaded;
  return (
    <Page title={value === undefined ? "Begin an installation" : `Begin an installation of ${value.cloudlet.name}`} kind={value === undefined ? "Installation" : `Installation of ${value.cloudlet.organization}`} up={{ to: `/cloudlets/${id}/installations`, name: value === undefined ? "Installations" : `Installations of ${value.cloudlet.name}` }}>
      <Ready loaded={loaded}>{(seen) => {
        if (!seen.platform.available) return <section className="card"><p>{seen.platform.reason}</p></section>;
        if (!mayDo("installation:write", seen.cloudlet.organization)) return <section className="card"><p>Your role does not install. Ask a contributor or manager of the organization.</p></section>;
        if (seen.bundles.length === 0) return <section className="card"><Empty title="No bundle is ready"><p><Link to={`/cloudlets/${seen.cloudlet.id}/bundles`}>Ask for the bundle of a release first.</Link></p></Empty></section>;
        return <Form seen={seen} />;
      }}</Ready>
    </Page>
  );
}

function Form({ seen }: { readonly seen: Seen }): ReactNode {
  const { cloudlet, platform, bundles, releases, kept, isIssued } = seen;
  const { api } = useConsole();
  const { query } = usePlace();
  const [action, setAction] = useState<InstallationAction>(() => (isAction(query.get("action")) ? (query.get("action") as InstallationAction) : "check"));
  const [bundle, setBundle] = useState(() => bundles.find(({ id }) => id === query.get("bundle"))?.id ?? bundles[0]?.id ?? "");
  const login = useLogin(platform, kept);
  const inputs = useInputs(action, { isIssued, isInstalled: cloudlet.state === "installed" });
  const [isAsked, setAsked] = useState(false);
  const { run, isRunning, problem, forget: calm } = useAction(async () => {
    const given = login.take();
    if (given === undefined) return setAsked(false);
    try {
      const { body } = await api.post<Installation>("/v1/installations", { cloudlet: cloudlet.id, bundle, action, ...given, ...(takesInputs(action) ? inputs.take() : {}) });
      login.forget();
      inputs.forget();
      // Going back from there leads to the list, not to an empty form.
      navigate(`/cloudlets/${cloudlet.id}/installations`, { replace: true });
      navigate(`/installations/${body.id}`);
    } finally {
      setAsked(false);
    }
  });
  const submit = (): void => {
    calm();
    const isWhole = inputs.check();
    if (login.take() === undefined || !isWhole) return focusWrong();
    if (needsConfirmation(action)) setAsked(true);
    else void run();
  };
  return (
    <>
      <form noValidate onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <section className="card">
          <h2>What</h2>
          <RadioField label="What is to be done" name="action" value={action} onChange={setAction} choices={actionsInOrder.map((value) => ({ value, name: actionWords[value].name, hint: actionWords[value].does }))} />
          <SelectField label="Bundle" value={bundle} onChange={setBundle} choices={bundles.map((each) => ({ value: each.id, name: `release ${releases.get(each.release) ?? "?"}, asked for ${localOf(each.requested)}` }))} hint={takesInputs(action) ? "Those of this cloudlet that are ready, the newest first." : "Its install.sh is run; what is at the site decides what happens to it."} />
        </section>
        <section className="card">
          <h2>Login</h2>
          <LoginFields platform={platform} kept={kept} login={login} />
        </section>
        {takesInputs(action) && <InputFields inputs={inputs} bundle={bundle} platform={platform.platform} />}
        <div className="send">
          <ProblemNote problem={problem} />
          <Button type="submit" className={`button ${action === "uninstall" ? "danger" : "main"}`} isPending={isRunning}>{`${actionWords[action].name}${needsConfirmation(action) ? " …" : ""}`}</Button>
          <Link className="button" to={`/cloudlets/${cloudlet.id}/installations`}>Leave</Link>
        </div>
      </form>
      {isAsked && <Confirmation action={action} cloudlet={cloudlet.name} isRunning={isRunning} onClose={() => setAsked(false)} onConfirm={() => void run()} />}
    </>
  );
}

/** After it was drawn. */
export function focusWrong(): void {
  setTimeout(() => document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}
