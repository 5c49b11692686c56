/** A bundle looked into: its files with what caused each line; and the page of what changed from one bundle to another. */

import { lazy, Suspense, useState, type ReactNode } from "react";
import { useConsole, useLoaded } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { SelectField } from "../parts/field.tsx";
import { Page, Ready } from "../parts/page.tsx";
import { localOf } from "../parts/time.tsx";
import type { Bundle } from "./bundles.tsx";

const BundleBrowser = lazy(async () => ({ default: (await import("../bundle-browser/bundle-browser.tsx")).BundleBrowser }));
const BundleDiff = lazy(async () => ({ default: (await import("../bundle-browser/bundle-diff.tsx")).BundleDiff }));

export function BundleInside({ bundle }: { readonly bundle: Bundle }): ReactNode {
  const { api } = useConsole();
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="card">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary><h2 className="in-summary">Read it, with what caused each line</h2></summary>
        {isOpen && <Suspense fallback={<p className="soft loading" role="status">Loading …</p>}><BundleBrowser api={api} bundle={bundle} specAddress={() => `/cloudlets/${bundle.cloudlet}/spec`} /></Suspense>}
      </details>
      <Compare bundle={bundle} />
    </section>
  );
}

/** With another bundle of the same cloudlet. */
function Compare({ bundle }: { readonly bundle: Bundle }): ReactNode {
  const path = `/v1/bundles?cloudlet=${bundle.cloudlet}&state=ready&limit=200`;
  const loaded = useLoaded(path, async (from, signal) => (await from.get<{ readonly items: readonly Bundle[] }>(path, { signal })).body.items.filter(({ id }) => id !== bundle.id));
  const others = loaded.value ?? [];
  if (others.length === 0) return null;
  return <SelectField label="What changed since" value="" onChange={(id) => id !== "" && navigate(`/bundles/${id}/diff/${bundle.id}`)} choices={[{ value: "", name: "choose a bundle of this cloudlet" }, ...others.map(({ id, requested, fileName = "" }) => ({ value: id, name: `${localOf(requested)}, ${fileName}` }))]} />;
}

export function BundleDiffPage({ before, after }: { readonly before: string; readonly after: string }): ReactNode {
  const { api } = useConsole();
  const loaded = useLoaded(`${before} ${after}`, async (from, signal) => Promise.all([before, after].map(async (id) => (await from.get<Bundle>(`/v1/bundles/${encodeURIComponent(id)}`, { signal })).body)));
  return (
    <Page title="What changed" kind="From one bundle to another" up={{ to: `/bundles/${after}`, name: "Bundle" }}>
      <Ready loaded={loaded}>{([a, b]) => a === undefined || b === undefined ? null : (
        <>
          <dl className="card"><dt>Before</dt><dd><Link to={`/bundles/${a.id}`}>{a.fileName ?? a.id}</Link>, {localOf(a.requested)}</dd><dt>After</dt><dd><Link to={`/bundles/${b.id}`}>{b.fileName ?? b.id}</Link>, {localOf(b.requested)}</dd></dl>
          <BundleDiff api={api} before={a} after={b} />
        </>
      )}</Ready>
    </Page>
  );
}
