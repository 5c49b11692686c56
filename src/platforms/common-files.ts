/** The files that every bundle has, whatever its IaaS. */

import type { Assets } from "../core/assets.ts";
import type { Guests } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import { traitsOf } from "../plan/traits.ts";
import type { Val } from "../core/origin.ts";
import { val } from "../core/origin.ts";
import type { Draft, View } from "./draft.ts";
import type { Platform } from "./platform.ts";

const userDataPath = "site/user-data";

/** The user-data of every machine, for platforms whose VMs have cloud-init. */
export function userDataDrafts(guests: Guests): readonly Draft[] {
  return guests.map(({ machine, userData }): Draft => {
    const path = machine.role === undefined ? userDataPath : `${userDataPath}-${machine.role.value}`;
    return { kind: "text", path, mode: 0o644, role: "site", source: "cloud-init-builder", text: userData.text, spans: userData.spans };
  });
}

export function commonDrafts(platform: Platform, plan: Plan, assets: Assets): readonly Draft[] {
  const ofPlatform = <T extends string | boolean>(value: T): Val<T> => val(value, ...plan.spec.platform.type.origins);
  const view: View = {
    cloudlet: plan.spec.name,
    organization: plan.spec.organization,
    name: plan.names.platformVm,
    place: ofPlatform(platform.startHere.place),
    access: ofPlatform(platform.startHere.access),
    carriesVmImage: ofPlatform(traitsOf(platform.name).makesVms),
    release: plan.release.name,
    sequence: plan.release.sequence,
    created: plan.release.created,
    secrets: plan.slots.map(({ name, description, required, maxBytes }) => ({ name, description, required, maxBytes })),
  };
  const scripts = [...assets.keys()].filter((path) => path.startsWith("common/") && path.endsWith(".sh")).sort();
  return [
    { kind: "template", path: "START-HERE.md", mode: 0o644, role: "document", template: "common/START-HERE.md", format: "markdown", view },
    { kind: "template", path: "site/secrets.template", mode: 0o644, role: "site", template: "common/secrets.template", format: "env", view },
    ...scripts.map((asset): Draft => {
      const path = asset.slice("common/".length);
      // What lies in lib/ is read by the two programs, not run.
      return { kind: "static", path, mode: path.includes("/") ? 0o644 : 0o755, role: "script", asset };
    }),
  ];
}
