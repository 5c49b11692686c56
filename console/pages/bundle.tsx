/** One bundle: watched while it is made, then downloaded, verified and read. */

import { useState, type ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useAction, useConsole, useLoaded, useMay } from "../console.tsx";
import { Link, navigate } from "../router.tsx";
import { CopyText } from "../parts/copy.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Page, Ready } from "../parts/page.tsx";
import { IssueList, ProblemNote, sentence } from "../parts/problem.tsx";
import { openLink, saveLink } from "../parts/save.ts";
import { localOf, Time } from "../parts/time.tsx";
import { BundleTag, sizeText } from "../parts/words.tsx";
import { BundleFiles } from "./bundle-files.tsx";
import { BundleInside } from "./bundle-inside.tsx";
import { Progress } from "./bundle-progress.tsx";
import type { Bundle } from "./bundles.tsx";
import type { Cloudlet } from "./cloudlets.tsx";
import type { Release } from "./releases.tsx";

interface Seen {
  readonly bundle: Bundle;
  readonly cloudlet: Cloudlet;
  readonly release: Release;
}

export function BundlePage({ id }: { readonly id: string }): ReactNode {
  const path = `/v1/bundles/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, async (api, signal): Promise<Seen> => {
    const { body: bundle } = await api.get<Bundle>(path, { signal });
    const [cloudlet, release] = await Promise.all([api.get<Cloudlet>(`/v1/cloudlets/${bundle.cloudlet}`, { signal }), api.get<Release>(`/v1/releases/${bundle.release}`, { signal })]);
    return { bundle, cloudlet: cloudlet.body, release: release.body };
  });
  const seen = loaded.value;
  return (
    <Page
      title={seen === undefined ? "Bundle" : `${seen.cloudlet.name}, release ${seen.release.name}`} kind={seen === undefined ? "Bundle" : `Bundle of ${seen.bundle.organization}`}
      up={seen === undefined ? { to: "/bundles", name: "Bundles" } : { to: `/cloudlets/${seen.cloudlet.id}/bundles`, name: `Bundles of ${seen.cloudlet.name}` }}
    >
      <Ready loaded={loaded}>{(value) => (
        <>
          {(value.bundle.state === "queued" || value.bundle.state === "building") && <Progress bundle={value.bundle} ended={loaded.reload} />}
          {value.bundle.state === "failed" && <Failure seen={value} again={loaded.reload} />}
          {value.bundle.state === "ready" && <Download bundle={value.bundle} />}
          <About seen={value} />
          {value.bundle.state === "ready" && <><Verification bundle={value.bundle} /><BundleFiles bundle={value.bundle} /><BundleInside bundle={value.bundle} /></>}
        </>
      )}</Ready>
    </Page>
  );
}

function About({ seen: { bundle, cloudlet, release } }: { readonly seen: Seen }): ReactNode {
  return (
    <section className="card">
      <h2>What it is</h2>
      <dl>
        <dt>State</dt><dd><BundleTag state={bundle.state} /></dd>
        <dt>Cloudlet</dt><dd><Link to={`/cloudlets/${cloudlet.id}`}>{cloudlet.name}</Link></dd>
        <dt>Release</dt><dd><Link to={`/releases/${release.id}`}>{release.name}</Link></dd>
        {bundle.fileName !== undefined && <><dt>File</dt><dd><code>{bundle.fileName}</code>, {sizeText(bundle.size ?? 0)}</dd></>}
        {bundle.sums !== undefined && <><dt>SHA256SUMS</dt><dd><code>{bundle.sums}</code></dd></>}
        <dt>Asked for</dt><dd><Time at={bundle.requested} /></dd>
        {bundle.finished !== undefined && <><dt>Finished</dt><dd><Time at={bundle.finished} /></dd></>}
      </dl>
    </section>
  );
}

interface Ticket {
  readonly url: string;
  readonly expires: string;
}

function Download({ bundle }: { readonly bundle: Bundle }): ReactNode {
  const { api, tell } = useConsole();
  const mayInstall = useMay()("installation:write", bundle.organization);
  const [link, setLink] = useState<Ticket>();
  const ticket = async (purpose: "download" | "report"): Promise<Ticket> => (await api.post<Ticket>(`/v1/bundles/${bundle.id}/tickets`, { purpose })).body;
  const download = useAction(async () => {
    saveLink((await ticket("download")).url, bundle.fileName ?? "bundle.tar");
    tell("Your browser downloads it. If it is interrupted, go on from the browser's list of downloads.");
  });
  const report = useAction(async () => openLink((await ticket("report")).url));
  const forElsewhere = useAction(async () => setLink(await ticket("download")));
  const url = link === undefined ? "" : new URL(link.url, location.origin).href;
  return (
    <section className="card verdict" aria-label="Download">
      <h2>The bundle is ready</h2>
      <div className="row">
        <Button className="button main" isPending={download.isRunning} onPress={() => void download.run()}>{`Download (${sizeText(bundle.size ?? 0)})`}</Button>
        <Button className="button" isPending={report.isRunning} onPress={() => void report.run()}>Open the report</Button>
        {mayInstall && <Link className="button" to={`/cloudlets/${bundle.cloudlet}/installations/new?bundle=${bundle.id}`}>Install from here …</Link>}
        <Button className="button" isPending={forElsewhere.isRunning} onPress={() => void forElsewhere.run()}>Download elsewhere …</Button>
      </div>
      <ProblemNote problem={download.problem ?? report.problem ?? forElsewhere.problem} />
      {link !== undefined && (
        <Dialog title="Download on another machine" onClose={() => setLink(undefined)}>
          <p>Good for one download until {localOf(link.expires)}, or until you sign out. Whoever has it can download the bundle. Run the command again and it goes on where it was interrupted.</p>
          <CopyText text={`curl -f -C - -o '${bundle.fileName ?? "bundle.tar"}' '${url}'`} name="command" />
          <div className="row end"><Button className="button main" onPress={() => setLink(undefined)}>Done</Button></div>
        </Dialog>
      )}
    </section>
  );
}

function Verification({ bundle }: { readonly bundle: Bundle }): ReactNode {
  const file = bundle.fileName ?? "bundle.tar";
  return (
    <section className="card">
      <h2>How the operator verifies it</h2>
      <p>The fingerprint of the key must reach the operator by another channel than the bundle: read it over the telephone, say. Then nothing else has to be believed.</p>
      <h3>Fingerprint</h3>
      <CopyText text={bundle.fingerprint} name="fingerprint" />
      <h3>With a verify.sh that is trusted already, from an earlier bundle</h3>
      <CopyText text={`sh verify.sh --bundle '${file}' --trust ${bundle.fingerprint}\nmkdir bundle && tar -xf '${file}' -C bundle\nsh verify.sh --bundle bundle --trust ${bundle.fingerprint}`} name="commands with verify.sh" />
      <h3>With the program</h3>
      <CopyText text={`cloudlet-bundle verify '${file}' --trust ${bundle.fingerprint}`} name="command with cloudlet-bundle" />
    </section>
  );
}

function Failure({ seen: { bundle, cloudlet }, again }: { readonly seen: Seen; readonly again: () => void }): ReactNode {
  const { api } = useConsole();
  const mayDo = useMay();
  const retry = useAction(async () => {
    const { body } = await api.post<Bundle>("/v1/bundles", { cloudlet: bundle.cloudlet, release: bundle.release });
    if (body.id === bundle.id) again();
    else navigate(`/bundles/${body.id}`);
  });
  return (
    <section className="card verdict bad" aria-label="Why it failed">
      <h2>It could not be made</h2>
      <p>{sentence(bundle.failure?.title ?? "the reason is in the service's log")}</p>
      {bundle.failure !== undefined && bundle.failure.issues.length > 0 && <><IssueList issues={bundle.failure.issues} /><p><Link to={`/cloudlets/${cloudlet.id}/spec`}>Go to the spec</Link></p></>}
      {mayDo("bundle:request", bundle.organization) && <Button className="button" isPending={retry.isRunning} onPress={() => void retry.run()}>Try again</Button>}
      <ProblemNote problem={retry.problem} />
    </section>
  );
}
