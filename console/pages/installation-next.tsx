/** What comes after an installation has ended: its receipt, the controller, another try, or the way back. */

import type { ReactNode } from "react";
import { useAction, useConsole, useMay } from "../console.tsx";
import type { InstallationAction, InstallationState } from "../installations/installation.ts";
import { Link } from "../router.tsx";
import { Button } from "../parts/button.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { saveText } from "../parts/save.ts";
import type { SeenInstallation } from "./installation.tsx";

/** `retry` is undefined where nobody goes on with it, or this person may not. */
export function NextSteps({ seen: { installation, cloudlet, bundle, platform, isPast }, state, retry }: { readonly seen: SeenInstallation; readonly state: InstallationState; readonly retry: (() => void) | undefined }): ReactNode {
  const { api } = useConsole();
  const mayBegin = useMay()("installation:write", installation.organization) && platform.available;
  const another = (action: InstallationAction): string => `/cloudlets/${cloudlet.id}/installations/new?action=${action}&bundle=${bundle.id}`;
  const save = useAction(async () => saveText("receipt.json", await api.text(`/v1/cloudlets/${cloudlet.id}/receipts/${encodeURIComponent(installation.receipt ?? "")}`), "application/json"));
  const { action } = installation;
  const isThere = state === "done" && (action === "install" || action === "upgrade" || action === "rollback");
  return (
    <>
      {isThere && action !== "rollback" && <p>The controller must know the public half of its <Link to={`/cloudlets/${cloudlet.id}/access-keys`}>access key</Link>.</p>}
      {state === "findings" && <p>Mend at the site what is named below{retry === undefined ? ", or let somebody begin another one" : ", then retry; or begin another one, with other parameters"}.</p>}
      {isPast && state !== "done" && <p className="soft">A later installation has taken its place.</p>}
      <div className="row">
        {retry !== undefined && <Button className="button main" onPress={retry}>Retry …</Button>}
        {mayBegin && state === "findings" && <Link className="button" to={another(action)}>Begin another one …</Link>}
        {mayBegin && action === "check" && state === "done" && <><Link className="button main" to={another("install")}>Install …</Link><Link className="button" to={another("upgrade")}>Upgrade …</Link></>}
        {installation.receipt !== null && <><Link className="button" to={`/cloudlets/${cloudlet.id}/receipts`}>See the receipts</Link><Button className="button" isPending={save.isRunning} onPress={() => void save.run()}>Save its receipt</Button></>}
        {mayBegin && !isPast && action !== "check" && !(action === "uninstall" && state === "done") && <Link className="button danger" to={another("uninstall")}>Uninstall …</Link>}
      </div>
      <ProblemNote problem={save.problem} />
    </>
  );
}
