/** Specs of the tests: a pool of one machine, the smallest that a PlatformVM may be. */

import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";
import { guestAddress, hostAddress } from "./machine.ts";

export interface Choice {
  readonly name?: string;
  /** Its public keys; none: the operator has to say. */
  readonly hostKeys?: readonly string[];
  readonly user?: string;
  readonly sshFrom?: readonly string[];
  readonly memoryMiB?: number;
  readonly sequence?: number;
  /** YAML lines of the spec besides. */
  readonly more?: readonly string[];
  readonly release?: (text: string) => string;
}

/** The same choice gives the same bundle; `folder` keeps two of them apart. */
export async function cloudlet(folder: string, choice: Choice): Promise<BuiltBundle> {
  const { name = "pool-1", hostKeys = [], user = "root", sshFrom = [`${hostAddress}/32`], memoryMiB = 4096, sequence = 1, more = [] } = choice;
  const machine = { name: "pool-vm-1", internalIp: guestAddress, role: "platform", ssh: { user }, hostKeys };
  const spec = [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${JSON.stringify(name)}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    "dynamicIps: 8",
    "vmPool: pool-1",
    `platform: {type: vmpool, parameters: {machines: [${JSON.stringify(machine)}]}}`,
    `compute: {platformVm: {vcpus: 2, memoryMiB: ${memoryMiB}}}`,
    `firewall: {ssh: {from: ${JSON.stringify(sshFrom)}}}`,
    ...more,
    "",
  ].join("\n");
  return buildBundle(folder, spec, {
    release: (text) => {
      const changed = text.replace(/^name: .*$/m, `name: "conformance.${sequence}"`).replace(/^sequence: .*$/m, `sequence: ${sequence}`);
      return choice.release === undefined ? changed : choice.release(changed);
    },
  });
}
