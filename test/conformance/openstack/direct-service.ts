/** A service with a cloudlet whose site is the lab, for installing from there: by its API, or from the console. */

import type { Test } from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease, type Running } from "../../unit/service/running.ts";
import { member } from "./cloud.ts";
import { dhcp } from "./cloudlets.ts";

export interface DirectService {
  readonly running: Running;
  readonly cloudlet: string;
  readonly bundle: string;
  /** The variables of the project's openrc. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly password: string;
}

export async function directService(t: Test, name: string): Promise<DirectService> {
  const spec = specOf(name).replace(/^networks:\n(?: .*\n)*/m, `networks:\n  external:\n    - ${dhcp}\n`).replace("access: restricted", "access: direct");
  const running = await startService(t, { installer: { clients: "/usr/bin:/bin:/usr/sbin:/sbin" } });
  const { OS_PASSWORD: password = "" } = member;
  running.secrets.add(password);
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, spec);
  const bundle = String((await bundleOf(running, running.admin, cloudlet, await uploadRelease(running)))["id"]);
  return { running, cloudlet, bundle, credentials: Object.fromEntries(Object.entries(member).filter(([variable]) => variable.startsWith("OS_"))), password };
}
