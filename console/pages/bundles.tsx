/** Every bundle that one may know of, the newest first. */

import type { ReactNode } from "react";
import type { Api, Issue } from "../api.ts";
import { useLoaded } from "../console.tsx";
import { Link, navigate, usePlace, withQuery } from "../router.tsx";
import { SelectField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { Time } from "../parts/time.tsx";
import { BundleTag, sizeText, type BundleState } from "../parts/words.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import type { Release } from "./releases.tsx";

export interface Bundle {
  readonly id: string;
  readonly cloudlet: string;
  readonly release: string;
  readonly organization: string;
  readonly state: BundleState;
  readonly fingerprint: string;
  readonly fileName?: string;
  readonly size?: number;
  readonly sums?: string;
  readonly failure?: { readonly title: string; readonly issues: readonly Issue[] };
  readonly requested: string;
  readonly finished?: string;
}

export function Bundles(): ReactNode {
  const place = usePlace();
  const state = place.query.get("state") ?? "";
  const { loaded, pager } = usePages<Bundle>(`/v1/bundles${state === "" ? "" : `?state=${encodeURIComponent(state)}`}`);
  return (
    <Page title="Bundles">
      <div className="card filters">
        <SelectField label="State" value={state} onChange={(value) => navigate(withQuery(place, { state: value }), { replace: true })} choices={[{ value: "", name: "any" }, ...["queued", "building", "ready", "failed"].map((value) => ({ value, name: value }))]} />
      </div>
      <section className="card" aria-label="Bundles">
        <Ready loaded={loaded}>{({ items }) => items.length === 0 ? (
          <Empty title={state === "" ? "There are no bundles yet" : `No bundle is ${state}`}><p>A bundle is asked for at its cloudlet, under “Bundles”. <Link to="/cloudlets">Choose a cloudlet.</Link></p></Empty>
        ) : <><BundleTable items={items} withCloudlet />{pager}</>}</Ready>
      </section>
    </Page>
  );
}

export function BundleTable({ items, withCloudlet }: { readonly items: readonly Bundle[]; readonly withCloudlet: boolean }): ReactNode {
  const key = `names of ${[...new Set(items.flatMap(({ cloudlet, release }) => [cloudlet, release]))].sort().join(" ")}`;
  const names = useLoaded(key, (api, signal) => namesOf(api, items, withCloudlet, signal)).value;
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Table of bundles">
      <table className="stack">
        <caption className="visually-hidden">Bundles, the newest first</caption>
        <thead><tr><th scope="col">Bundle</th>{withCloudlet && <th scope="col">Organization</th>}<th scope="col">Release</th><th scope="col">State</th><th scope="col" className="n">Size</th><th scope="col">Asked for</th></tr></thead>
        <tbody>
          {items.map((each) => (
            <tr key={each.id}>
              <th scope="row"><Link to={`/bundles/${each.id}`}>{withCloudlet ? (names?.get(each.cloudlet) ?? "…") : (each.fileName ?? "Bundle")}</Link></th>
              {withCloudlet && <td data-name="Organization">{each.organization}</td>}
              <td data-name="Release">{names?.get(each.release) ?? "…"}</td>
              <td data-name="State"><BundleTag state={each.state} /></td>
              <td data-name="Size" className="n">{each.size === undefined ? "" : sizeText(each.size)}</td>
              <td data-name="Asked for"><Time at={each.requested} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A bundle names cloudlet and release by their ids. */
async function namesOf(api: Api, items: readonly Bundle[], withCloudlets: boolean, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const releases = (await api.get<{ readonly items: readonly Release[] }>("/v1/releases", { signal })).body.items;
  const cloudlets = withCloudlets ? await Promise.all([...new Set(items.map(({ cloudlet }) => cloudlet))].map(async (id) => (await api.get<Cloudlet>(`/v1/cloudlets/${id}`, { signal })).body)) : [];
  return new Map([...releases, ...cloudlets].map(({ id, name }) => [id, name]));
}
