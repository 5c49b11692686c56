/** The cloudlets in a table, filtered; the map is beside it. */

import { useState, type ReactNode } from "react";
import { useLoaded, useMaySomewhere } from "../console.tsx";
import { Link, navigate, usePlace, withQuery, type Place } from "../router.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { allOf, usePages } from "../parts/pages.tsx";
import { Time } from "../parts/time.tsx";
import { CloudletTag, platformName, platformNames, type CloudletState } from "../parts/words.tsx";

export interface Cloudlet {
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly region: string;
  readonly platform: string;
  readonly state: CloudletState;
  readonly revision: number;
  readonly specDigest: string;
  readonly created: string;
  readonly updated: string;
}

export function Cloudlets(): ReactNode {
  const place = usePlace();
  const query = filterQuery(place);
  const { loaded, pager } = usePages<Cloudlet>(`/v1/cloudlets${query}`);
  return (
    <CloudletsPage isMap={false}>
      <Filters place={place} withName />
      <section className="card" aria-label="Cloudlets">
        <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <NoCloudlets isFiltered={query !== ""} /> : (
          <>
            <div className="wide" tabIndex={0} role="region" aria-label="Table of cloudlets"><CloudletTable items={items} /></div>
            {pager}
          </>
        )}</Ready>
      </section>
    </CloudletsPage>
  );
}

/** The two ways to look at the same. */
export function CloudletsPage({ isMap, children }: { readonly isMap: boolean; readonly children: ReactNode }): ReactNode {
  const maySomewhere = useMaySomewhere();
  const { query } = usePlace();
  const text = query.toString() === "" ? "" : `?${query.toString()}`;
  return (
    <Page title="Cloudlets" actions={maySomewhere("cloudlet:write") && <Link to="/cloudlets/new" className="button main">New cloudlet</Link>}>
      <nav className="tabs" aria-label="Table or map"><ul>
        <li><Link to={`/cloudlets${text}`} aria-current={isMap ? undefined : "page"}>Table</Link></li>
        <li><Link to={`/cloudlets/map${text}`} aria-current={isMap ? "page" : undefined}>Map</Link></li>
      </ul></nav>
      {children}
    </Page>
  );
}

const filters = ["organization", "platform", "state", "region", "name"] as const;

/** Of the address: what isn't a filter is left out. */
export function filterQuery({ query }: Place, without: readonly string[] = []): string {
  const chosen = new URLSearchParams(filters.filter((each) => !without.includes(each)).flatMap((name): [string, string][] => {
    const value = query.get(name) ?? "";
    return value === "" ? [] : [[name, value]];
  }));
  return chosen.size === 0 ? "" : `?${chosen.toString()}`;
}

const any = { value: "", name: "any" };

export function Filters({ place, withName }: { readonly place: Place; readonly withName: boolean }): ReactNode {
  const organizations = useLoaded("/v1/organizations", (api, signal) => allOf<{ readonly name: string }>(api, "/v1/organizations", 1_000, signal));
  const [name, setName] = useState(place.query.get("name") ?? "");
  const [region, setRegion] = useState(place.query.get("region") ?? "");
  const set = (changes: Readonly<Record<string, string>>): void => navigate(withQuery(place, changes), { replace: true });
  const of = (key: string): string => place.query.get(key) ?? "";
  const chosen = filterQuery(place, withName ? [] : ["name"]) !== "";
  return (
    <form className="card filters" role="search" aria-label="Filter cloudlets" onSubmit={(event) => { event.preventDefault(); set({ name: name.trim(), region: region.trim() }); }}>
      <SelectField label="Organization" value={of("organization")} onChange={(value) => set({ organization: value })} choices={[any, ...(organizations.value ?? []).map((each) => ({ value: each.name, name: each.name }))]} />
      <SelectField label="Platform" value={of("platform")} onChange={(value) => set({ platform: value })} choices={[any, ...platformNames]} />
      <SelectField label="State" value={of("state")} onChange={(value) => set({ state: value })} choices={[any, ...(["defined", "installed", "removed"] as const).map((value) => ({ value, name: value }))]} />
      <TextField label="Region" name="region" value={region} onChange={setRegion} input={{ onBlur: () => set({ region: region.trim() }) }} />
      {withName && <TextField label="Exact name" name="name" value={name} onChange={setName} input={{ onBlur: () => set({ name: name.trim() }) }} />}
      <div className="row">
        <button type="submit" className="button">Filter</button>
        {chosen && <button type="button" className="button" onClick={() => { setName(""); setRegion(""); set({ organization: "", platform: "", state: "", region: "", name: "" }); }}>Show all</button>}
      </div>
    </form>
  );
}

function CloudletTable({ items }: { readonly items: readonly Cloudlet[] }): ReactNode {
  return (
    <table className="stack">
      <caption className="visually-hidden">Cloudlets, by organization and name</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Organization</th><th scope="col">Region</th><th scope="col">Platform</th><th scope="col">State</th><th scope="col">Changed</th></tr></thead>
      <tbody>
        {items.map((each) => (
          <tr key={each.id}>
            <th scope="row"><Link to={`/cloudlets/${each.id}`}>{each.name}</Link></th>
            <td data-name="Organization">{each.organization}</td>
            <td data-name="Region">{each.region}</td>
            <td data-name="Platform">{platformName(each.platform)}</td>
            <td data-name="State"><CloudletTag state={each.state} /></td>
            <td data-name="Changed"><Time at={each.updated} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function NoCloudlets({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  const maySomewhere = useMaySomewhere();
  if (isFiltered) return <Empty title="No cloudlet is like that"><p>Take a filter away.</p></Empty>;
  return (
    <Empty title="There are no cloudlets yet">
      {maySomewhere("cloudlet:write") ? (
        <><p>A cloudlet is described by its spec: where it is, on which platform, with which networks. Each belongs to an organization, which has to be there first.</p><p><Link to="/cloudlets/new" className="button main">New cloudlet</Link> <Link to="/organizations" className="button">Organizations</Link></p></>
      ) : <p>You see the cloudlets of the organizations that you are in. Ask a manager of yours, or an administrator.</p>}
    </Empty>
  );
}
