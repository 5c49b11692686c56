/** The service's own machine as a KVM host: which cloudlets get a VM on it, as whoever starts the service says. */

import type { CloudletRow } from "../state/tables.ts";

export interface LibvirtHost {
  /** ORGANIZATION/NAME. Each by its name: of a whole organization, any contributor could make as many as fit. */
  readonly cloudlets: readonly string[];
}

export function mayHaveVm({ cloudlets }: LibvirtHost, { organization, name }: Pick<CloudletRow, "organization" | "name">): boolean {
  return cloudlets.includes(`${organization}/${name}`);
}
