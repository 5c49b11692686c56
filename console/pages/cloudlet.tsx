/** One cloudlet: what it is, its spec, bundles, access keys and receipts. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { Page, Ready } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { CloudletTag, Digest, platformName } from "../parts/words.tsx";
import { AccessKeys } from "./access-keys.tsx";
import { CloudletBundles } from "./cloudlet-bundles.tsx";
import { CloudletDeliveries } from "./cloudlet-deliveries.tsx";
import { CloudletInstallations } from "./cloudlet-installations.tsx";
import { CloudletSpec } from "./cloudlet-spec.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import { NotThere } from "./not-there.tsx";
import { Receipts } from "./receipts.tsx";

/** A cloudlet as it was seen. */
export interface SeenCloudlet {
  readonly cloudlet: Cloudlet;
  readonly etag: string;
}

const tabs = [["", "Summary"], ["spec", "Spec"], ["bundles", "Bundles"], ["installations", "Installations"], ["deliveries", "Deliveries"], ["access-keys", "Access keys"], ["receipts", "Receipts"]] as const;

export function CloudletPage({ id, tab }: { readonly id: string; readonly tab: string }): ReactNode {
  const mayDo = useMay();
  const [isRemoving, setRemoving] = useState(false);
  const path = `/v1/cloudlets/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, async (api, signal): Promise<SeenCloudlet> => {
    const { body, etag = "" } = await api.get<Cloudlet>(path, { signal });
    return { cloudlet: body, etag };
  });
  if (!tabs.some(([name]) => name === tab)) return <NotThere />;
  const seen = loaded.value;
  const name = seen?.cloudlet.name ?? "Cloudlet";
  const mayDelete = seen !== undefined && mayDo("cloudlet:delete", seen.cloudlet.organization);
  return (
    <Page title={name} part={tabs.find(([part]) => part === tab)?.[1] ?? ""} kind={seen === undefined ? "Cloudlet" : `Cloudlet of ${seen.cloudlet.organization}`} up={{ to: "/cloudlets", name: "Cloudlets" }} actions={mayDelete && tab === "" && <Button className="button danger" onPress={() => setRemoving(true)}>Remove …</Button>}>
      <nav className="tabs" aria-label={`Parts of ${name}`}><ul>
        {tabs.map(([part, word]) => <li key={part}><Link to={`/cloudlets/${id}${part === "" ? "" : `/${part}`}`} aria-current={part === tab ? "page" : undefined}>{word}</Link></li>)}
      </ul></nav>
      <Ready loaded={loaded}>{(value) => (
        <>
          {tab === "" && <Summary seen={value} />}
          {tab === "spec" && <CloudletSpec id={id} seen={value} changed={loaded.reload} />}
          {tab === "bundles" && <CloudletBundles cloudlet={value.cloudlet} />}
          {tab === "installations" && <CloudletInstallations cloudlet={value.cloudlet} />}
          {tab === "deliveries" && <CloudletDeliveries cloudlet={value.cloudlet} />}
          {tab === "access-keys" && <AccessKeys cloudlet={value.cloudlet} />}
          {tab === "receipts" && <Receipts cloudlet={value.cloudlet} changed={loaded.reload} />}
          {isRemoving && <RemoveDialog seen={value} onClose={() => setRemoving(false)} />}
        </>
      )}</Ready>
    </Page>
  );
}

const stateWords = {
  defined: "It has a spec; no receipt says that it was installed.",
  installed: "The operator's last receipt says that it is installed.",
  removed: "The operator's last receipt says that it was removed.",
} as const;

function Summary({ seen: { cloudlet } }: { readonly seen: SeenCloudlet }): ReactNode {
  const mayDo = useMay();
  return (
    <div className="two">
      <section className="card">
        <h2>What it is</h2>
        <dl>
          <dt>Name</dt><dd>{cloudlet.name}</dd>
          <dt>Organization</dt><dd><Link to={`/organizations/${encodeURIComponent(cloudlet.organization)}`}>{cloudlet.organization}</Link></dd>
          <dt>Region</dt><dd>{cloudlet.region}</dd>
          <dt>Platform</dt><dd>{platformName(cloudlet.platform)}</dd>
          <dt>State</dt><dd><CloudletTag state={cloudlet.state} /> <span className="soft">{stateWords[cloudlet.state]}</span></dd>
          <dt>Created</dt><dd><Time at={cloudlet.created} /></dd>
          <dt>Changed</dt><dd><Time at={cloudlet.updated} /></dd>
          <dt>Spec</dt><dd>revision {cloudlet.revision}, <Digest of={cloudlet.specDigest} /></dd>
        </dl>
      </section>
      <section className="card">
        <h2>What comes next</h2>
        <ol className="steps">
          <li><Link to={`/cloudlets/${cloudlet.id}/bundles`}>{mayDo("bundle:request", cloudlet.organization) ? "Ask for the bundle" : "See the bundles"}</Link> of a release, download it, and bring it to the operator.</li>
          <li><Link to={`/cloudlets/${cloudlet.id}/access-keys`}>{mayDo("access-key:write", cloudlet.organization) ? "Issue the access key" : "See the access keys"}</Link>: its secret goes to the operator by another way than the bundle, its public half to the controller.</li>
          <li><Link to={`/cloudlets/${cloudlet.id}/receipts`}>{mayDo("receipt:write", cloudlet.organization) ? "Upload the receipt" : "See the receipts"}</Link> that <code>install.sh</code> has written at the site.</li>
        </ol>
        <p>Where this service reaches the site, it <Link to={`/cloudlets/${cloudlet.id}/installations`}>installs by itself</Link>; where somebody may log in to a host there, it <Link to={`/cloudlets/${cloudlet.id}/deliveries`}>brings the bundle over SSH</Link>.</p>
      </section>
    </div>
  );
}

function RemoveDialog({ seen: { cloudlet, etag }, onClose }: { readonly seen: SeenCloudlet; readonly onClose: () => void }): ReactNode {
  const { api, tell } = useConsole();
  const [typed, setTyped] = useState("");
  const [mistake, setMistake] = useState<string>();
  const { run, isRunning, problem } = useAction(async () => {
    setMistake(typed === cloudlet.name ? undefined : `Write ${cloudlet.name}.`);
    if (typed !== cloudlet.name) return;
    await api.delete(`/v1/cloudlets/${cloudlet.id}`, undefined, { ifMatch: etag });
    tell(`${cloudlet.name} is removed.`);
    navigate("/cloudlets");
  });
  return (
    <FormDialog title={`Remove ${cloudlet.name}?`} action="Remove" isAlert isDangerous isRunning={isRunning} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>Its bundles, keys and receipts go with it; the audit trail stays. What is installed at the operator's site is not touched.</p>
      <TextField label="Write its name to go on" name="confirmation" value={typed} onChange={setTyped} error={mistake} autoFocus />
    </FormDialog>
  );
}
