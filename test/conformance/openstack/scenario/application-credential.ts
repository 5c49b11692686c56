/** Logins by application credential, on a cloud that lets Heat make trusts from them and on one that does not. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Test } from "tap";
import { member, openstack, openstackJson } from "../cloud.ts";
import type { Environment } from "../cloud.ts";
import { cloudlet } from "../cloudlets.ts";
import { Operator } from "../installer.ts";

const up = join(import.meta.dirname, "../../../labs/openstack/up");

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("application-credential", { name: "cb appcred" });
  const made = openstackJson(["application", "credential", "create", "--unrestricted", "cb-conformance"]) as { id: string; secret: string };
  const environment: Environment = {
    ...Object.fromEntries(Object.entries(member).filter(([name]) => !/^OS_(USER|PASSWORD|PROJECT)/.test(name))),
    OS_AUTH_TYPE: "v3applicationcredential",
    OS_APPLICATION_CREDENTIAL_ID: made.id,
    OS_APPLICATION_CREDENTIAL_SECRET: made.secret,
  };
  try {
    const refusing = new Operator("application-credential-refused");
    const refused = await refusing.install(bundle, ["--yes"], { environment });
    t.equal(refused.status, 3);
    t.match(refused.stdout, /heat\/application-credential/, "said before");
    t.match(refused.stderr, /heat\/trust[^]*Log in with user and password/);
    t.notOk(`${refused.stderr}${refusing.traces()}`.includes(made.secret));
    const completed = await refusing.install(bundle);
    t.equal(completed.status, 0, `the same with a password goes on: ${completed.text}`);
    t.equal((await refusing.uninstall(bundle)).status, 0);

    execFileSync(up, { env: { ...process.env, LAB_APPCRED_TRUSTS: "true" }, stdio: "ignore" });
    const allowed = new Operator("application-credential-allowed");
    const installed = await allowed.install(bundle, ["--yes"], { environment });
    t.equal(installed.status, 0, installed.text);
    const removed = await allowed.uninstall(bundle, { environment });
    t.equal(removed.status, 0, removed.text);
  } finally {
    openstack(["application", "credential", "delete", "cb-conformance"]);
    execFileSync(up, { env: { ...process.env, LAB_APPCRED_TRUSTS: "" }, stdio: "ignore" });
  }
}
