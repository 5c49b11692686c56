/** The bundles of one cloudlet, and asking for another one. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { SelectField } from "../parts/field.tsx";
import { Empty, Ready } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { BundleTable, type Bundle } from "./bundles.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import type { Release } from "./releases.tsx";

export function CloudletBundles({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  const mayDo = useMay();
  const { loaded, pager } = usePages<Bundle>(`/v1/bundles?cloudlet=${cloudlet.id}`);
  return (
    <>
      {mayDo("bundle:request", cloudlet.organization) && <AskFor cloudlet={cloudlet} />}
      <section className="card">
        <h2>Bundles</h2>
        <Ready loaded={loaded}>{({ items }) => items.length === 0 ? <Empty title="There are none yet"><p>{mayDo("bundle:request", cloudlet.organization) ? "Choose a release above and ask for its bundle." : "A contributor or manager of the organization asks for one."}</p></Empty> : <><BundleTable items={items} withCloudlet={false} />{pager}</>}</Ready>
      </section>
    </>
  );
}

function AskFor({ cloudlet }: { readonly cloudlet: Cloudlet }): ReactNode {
  const { api } = useConsole();
  const mayDo = useMay();
  const releases = useLoaded("/v1/releases", async (from, signal) => (await from.get<{ readonly items: readonly Release[] }>("/v1/releases", { signal })).body.items);
  const [chosen, setChosen] = useState("");
  const { run, isRunning, problem } = useAction(async (release: string) => {
    const { body } = await api.post<Bundle>("/v1/bundles", { cloudlet: cloudlet.id, release });
    navigate(`/bundles/${body.id}`);
  });
  return (
    <section className="card">
      <h2>Ask for a bundle</h2>
      <Ready loaded={releases}>{(items) => {
        const usable = items.filter(({ lockDigest }) => lockDigest !== null);
        const release = chosen === "" ? (usable[0]?.id ?? "") : chosen;
        if (usable.length === 0) return <Empty title="No release is ready"><p>{mayDo("release:write") ? <>Upload a release and its lock: <Link to="/releases">Releases</Link>.</> : "An administrator uploads a release and its lock first."}</p></Empty>;
        return (
          <form onSubmit={(event) => { event.preventDefault(); void run(release); }}>
            <SelectField label="Release" value={release} onChange={setChosen} choices={usable.map(({ id, name, sequence }) => ({ value: id, name: `${name} (sequence ${sequence})` }))} hint="The same cloudlet and release give the same bundle, whoever asks." />
            <ProblemNote problem={problem} />
            <Button type="submit" className="button main" isPending={isRunning}>Ask for the bundle</Button>
          </form>
        );
      }}</Ready>
    </section>
  );
}
