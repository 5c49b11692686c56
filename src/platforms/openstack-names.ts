/** Names inside the Heat template: resources of one of two machines end in its role; what both share has no ending. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";

/** `server`, or with high availability `server_primary`. */
export function machineName(machine: Machine, name: string): Val<string> {
  const { role } = machine;
  return role === undefined ? derive([machine.number], () => name) : derive([role], (word) => `${name}_${word}`);
}

/** A type alias, because only these are views as well. */
export type NicNames = {
  readonly parameter: Val<string>;
  readonly subnetParameter: Val<string>;
  readonly poolParameter: Val<string>;
  readonly floatingIpParameter: Val<string>;
  readonly port: Val<string>;
  readonly makesFloatingIp: Val<string>;
  readonly floatingIp: Val<string>;
  readonly association: Val<string>;
};

/** Both machines are on the same networks, so network, subnet and pool are one parameter; addresses are each one's own. */
export function nicNames(machine: Machine, nic: Nic): NicNames {
  const shared = (name: string): Val<string> => derive([nic.number], (number) => `${name}_${number}`);
  const own = (name: string): Val<string> => {
    const { role } = machine;
    return role === undefined ? shared(name) : derive([nic.number, role], (number, word) => `${name}_${number}_${word}`);
  };
  return {
    parameter: shared("external_network"),
    subnetParameter: shared("subnet"),
    poolParameter: shared("floating_network"),
    floatingIpParameter: own("floating_ip_id"),
    port: own("port"),
    makesFloatingIp: own("makes_floating_ip"),
    floatingIp: own("floating_ip"),
    association: own("floating_ip_association"),
  };
}
