/** The console as a whole: whoever is not logged in logs in first; then the frame, and in it the page of the address. */

import { lazy, Suspense, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { apiOf, type Api } from "./api.ts";
import { ConsoleContext, asProblem, type Console } from "./console.tsx";
import { Frame } from "./frame.tsx";
import { partsOf, navigate, usePlace } from "./router.tsx";
import { sessionStore, type Me } from "./session.ts";
import { Account } from "./pages/account.tsx";
import { AuditTrail } from "./pages/audit-trail.tsx";
import { BundlePage } from "./pages/bundle.tsx";
import { BundleDiffPage } from "./pages/bundle-inside.tsx";
import { Bundles } from "./pages/bundles.tsx";
import { CloudletPage } from "./pages/cloudlet.tsx";
import { Cloudlets } from "./pages/cloudlets.tsx";
import { InstallationPage } from "./pages/installation.tsx";
import { DeliveryPage } from "./pages/delivery.tsx";
import { NewDelivery } from "./pages/new-delivery.tsx";
import { NewCloudlet } from "./pages/new-cloudlet.tsx";
import { NewInstallation } from "./pages/new-installation.tsx";
import { NotThere } from "./pages/not-there.tsx";
import { OrganizationPage } from "./pages/organization.tsx";
import { Organizations } from "./pages/organizations.tsx";
import { ReleasePage } from "./pages/release.tsx";
import { Releases } from "./pages/releases.tsx";
import { SetUp } from "./pages/set-up.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { SignInAgain } from "./pages/sign-in-again.tsx";
import { SigningKeys } from "./pages/signing-keys.tsx";
import { Users } from "./pages/users.tsx";
import { dropDrafts, keepDraftsOf } from "./parts/draft.ts";
import { ProblemNote } from "./parts/problem.tsx";

const CloudletMap = lazy(async () => ({ default: (await import("./pages/cloudlet-map.tsx")).CloudletMap }));

const session = sessionStore(sessionStorage);
const api = apiOf(session);

export function App(): ReactNode {
  const token = useSyncExternalStore(session.subscribe, () => session.token());
  const isExpired = useSyncExternalStore(session.subscribe, () => session.isExpired());
  const [me, setMe] = useState<Me>();
  const [problem, setProblem] = useState<ReturnType<typeof asProblem>>();
  const { path } = usePlace();

  const begin = (next: Me): void => {
    keepDraftsOf(next.name);
    setMe((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
  };
  // Somebody may have been given another role while the tab was in the background.
  useEffect(() => {
    const lookAgain = (): void => {
      if (document.visibilityState === "visible" && session.token() !== undefined && !session.isExpired()) fetchMe(api).then(begin, () => undefined);
    };
    document.addEventListener("visibilitychange", lookAgain);
    return () => document.removeEventListener("visibilitychange", lookAgain);
  }, []);
  const load = (): void => {
    setProblem(undefined);
    // The first question with a token that was kept: where it has ended, there is nothing yet that could be lost.
    fetchMe(api).then(begin, (error: unknown) => setProblem(asProblem(error)));
  };
  useEffect(() => {
    if (token === undefined) setMe(undefined);
    else if (me === undefined) load();
  }, [token]);
  useEffect(() => {
    if (isExpired && me === undefined) session.set(undefined);
  }, [isExpired, me]);

  if (path === "/set-up") return <SetUp api={api} onDone={(next) => { navigate("/", { replace: true }); session.set(next); }} />;
  if (token === undefined) return <SignIn api={api} onDone={session.set} />;
  if (me === undefined) return <main className="alone">{problem === undefined ? <p className="soft loading" role="status">Loading …</p> : <ProblemNote problem={problem}><p><button type="button" className="button small" onClick={load}>Try again</button></p></ProblemNote>}</main>;
  return (
    <Inside me={me}>
      {isExpired && <SignInAgain api={api} name={me.name} onDone={session.set} onLeave={() => session.giveUp()} />}
    </Inside>
  );
}

async function fetchMe(from: Api): Promise<Me> {
  return (await from.get<Me>("/v1/me")).body;
}

function Inside({ me, children }: { readonly me: Me; readonly children: ReactNode }): ReactNode {
  const [told, setTold] = useState("");
  const place = usePlace();
  useEffect(() => setTold(""), [place.path]);
  const value = useMemo<Console>(() => ({
    api, me,
    // After the step, which takes away what the page before has told.
    tell: (message) => void setTimeout(() => setTold(message)),
    signOut: () => {
      dropDrafts();
      // Whatever comes of it: here nobody is logged in any more.
      api.delete("/v1/sessions/current").catch(() => undefined);
      session.set(undefined);
    },
    leave: () => session.set(undefined),
  }), [me]);
  return (
    <ConsoleContext value={value}>
      <Frame told={told} forget={() => setTold("")}>
        <Suspense fallback={<p className="soft loading" role="status">Loading …</p>}>{pageAt(place.path)}</Suspense>
      </Frame>
      {children}
    </ConsoleContext>
  );
}

type Parts = Readonly<Record<string, string>>;

const pages: readonly (readonly [pattern: string, page: (parts: Parts) => ReactNode])[] = [
  ["", () => <Cloudlets />],
  ["/cloudlets", () => <Cloudlets />],
  ["/cloudlets/map", () => <CloudletMap />],
  ["/cloudlets/new", () => <NewCloudlet />],
  ["/cloudlets/:id", ({ id = "" }) => <CloudletPage key={id} id={id} tab="" />],
  ["/cloudlets/:id/:tab", ({ id = "", tab = "" }) => <CloudletPage key={id} id={id} tab={tab} />],
  ["/cloudlets/:id/installations/new", ({ id = "" }) => <NewInstallation key={id} id={id} />],
  ["/cloudlets/:id/deliveries/new", ({ id = "" }) => <NewDelivery key={id} id={id} />],
  ["/deliveries/:id", ({ id = "" }) => <DeliveryPage key={id} id={id} />],
  ["/installations/:id", ({ id = "" }) => <InstallationPage key={id} id={id} />],
  ["/bundles", () => <Bundles />],
  ["/bundles/:id", ({ id = "" }) => <BundlePage key={id} id={id} />],
  ["/bundles/:id/diff/:other", ({ id = "", other = "" }) => <BundleDiffPage key={`${id} ${other}`} before={id} after={other} />],
  ["/releases", () => <Releases />],
  ["/releases/:id", ({ id = "" }) => <ReleasePage key={id} id={id} />],
  ["/organizations", () => <Organizations />],
  ["/organizations/:name", ({ name = "" }) => <OrganizationPage key={name} name={name} />],
  ["/people", () => <Users />],
  ["/signing-keys", () => <SigningKeys />],
  ["/audit-trail", () => <AuditTrail />],
  ["/account", () => <Account />],
];

function pageAt(path: string): ReactNode {
  for (const [pattern, page] of pages) {
    const parts = partsOf(pattern, path);
    if (parts !== undefined) return page(parts);
  }
  return <NotThere />;
}
