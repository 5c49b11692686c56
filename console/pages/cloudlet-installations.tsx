/** The installations of one cloudlet that the service does by itself, and the logins that it keeps for them. */

import { useEffect, useRef, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { ApiProblem } from "../api.ts";
import { useLoaded, useMay } from "../console.tsx";
import { actionWords, isOver, stateWords, type Installation, type InstallationPlatform, type InstallationState } from "../installations/installation.ts";
import { Link } from "../router.tsx";
import { Empty, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { Time } from "../parts/time.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import { SiteCredentials, type SiteCredential } from "./site-credentials.tsx";

export function InstallationTag({ state }: { readonly state: InstallationState }): ReactNode {
  const [tag, word] = stateWords[state];
  return <span className={`tag ${tag}`}>{word}</span>;
}

/** Whether the service installs there, and if not, why. */
export async function platformFor(api: Api, cloudletId: string, signal?: AbortSignal): Promise<InstallationPlatform> {
  const { body } = await api.get<{ readonly items: readonly InstallationPlatform[] }>(`/v1/installation-platforms?cloudlet=${encodeURIComponent(cloudletId)}`, signal === undefined ? {} : { signal });
  const [platform] = body.items;
  if (platform === undefined) throw new ApiProblem({ type: "urn:cloudlet-bundle:problem:defect", title: "A defect of the service", status: 0, detail: "It tells of no platform for this cloudlet." });
  return platform;
}

export async function siteCredentials(api: Api, cloudletId: string, signal?: AbortSignal): Promise<readonly SiteCredential[]> {
  return (await api.get<{ readonly items: readonly SiteCredential[] }>(`/v1/cloudlets/${encodeURIComponent(cloudletId)}/credentials`, signal === undefined ? {} : { signal })).body.items;
}

export function CloudletInstallations({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  const platform = useLoaded(`platform of ${cloudlet.id}`, (api, signal) => platformFor(api, cloudlet.id, signal));
  return <Ready loaded={platform}>{(value) => <Tab cloudlet={cloudlet} platform={value} />}</Ready>;
}

function Tab({ cloudlet, platform }: { readonly cloudlet: Cloudlet; readonly platform: InstallationPlatform }): ReactNode {
  const mayBegin = useMay()("installation:write", cloudlet.organization);
  const { loaded, pager } = usePages<Installation>(`/v1/installations?cloudlet=${cloudlet.id}`);
  const credentials = useLoaded(`credentials of ${cloudlet.id}`, (api, signal) => siteCredentials(api, cloudlet.id, signal));
  useAgain(loaded.value?.items.some(({ state }) => !isOver(state)) === true, loaded.reload);
  // Scaled out there are no installations to ask for; where the spec has another platform by now, there may be old ones.
  const isNever = !platform.available && (loaded.problem !== undefined || loaded.value?.items.length === 0);
  return (
    <>
      {!platform.available && (
        <section className="card" aria-label="Why not from here">
          <h2>The service does not install this cloudlet</h2>
          <p>{platform.reason}</p>
          <p>The operator runs <code>install.sh</code> at the site, and its receipt is <Link to={`/cloudlets/${cloudlet.id}/receipts`}>uploaded here</Link>.</p>
        </section>
      )}
      {!isNever && (
        <section className="card">
          <div className="spread"><h2>Installations</h2>{mayBegin && platform.available && <Link className="button main" to={`/cloudlets/${cloudlet.id}/installations/new`}>Begin one …</Link>}</div>
          <p>What the service does at the site by itself, with the bundle's own <code>install.sh</code>.</p>
          <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <Empty title="There are none yet"><p>{mayBegin ? "It needs a bundle that is ready, and a login to the site." : "A contributor or manager of the organization begins one."}</p></Empty> : <><InstallationTable items={items} />{pager}</>}</Ready>
        </section>
      )}
      {platform.available && platform.login !== "none" && <SiteCredentials cloudlet={cloudlet} platform={platform} loaded={credentials} />}
    </>
  );
}

/** So often is looked at what goes on: its own page tells each line. */
const againMs = 5_000;

function useAgain(isOn: boolean, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => latest.current(), againMs);
    return () => clearInterval(timer);
  }, [isOn]);
}

function InstallationTable({ items }: { readonly items: readonly Installation[] }): ReactNode {
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Table of installations">
      <table className="stack">
        <caption className="visually-hidden">Installations, the newest first</caption>
        <thead><tr><th scope="col">Begun</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Who</th><th scope="col">Ended</th></tr></thead>
        <tbody>{items.map((each) => (
          <tr key={each.id}>
            <th scope="row"><Link to={`/installations/${each.id}`}><Time at={each.requested} /></Link></th>
            <td data-name="What">{actionWords[each.action].name}{each.attempts > 1 && <span className="soft">, {each.attempts} times</span>}</td>
            <td data-name="State"><InstallationTag state={each.state} /></td>
            <td data-name="Who">{each.requestedBy}</td>
            <td data-name="Ended">{each.finished === null ? "" : <Time at={each.finished} />}</td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}
