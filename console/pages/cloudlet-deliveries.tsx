/** The deliveries of one cloudlet: bundles that the service brings to a host of the site over SSH. */

import type { ReactNode } from "react";
import { useMay } from "../console.tsx";
import { actionWords, stateWords, type Delivery } from "../deliveries/delivery.ts";
import type { InstallationState } from "../installations/installation.ts";
import { Link } from "../router.tsx";
import { Empty, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { Time } from "../parts/time.tsx";
import type { Cloudlet } from "./cloudlets.tsx";

export function DeliveryTag({ state }: { readonly state: InstallationState }): ReactNode {
  const [tag, word] = stateWords[state];
  return <span className={`tag ${tag}`}>{word}</span>;
}

export function CloudletDeliveries({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  const mayBegin = useMay()("delivery:write", cloudlet.organization);
  const { loaded, pager } = usePages<Delivery>(`/v1/deliveries?cloudlet=${cloudlet.id}`);
  if (loaded.problem?.kind === "not-found") return <NotHere cloudlet={cloudlet} />;
  return (
    <section className="card">
      <div className="spread"><h2>Deliveries</h2>{mayBegin && <Link className="button main" to={`/cloudlets/${cloudlet.id}/deliveries/new`}>Begin one …</Link>}</div>
      <p>Where somebody may log in to a host of the site, the service brings the bundle there over SSH and runs its <code>install.sh</code>.</p>
      <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <Empty title="There are none yet"><p>{mayBegin ? "It needs a bundle that is ready, a login to the host, and the host's key." : "A contributor or manager of the organization begins one."}</p></Empty> : <><DeliveryTable items={items} />{pager}</>}</Ready>
    </section>
  );
}

/** Nobody has switched it on; or there is no folder that it could be done from. */
export function NotHere({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  return (
    <section className="card" aria-label="Why not from here">
      <h2>This service delivers nothing</h2>
      <p>Whoever runs it switches it on with <code>serve --deliver</code>. Until then, <Link to={`/cloudlets/${cloudlet.id}/bundles`}>download the bundle</Link> and bring it there yourself: <code>cloudlet-bundle push</code> does the same from your own machine.</p>
    </section>
  );
}

function DeliveryTable({ items }: { readonly items: readonly Delivery[] }): ReactNode {
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Table of deliveries">
      <table className="stack">
        <caption className="visually-hidden">Deliveries, the newest first</caption>
        <thead><tr><th scope="col">Begun</th><th scope="col">What</th><th scope="col">Host</th><th scope="col">State</th><th scope="col">Who</th><th scope="col">Ended</th></tr></thead>
        <tbody>{items.map((each) => (
          <tr key={each.id}>
            <th scope="row"><Link to={`/deliveries/${each.id}`}><Time at={each.requested} /></Link></th>
            <td data-name="What">{actionWords[each.action].name}{each.attempts > 1 && <span className="soft">, {each.attempts} times</span>}</td>
            <td data-name="Host"><code>{each.host}</code></td>
            <td data-name="State"><DeliveryTag state={each.state} /></td>
            <td data-name="Who">{each.requestedBy}</td>
            <td data-name="Ended">{each.finished === null ? "" : <Time at={each.finished} />}</td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}
