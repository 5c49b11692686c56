/** Whether the service's own host gives what an installation on it asks for. */

import { dirname } from "node:path";
import type { Context } from "../context.ts";
import type { Installer } from "../direct/installer.ts";
import { libvirtIssues, type LibvirtWanted } from "../direct/libvirt-limits.ts";
import { savedParameters } from "../direct/libvirt-run.ts";
import { siteValues } from "../jobs/site-values.ts";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import { located } from "../located-issues.ts";
import type { BundleRow, InstallationRow } from "../state/tables.ts";
import { Problem } from "./problem.ts";

/** As somebody gives them; left out, those that install.sh would take over. */
export async function parametersFor({ libvirt, journalOf }: Installer, cloudletId: string, { action, parameters }: { readonly action: InstallationRow["action"]; readonly parameters?: Readonly<Record<string, string>> }): Promise<Readonly<Record<string, string>>> {
  if (parameters !== undefined || libvirt === undefined || action === "uninstall" || action === "rollback") return parameters ?? {};
  return savedParameters(libvirt, dirname(journalOf(cloudletId)));
}

/** Throws a Problem with everything that it does not give; of a bundle that is ready. */
export async function refuseBeyondHost(context: Context, { libvirt }: Installer, { layout }: Pick<BundleRow, "layout">, wanted: Omit<LibvirtWanted, "machines">): Promise<void> {
  if (libvirt === undefined || layout === null) throw new Error("there is no KVM host, or no bundle for it");
  const issues = libvirtIssues(libvirt, { ...wanted, machines: await siteValues(context, JSON.parse(layout) as StoredLayout) });
  if (issues.length > 0) throw new Problem("not-valid", "The service's own host does not give all that this asks for.", { issues: located(issues) });
}
