/** What two PlatformVMs need that one does not, and what only two have. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { entries, isLeftOut } from "../draft.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

export const highAvailability: Rule = (spec) => {
  const { crm, networks } = spec;
  // A field that is there and wrong was told already; nothing more is asked of it.
  if (crm !== undefined && !isLeftOut(crm, "highAvailability") && crm.highAvailability === undefined) return [];
  const isTwo = crm?.highAvailability === true;
  const issues: Issue[] = [];
  if (isTwo && isLeftOut(crm, "redisAddress")) {
    issues.push(
      error(
        "spec/high-availability",
        "/crm",
        "`crm.redisAddress` is missing; two CRMs agree through the site's Redis who is the active one",
        "give its address: redisAddress: 192.0.2.79:6379",
      ),
    );
  }
  if (!isTwo && crm?.redisAddress !== undefined) issues.push(onlyWithTwo("/crm/redisAddress"));
  for (const [index, { name }] of entries(spec.secrets)) {
    if (!isTwo && name === "ACCESS_KEY_SECONDARY") issues.push(onlyWithTwo(below("/secrets", index, "name")));
  }
  for (const [index, { address }] of entries(networks?.external)) {
    const pointer = below("/networks/external", index, "address");
    if (address?.mode === "static") {
      if (isTwo && isLeftOut(address, "secondaryIp")) {
        issues.push(
          error(
            "spec/high-availability",
            pointer,
            "`secondaryIp` is missing; each of two PlatformVMs has an address of its own",
            "give the second one's address in the same network",
          ),
        );
      }
      if (!isTwo && address.secondaryIp !== undefined) issues.push(onlyWithTwo(below(pointer, "secondaryIp")));
    } else if (address?.mode === "floating") {
      const { secondaryFloatingIpId } = address;
      const at = below(pointer, "secondaryFloatingIpId");
      if (!isTwo && secondaryFloatingIpId !== undefined) issues.push(onlyWithTwo(at));
      if (isTwo && secondaryFloatingIpId !== undefined && secondaryFloatingIpId === address.floatingIpId) {
        issues.push(
          error("spec/address-taken", at, "this floating IP is given to both PlatformVMs", "each needs its own"),
        );
      }
    }
  }
  return issues;
};

function onlyWithTwo(pointer: string): Issue {
  return error(
    "spec/high-availability",
    pointer,
    "this is for two PlatformVMs, and there is one",
    "delete it, or write crm.highAvailability: true",
  );
}
