/** Whether what a bundle and a request ask for is what the service's host gives: judged by the very values that install.sh reads, before it is run. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import type { InstallationRow } from "../state/tables.ts";
import { hostDefaults, hostParameters, type LibvirtHost } from "./libvirt-host.ts";

/** NAME of site.env, or of the file of one of two machines, to its value. */
export type SiteValues = Readonly<Record<string, string>>;

export interface LibvirtWanted {
  readonly action: InstallationRow["action"];
  /** `--parameter`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of each machine of the bundle. */
  readonly machines: readonly SiteValues[];
}

/** All that the host does not give. Pointers are into the cloudlet's spec, or into `/parameters` of the request. */
export function libvirtIssues(host: LibvirtHost, { action, parameters, machines }: LibvirtWanted): readonly Issue[] {
  const issues = [...placeIssues(host, parameters, machines), ...(action === "uninstall" || action === "rollback" ? [] : machines.flatMap((site) => vmIssues(host, parameters, site)))];
  const said = new Set<string>();
  return issues.filter(({ pointer, message }) => !said.has(`${pointer} ${message}`) && said.add(`${pointer} ${message}`) !== undefined);
}

function refused(pointer: string, message: string, hint: string): Issue {
  return { code: "service/not-on-this-host", severity: "error", pointer, message, hint };
}

const ofTheHost = "It is for whoever runs the service's host to say (serve --libvirt).";

/** Of a spec that leaves them out the host's own are taken; install.sh looks for what it removes at the spec's, too. */
function placeIssues(host: LibvirtHost, parameters: Readonly<Record<string, string>>, machines: readonly SiteValues[]): readonly Issue[] {
  const given = Object.keys(hostParameters(host)).filter((name) => Object.hasOwn(parameters, name)).map((name) => refused(below("/parameters", name), `the parameter ${name} is the host's own`, "Leave it out."));
  const places: readonly (readonly ["driver" | "uri" | "storage", string, readonly string[]])[] = [
    ["driver", "CB_LV_DRIVER", ["auto", host.driver]],
    ["uri", "CB_LV_URI", [hostDefaults.uri, host.uri]],
    ["storage", "CB_LV_STORAGE", [hostDefaults.storage, host.storage]],
  ];
  const own = machines.flatMap((site) => places.filter(([, variable, good]) => !good.includes(site[variable] ?? "")).map(([name, variable]) => refused(`/platform/parameters/${name}`, `the spec wants ${name} ${site[variable] ?? ""}, and this host has ${host[name]}`, "Leave it out of the spec, and ask for a bundle of that.")));
  return [...given, ...own];
}

function vmIssues(host: LibvirtHost, parameters: Readonly<Record<string, string>>, site: SiteValues): readonly Issue[] {
  const issues: Issue[] = [];
  for (let at = 1; at <= Number(site["CB_NETWORK_COUNT"]); at += 1) {
    const name = `network_${at}`;
    const attached = attachmentOf(parameters[name], site, at);
    if (host.networks.includes(attached)) continue;
    const pointer = Object.hasOwn(parameters, name) ? below("/parameters", name) : below("/platform/parameters/networks", site[`CB_NETWORK_${at}_NAME`] ?? "");
    issues.push(refused(pointer, `network card ${at} is to be attached to ${attached}, and this host gives ${host.networks.length === 0 ? "nothing" : host.networks.join(", ")}`, `Choose one of these in the spec, or with the parameter ${name}.`));
  }
  for (let at = 1; at <= Number(site["CB_LV_GPU_COUNT"]); at += 1) {
    const gpu = site[`CB_LV_GPU_${at}`] ?? "";
    if (!host.gpus.includes(gpu)) issues.push(refused(`/platform/parameters/gpus/${at - 1}/address`, `the GPU ${gpu} is none that this host gives`, ofTheHost));
  }
  return [...issues, ...sizeIssues(host, parameters, site)];
}

/** As host_network of libvirt-host.sh: a value without a kind is another source of the same kind. */
function attachmentOf(given: string | undefined, site: SiteValues, at: number): string {
  const kind = site[`CB_NETWORK_${at}_KIND`] ?? "";
  if (given === undefined || given === "") return `${kind}:${site[`CB_NETWORK_${at}_SOURCE`] ?? ""}`;
  return given.includes(":") ? given : `${kind}:${given}`;
}

function sizeIssues({ largest }: LibvirtHost, parameters: Readonly<Record<string, string>>, site: SiteValues): readonly Issue[] {
  const disk = parameters["root_disk_gib"];
  const sizes = [
    ["/compute/platformVm/vcpus", "vCPU", site["CB_NEED_VCPUS"], largest.vcpus],
    ["/compute/platformVm/memoryMiB", "MiB of memory", site["CB_NEED_MEMORY_MIB"], largest.memoryMiB],
    [disk === undefined ? "/platform/parameters/rootDiskGiB" : "/parameters/root_disk_gib", "GiB of disk", disk ?? site["CB_LV_ROOT_DISK_GIB"], largest.diskGiB],
  ] as const;
  return sizes.filter(([, , wanted, most]) => most !== undefined && !(Number(wanted) <= most)).map(([pointer, unit, wanted, most]) => refused(pointer, `the VM is to have ${String(wanted)} ${unit}, and this host gives ${String(most)} at most`, ofTheHost));
}
