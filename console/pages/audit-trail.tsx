/** Who did what, when and from where; whether the trail is as it was written; and all of it as a file. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate, usePlace, withQuery } from "../router.tsx";
import { CopyText } from "../parts/copy.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page, Ready } from "../parts/page.tsx";
import { allOf, usePages } from "../parts/pages.tsx";
import { ProblemNote, sentence } from "../parts/problem.tsx";
import { saveBlob } from "../parts/save.ts";
import { Time } from "../parts/time.tsx";
import { Digest } from "../parts/words.tsx";

interface Entry {
  readonly number: number;
  readonly time: string;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly subject: string;
  readonly organization: string | null;
  readonly detail: unknown;
  readonly hash: string;
}

export function AuditTrail(): ReactNode {
  const { me } = useConsole();
  const mayDo = useMay();
  const place = usePlace();
  const seesAll = mayDo("audit:read");
  const own = me.memberships.map(({ organization }) => organization).filter((organization) => mayDo("audit:read", organization));
  const organization = place.query.get("organization") ?? (seesAll ? "" : (own[0] ?? ""));
  const [actor, setActor] = useState(place.query.get("actor") ?? "");
  const [action, setAction] = useState(place.query.get("action") ?? "");
  const chosen = new URLSearchParams([["organization", organization], ["actor", place.query.get("actor") ?? ""], ["action", place.query.get("action") ?? ""]].filter((each): each is [string, string] => each[1] !== ""));
  const filter = (): void => navigate(withQuery(place, { actor: actorOf(actor), action: action.trim() }), { replace: true });
  if (!seesAll && own.length === 0) return <Page title="Audit trail"><div className="card"><p>The trail is read by administrators, auditors, and the managers of an organization.</p></div></Page>;
  return (
    <Page title="Audit trail" actions={<Export organization={organization} />}>
      {seesAll && <Verification />}
      <form className="card filters" role="search" aria-label="Filter the trail" onSubmit={(event) => { event.preventDefault(); filter(); }}>
        <OrganizationChoice seesAll={seesAll} own={own} value={organization} onChange={(value) => navigate(withQuery(place, { organization: value }), { replace: true })} />
        <TextField label="Who" name="actor" value={actor} onChange={setActor} hint="A name" />
        <TextField label="What" name="action" value={action} onChange={setAction} hint="bundle:request, say" />
        <div className="row"><button type="submit" className="button">Filter</button></div>
      </form>
      <Entries query={chosen.toString()} />
    </Page>
  );
}

/** As the trail has it. */
function actorOf(name: string): string {
  const plain = name.trim();
  return plain === "" || plain.includes(":") || plain === "nobody" ? plain : `user:${plain}`;
}

function OrganizationChoice({ seesAll, own, value, onChange }: { readonly seesAll: boolean; readonly own: readonly string[]; readonly value: string; readonly onChange: (value: string) => void }): ReactNode {
  const all = useLoaded("/v1/organizations", (api, signal) => allOf<{ readonly name: string }>(api, "/v1/organizations", 1_000, signal));
  const names = seesAll ? (all.value ?? []).map(({ name }) => name) : own;
  return <SelectField label="Organization" value={value} onChange={onChange} choices={[...(seesAll ? [{ value: "", name: "any, and the platform" }] : []), ...names.map((name) => ({ value: name, name }))]} />;
}

function Entries({ query }: { readonly query: string }): ReactNode {
  const { loaded, pager } = usePages<Entry>(`/v1/audit?order=newest${query === "" ? "" : `&${query}`}`, 50);
  return (
    <section className="card" aria-label="Entries">
      <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <Empty title="No entry is like that"><p>Take a filter away.</p></Empty> : (
        <>
          <div className="wide" tabIndex={0} role="region" aria-label="Table of entries">
            <table className="stack">
              <caption className="visually-hidden">Entries, the newest first</caption>
              <thead><tr><th scope="col" className="n">Number</th><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">To what</th><th scope="col">Organization</th><th scope="col">From</th><th scope="col">More</th></tr></thead>
              <tbody>{items.map((each) => (
                <tr key={each.number}>
                  <td data-name="Number" className="n">{each.number}</td>
                  <th scope="row"><Time at={each.time} /></th>
                  <td data-name="Who">{each.actor.replace(/^user:/, "")}</td>
                  <td data-name="What"><code>{each.action}</code></td>
                  <td data-name="To what"><Subject of={each.subject} /></td>
                  <td data-name="Organization">{each.organization ?? ""}</td>
                  <td data-name="From"><code>{each.address}</code></td>
                  <td><details><summary aria-label={`More of entry ${each.number}`}>more</summary><pre className="code">{JSON.stringify(each.detail, null, 2)}</pre><small>Hash <Digest of={each.hash} /></small></details></td>
                </tr>
              ))}</tbody>
            </table>
          </div>
          {pager}
        </>
      )}</Ready>
    </section>
  );
}

const places: Readonly<Record<string, string>> = { cloudlet: "/cloudlets", bundle: "/bundles", release: "/releases", organization: "/organizations" };

/** `cloudlet:ID`: it may be gone meanwhile, and its page says so. */
function Subject({ of }: { readonly of: string }): ReactNode {
  const [, kind = "", name = ""] = /^([a-z]+):(.+)$/.exec(of) ?? [];
  const place = Object.hasOwn(places, kind) ? places[kind] : undefined;
  return place === undefined ? <code>{of}</code> : <Link to={`${place}/${encodeURIComponent(name)}`}><code>{of}</code></Link>;
}

interface Verdict {
  readonly good: boolean;
  readonly entries?: number;
  readonly head?: string;
  readonly number?: number;
  readonly reason?: string;
}

function Verification(): ReactNode {
  const { api } = useConsole();
  const [verdict, setVerdict] = useState<Verdict>();
  const { run, isRunning, problem } = useAction(async () => setVerdict((await api.get<Verdict>("/v1/audit/verification")).body));
  return (
    <section className={`card ${verdict === undefined ? "" : `verdict ${verdict.good ? "" : "bad"}`}`} aria-label="Verification">
      <div className="spread"><h2>Is it as it was written?</h2><Button className="button" isPending={isRunning} onPress={() => void run()}>Verify the trail</Button></div>
      <div role="status">
        {verdict === undefined && <p className="soft">Every entry has the hash of the one before. The service hashes all of it again.</p>}
        {verdict?.good === true && <p><strong>Yes:</strong> all {verdict.entries} entries are as they were written.</p>}
        {verdict?.good === false && <p><strong>No:</strong> entry {verdict.number} is the first that is not as it was written. {sentence(verdict.reason ?? "")}</p>}
      </div>
      {verdict?.head !== undefined && <><p className="soft">Keep its head outside of this service: a later trail must still have it.</p><CopyText text={verdict.head} name="head of the trail" /></>}
      <ProblemNote problem={problem} />
    </section>
  );
}

function Export({ organization }: { readonly organization: string }): ReactNode {
  const { api, tell } = useConsole();
  const { run, isRunning, problem } = useAction(async () => {
    saveBlob("audit-trail.jsonl", await api.blob(`/v1/audit/export${organization === "" ? "" : `?organization=${encodeURIComponent(organization)}`}`));
    tell("The trail is saved as JSON lines, the oldest first.");
  });
  return <><Button className="button" isPending={isRunning} onPress={() => void run()}>Export</Button><ProblemNote problem={problem} /></>;
}
