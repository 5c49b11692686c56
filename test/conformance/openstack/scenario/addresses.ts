/** A floating IP that the site has given by id outlives the stack; names with every allowed character and a hostile path go through unchanged. */

import type { Test } from "tap";
import { openstack, openstackJson } from "../cloud.ts";
import { cloudlet, dhcp, floating } from "../cloudlets.ts";
import { Operator, site } from "../installer.ts";

export async function run(t: Test): Promise<void> {
  const bundle = await cloudlet("addresses", {
    name: "O-Brien & Sons, no. 1!",
    organization: "Tele & Com, Ltd.",
    networks: [floating, dhcp],
  });
  const operator = new Operator("O'Brien & Söhne, \"Edge\" #1: $(reboot) {{x}}");
  const id = openstack(["floating", "ip", "create", "public", "-f", "value", "-c", "id"]);
  const given = ["--parameter", `floating_ip_id_1=${id}`];
  try {
    const installed = await operator.install(bundle, ["--yes", ...given]);
    t.equal(installed.status, 0, installed.text);
    const receipt = operator.receipt() as unknown as { cloudlet: string; addresses: readonly { floating?: string }[] };
    t.equal(receipt.cloudlet, "O-Brien & Sons, no. 1!");
    t.equal(receipt.addresses[0]?.floating, openstack(["floating", "ip", "show", id, "-f", "value", "-c", "floating_ip_address"]));

    const taken = await new Operator("addresses-2").install(await cloudlet("addresses-2", { name: "cb second", networks: [floating] }), ["--check", ...given]);
    t.match(taken.stdout, /floating-ip\/taken/);

    const removed = await operator.uninstall(bundle);
    t.equal(removed.status, 0, removed.text);
    const after = openstackJson(["floating", "ip", "show", id, "-c", "port_id"]) as { port_id: string | null };
    t.equal(after.port_id, null, `the site's own floating IP is still there, and free (${site(bundle)("CB_NAME")})`);
  } finally {
    openstack(["floating", "ip", "delete", id]);
  }
}
