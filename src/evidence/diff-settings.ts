/** Settings of a bundle's files that open a way or give a right without being a rule or a user: of cloud-init, Heat and libvirt. */

import type { Json } from "../core/json.ts";
import { heatOf, objectOf, resourcesOf, userDataOf } from "./audit/guest-view.ts";
import { parsedYaml, placeAt, type AuditedFiles, type Parsed } from "./audit/input.ts";
import type { Effect } from "./diff-effects.ts";
import type { Group } from "./diff-rules.ts";

export function settingsOf(files: AuditedFiles): readonly Effect[] {
  return [...ofCloudConfig(files), ...ofNetworkConfig(files), ...ofHeat(files), ...ofDomains(files)];
}

/** Of cloud-config's keys, those that say who gets in or is believed, and those that name somebody outside. cloud-init's schema of cloud-config. */
const cloudConfigKeys: Readonly<Record<string, Group>> = {
  ...named("privilege", ["ca_certs", "ca-certs", "chpasswd", "disable_root", "disable_root_opts", "groups", "password", "ssh", "ssh_authorized_keys", "ssh_import_id", "ssh_keys", "ssh_pwauth", "user"]),
  ...named("exposure", ["ansible", "apk_repos", "apt", "chef", "landscape", "manage_resolv_conf", "mcollective", "ntp", "phone_home", "puppet", "resolv_conf", "rpi", "rsyslog", "salt_minion", "snap", "ubuntu_pro", "wireguard", "yum_repos", "zypper"]),
};

function named(group: Group, keys: readonly string[]): Readonly<Record<string, Group>> {
  return Object.fromEntries(keys.map((key) => [key, group]));
}

function ofCloudConfig(files: AuditedFiles): readonly Effect[] {
  return userDataOf(files).flatMap((userData) =>
    Object.entries(objectOf(userData.value)).flatMap(([key, value]) => {
      const group = Object.hasOwn(cloudConfigKeys, key) ? cloudConfigKeys[key] : undefined;
      return group === undefined ? [] : leaves(userData, value, [key], group);
    }),
  );
}

/** Addresses, routes and servers; how long a packet may be lets nobody in. */
function ofNetworkConfig(files: AuditedFiles): readonly Effect[] {
  return files.files
    .filter(({ path }) => /^site\/network-config(-|$)/.test(path))
    .map(parsedYaml)
    .flatMap((config) => leaves(config, config.value ?? null, [], "exposure").filter(({ words }) => !/\bmtu /.test(words)));
}

/** Ports and addresses are how a server is reached; the rules of its groups are told apart. */
function ofHeat(files: AuditedFiles): readonly Effect[] {
  const heat = heatOf(files);
  if (heat === undefined) return [];
  const types = new Set(Object.values(objectOf(objectOf(heat.value)["resources"])).map((each) => String(objectOf(each)["type"])));
  const at = (name: string, ...keys: readonly string[]): readonly string[] => ["resources", name, "properties", ...keys];
  return [...types].flatMap((type) =>
    resourcesOf(heat, type).flatMap(({ name, properties }): readonly Effect[] => {
      if (/^OS::Neutron::(?!SecurityGroup)/.test(type)) return leaves(heat, properties, at(name), "exposure");
      if (type !== "OS::Nova::Server") return [];
      return [...leaves(heat, properties["networks"] ?? null, at(name, "networks"), "exposure"), ...leaves(heat, properties["key_name"] ?? null, at(name, "key_name"), "privilege")];
    }),
  );
}

/** libvirt's domain XML, devices: ways in from the network, and what of the host the guest gets. */
const devices: readonly (readonly [names: string, Group])[] = [
  ["channel|console|graphics|interface|parallel|redirdev|serial|vsock", "exposure"],
  ["filesystem|hostdev|shmem", "privilege"],
];

function ofDomains(files: AuditedFiles): readonly Effect[] {
  const found = devices.map(([names, group]) => [new RegExp(`<(${names})\\b[^>]*?(?:/>|>[^]*?</\\1>)`, "g"), group] as const);
  return files.files
    .filter(({ path }) => /^site\/domain(-|\.xml)/.test(path))
    .flatMap((file) =>
      found.flatMap(([pattern, group]) =>
        [...file.text.matchAll(pattern)].flatMap((match): readonly Effect[] => {
          const [text, name = ""] = match;
          const first = file.text.slice(0, match.index).split("\n").length;
          return text.split("\n").map((line, index) => ({ group, key: `${name} ${line.trim()}`, words: `<${name}>`, place: placeAt(file, first + index) }));
        }),
      ),
    );
}

/** One for each scalar, so that each is asked whether a field explains it. Where it stands in a list makes no difference. */
function leaves(of: Parsed, node: Json, keys: readonly (string | number)[], group: Group): readonly Effect[] {
  if (typeof node === "object" && node !== null) {
    return Object.entries(node).flatMap(([key, each]) => leaves(of, each as Json, [...keys, Array.isArray(node) ? Number(key) : key], group));
  }
  if (node === null) return [];
  const words = `${keys.filter((key) => typeof key === "string").join(".")} ${String(node)}`;
  return [{ group, key: words, words, place: of.placeOf(...keys) }];
}
