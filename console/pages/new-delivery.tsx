/** Beginning a delivery: which bundle, to which host, with which login, and what is done there. None of it is kept by the page, and the address holds no more than action and bundle. */

import { useState, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { actionsInOrder, actionWords, isAction, isRun, takesInputs, type Delivery, type DeliveryAction } from "../deliveries/delivery.ts";
import { HostLoginFields, useHostLogin } from "../deliveries/login.tsx";
import { givenWay, missingIn, noWay, WayFields, wayOf, type Way } from "../deliveries/way.tsx";
import { Confirmation, needsConfirmation } from "../installations/confirmation.tsx";
import { InputFields, useInputs } from "../installations/inputs.tsx";
import type { InstallationAction } from "../installations/installation.ts";
import { Link, navigate, usePlace } from "../router.tsx";
import { Button } from "../parts/button.tsx";
import { RadioField, SelectField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { allOf } from "../parts/pages.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { localOf } from "../parts/time.tsx";
import type { Bundle } from "./bundles.tsx";
import { NotHere } from "./cloudlet-deliveries.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import { focusWrong } from "./new-installation.tsx";
import type { Release } from "./releases.tsx";

interface Seen {
  readonly cloudlet: Cloudlet;
  readonly isOn: boolean;
  /** Ready ones, the newest first. */
  readonly bundles: readonly Bundle[];
  readonly releases: ReadonlyMap<string, string>;
  /** There is an access key that is good. */
  readonly isIssued: boolean;
  /** The one that this one comes after: it goes to the same host. */
  readonly before: Delivery | undefined;
}

/** More than anybody wants to choose from. */
const bundlesAtMost = 200;

async function seenBy(api: Api, id: string, from: string | null, signal: AbortSignal): Promise<Seen> {
  const { body: cloudlet } = await api.get<Cloudlet>(`/v1/cloudlets/${encodeURIComponent(id)}`, { signal });
  const [isOn, before, bundles, releases, keys] = await Promise.all([
    api.get("/v1/deliveries?limit=1", { signal }).then(() => true, () => false),
    from === null ? undefined : api.get<Delivery>(`/v1/deliveries/${encodeURIComponent(from)}`, { signal }).then(({ body }) => (body.cloudlet === id ? body : undefined), () => undefined),
    allOf<Bundle>(api, `/v1/bundles?cloudlet=${cloudlet.id}&state=ready`, bundlesAtMost, signal),
    api.get<{ readonly items: readonly Release[] }>("/v1/releases", { signal }),
    api.get<{ readonly items: readonly { readonly revoked: string | null }[] }>(`/v1/cloudlets/${cloudlet.id}/access-keys`, { signal }),
  ]);
  return { cloudlet, isOn, before, bundles, releases: new Map(releases.body.items.map(({ id: release, name }) => [release, name])), isIssued: keys.body.items.some(({ revoked }) => revoked === null) };
}

export function NewDelivery({ id }: { readonly id: string }): ReactNode {
  const mayDo = useMay();
  const from = usePlace().query.get("from");
  const loaded = useLoaded(`new delivery of ${id} after ${from ?? ""}`, (api, signal) => seenBy(api, id, from, signal));
  const { value } = loaded;
  return (
    <Page title={value === undefined ? "Begin a delivery" : `Begin a delivery of ${value.cloudlet.name}`} kind={value === undefined ? "Delivery" : `Delivery of ${value.cloudlet.organization}`} up={{ to: `/cloudlets/${id}/deliveries`, name: value === undefined ? "Deliveries" : `Deliveries of ${value.cloudlet.name}` }}>
      <Ready loaded={loaded}>{(seen) => {
        if (!seen.isOn) return <NotHere cloudlet={seen.cloudlet} />;
        if (!mayDo("delivery:write", seen.cloudlet.organization)) return <section className="card"><p>Your role does not deliver. Ask a contributor or manager of the organization.</p></section>;
        if (seen.bundles.length === 0) return <section className="card"><Empty title="No bundle is ready"><p><Link to={`/cloudlets/${seen.cloudlet.id}/bundles`}>Ask for the bundle of a release first.</Link></p></Empty></section>;
        return <Form seen={seen} />;
      }}</Ready>
    </Page>
  );
}

function Form({ seen }: { readonly seen: Seen }): ReactNode {
  const { cloudlet, bundles, releases, isIssued, before } = seen;
  const { api } = useConsole();
  const { query } = usePlace();
  const [action, setAction] = useState<DeliveryAction>(() => (isAction(query.get("action")) ? (query.get("action") as DeliveryAction) : "deliver"));
  const [bundle, setBundle] = useState(() => bundles.find(({ id }) => id === query.get("bundle"))?.id ?? bundles[0]?.id ?? "");
  const [way, setWay] = useState<Way>(() => (before === undefined ? noWay : wayOf(before)));
  const login = useHostLogin();
  const inputs = useInputs(takesInputs(action) ? action : "check", { isIssued, isInstalled: cloudlet.state === "installed" }, before?.parameters);
  const [removeAfter, setRemoveAfter] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const { run, isRunning, problem, forget: calm } = useAction(async () => {
    const auth = login.take();
    if (auth === undefined) return setAsked(false);
    try {
      const { body } = await api.post<Delivery>("/v1/deliveries", { cloudlet: cloudlet.id, bundle, action, ...givenWay(way, isRun(action)), auth, ...(takesInputs(action) ? inputs.take() : {}), ...(isRun(action) && removeAfter ? { removeAfter } : {}) });
      login.forget();
      inputs.forget();
      // Going back from there leads to the list, not to an empty form.
      navigate(`/cloudlets/${cloudlet.id}/deliveries`, { replace: true });
      navigate(`/deliveries/${body.id}`);
    } finally {
      setAsked(false);
    }
  });
  const submit = (): void => {
    calm();
    const mistakes = missingIn(way);
    setWrong(mistakes);
    const isWhole = inputs.check();
    if (login.take() === undefined || !isWhole || Object.keys(mistakes).length > 0) return focusWrong();
    if (takesOver(action)) setAsked(true);
    else void run();
  };
  return (
    <>
      <form noValidate onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <section className="card">
          <h2>What</h2>
          <RadioField label="What is to be done there" name="action" value={action} onChange={setAction} choices={actionsInOrder.map((value) => ({ value, name: actionWords[value].name, hint: actionWords[value].does }))} />
          <SelectField label="Bundle" value={bundle} onChange={setBundle} choices={bundles.map((each) => ({ value: each.id, name: `release ${releases.get(each.release) ?? "?"}, asked for ${localOf(each.requested)}` }))} hint="Those of this cloudlet that are ready, the newest first. What of it is at the host already is not sent again." />
          {isRun(action) && <div className="field"><label className="check"><input type="checkbox" checked={removeAfter} onChange={(event) => setRemoveAfter(event.target.checked)} /><span>Take away what was brought when it has ended well</span></label></div>}
        </section>
        <section className="card">
          <h2>Where to</h2>
          <WayFields way={way} onChange={(next) => { setWrong({}); setWay(next); }} wrong={{ ...problemAt(problem?.issues), ...wrong }} withSource={isRun(action)} />
        </section>
        <section className="card">
          <h2>Login</h2>
          <HostLoginFields login={login} />
        </section>
        {takesInputs(action) && <InputFields inputs={inputs} bundle={bundle} platform={cloudlet.platform} />}
        <div className="send">
          <ProblemNote problem={problem} />
          <Button type="submit" className={`button ${action === "uninstall" ? "danger" : "main"}`} isPending={isRunning}>{`${actionWords[action].name}${takesOver(action) ? " …" : ""}`}</Button>
          <Link className="button" to={`/cloudlets/${cloudlet.id}/deliveries`}>Leave</Link>
        </div>
      </form>
      {isAsked && takesOver(action) && <Confirmation action={action} cloudlet={cloudlet.name} isRunning={isRunning} onClose={() => setAsked(false)} onConfirm={() => void run()} />}
    </>
  );
}

/** What takes a PlatformVM away that may be at work. */
function takesOver(action: DeliveryAction): action is InstallationAction {
  return isRun(action) && action !== "status" && needsConfirmation(action);
}

/** The service's own mistakes, at their fields. */
function problemAt(issues: readonly { readonly pointer: string; readonly message: string }[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((issues ?? []).map(({ pointer, message }) => [pointer.split("/")[1] ?? "", message]));
}
