/** The service's own machine as a KVM host: which cloudlets get a VM on it, and what these may have of it, as whoever starts the service says. */

import { outcome, type Issue, type Outcome } from "../../core/issue.ts";
import type { Json } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import { platformVmName } from "../../plan/names.ts";
import { byPlace } from "../../spec/read-document.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import { schemaIssues } from "../../spec/schema-issues.ts";
import { validateLibvirtHost } from "../../spec/validators.ts";
import type { CloudletRow } from "../state/tables.ts";

export interface LibvirtHost {
  /** ORGANIZATION/NAME. Each by its name: of a whole organization, any contributor could make as many as fit. */
  readonly cloudlets: readonly string[];
  /** KIND:SOURCE, as install.sh has them. */
  readonly networks: readonly string[];
  readonly driver: "libvirt" | "qemu";
  readonly uri: string;
  readonly storage: string;
  /** PCI addresses. */
  readonly gpus: readonly string[];
  readonly largest: { readonly vcpus?: number; readonly memoryMiB?: number; readonly diskGiB?: number };
}

/** As schemas/libvirt-host.schema.json has them. */
export const hostDefaults: Omit<LibvirtHost, "cloudlets" | "networks"> = { driver: "libvirt", uri: "qemu:///system", storage: "/var/lib/libvirt/images/cloudlets", gpus: [], largest: {} };

/** The file of `serve --libvirt`; every mistake at once. */
export function readLibvirtHost(text: string): Outcome<LibvirtHost> {
  const { value, marks, issues } = readYaml(text);
  if (value === undefined) return { ok: false, issues };
  const form = schemaIssues(validateLibvirtHost, value);
  const names = form.length === 0 ? sameNames((value as unknown as LibvirtHost).cloudlets) : [];
  return outcome(byPlace([...issues, ...form, ...names], marks), () => ({ ...hostDefaults, ...(value as unknown as LibvirtHost) }) satisfies Json as LibvirtHost);
}

/** MobiledgeX's name for a VM leaves characters out and joins what is left, so that two cloudlets may get one name. install.sh would take the VM of the one for that of the other. */
function sameNames(cloudlets: readonly string[]): readonly Issue[] {
  const first = new Map<string, string>();
  return cloudlets.flatMap((cloudlet, index): readonly Issue[] => {
    const [organization = "", name = ""] = cloudlet.split("/");
    const vm = platformVmName(name, organization);
    const other = first.get(vm);
    if (other === undefined) {
      first.set(vm, cloudlet);
      return [];
    }
    return [{ code: "service/same-vm", severity: "error", pointer: below("/cloudlets", index), message: `the VM of ${cloudlet} would be called ${vm}, as that of ${other}`, hint: "One host can have one of the two: take the other out." }];
  });
}

export function mayHaveVm({ cloudlets }: LibvirtHost, { organization, name }: Pick<CloudletRow, "organization" | "name">): boolean {
  return cloudlets.includes(`${organization}/${name}`);
}

/** What install.sh is told besides what somebody asks for: where the VMs of this host are is the host's own choice. */
export function hostParameters({ driver, uri, storage }: LibvirtHost): Readonly<Record<string, string>> {
  return { driver, uri, storage };
}
