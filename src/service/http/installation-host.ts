/** Whether the service's own host gives what an installation on it asks for. */

import type { Context } from "../context.ts";
import type { Installer } from "../direct/installer.ts";
import { libvirtIssues, type LibvirtWanted } from "../direct/libvirt-limits.ts";
import { siteValues } from "../jobs/site-values.ts";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import { located } from "../located-issues.ts";
import type { BundleRow } from "../state/tables.ts";
import { Problem } from "./problem.ts";

/** Throws a Problem with everything that it does not give; of a bundle that is ready. */
export async function refuseBeyondHost(context: Context, { libvirt }: Installer, { layout }: Pick<BundleRow, "layout">, wanted: Omit<LibvirtWanted, "machines">): Promise<void> {
  if (libvirt === undefined || layout === null) throw new Error("there is no KVM host, or no bundle for it");
  const issues = libvirtIssues(libvirt, { ...wanted, machines: await siteValues(context, JSON.parse(layout) as StoredLayout) });
  if (issues.length > 0) throw new Problem("not-valid", "The service's own host does not give all that this asks for.", { issues: located(issues) });
}
