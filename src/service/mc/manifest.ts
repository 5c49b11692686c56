/** A cloudlet manifest as GetCloudletManifest answers it: the steps that are in every bundle, and what belongs to this one answer. */

import { dump } from "js-yaml";
import type { Json, JsonObject } from "../../core/json.ts";
import { readYaml } from "../../spec/read-yaml.ts";

/** The private half of an access key, which is in this answer and nowhere else. */
export interface IssuedKey {
  readonly slot: "ACCESS_KEY" | "ACCESS_KEY_SECONDARY";
  readonly privateKeyPem: string;
}

/** `steps` is `site/manifest.yaml` of the bundle, `download` where the bundle is. */
export function manifestOf(steps: string, keys: readonly IssuedKey[], download: string): string {
  const { value } = readYaml(steps);
  const items = ((value as JsonObject | undefined)?.["manifestitems"] ?? []) as readonly JsonObject[];
  const at = items.findIndex(({ content }) => String(content).includes("../secrets"));
  if (at < 0) throw new Error("a manifest has no step for the secrets");
  // Where the steps read one file a secret, it must be there before; where they begin with a template, the lines go into its copy.
  const isPerFile = String(items[at]?.["content"]).includes("../secrets/");
  const before = isPerFile ? items.slice(0, at) : items.slice(0, at + 1);
  const all = [
    item("Download the bundle, with a token for this service", "url", "none", download),
    ...before,
    secretsItem(keys),
    ...(isPerFile ? [filesItem(keys)] : []),
    ...items.slice(before.length),
    item("In the place of the steps after unpacking: install.sh does them all; SECRETS is a file with the lines of the access key", "command", "bash", "sh install.sh --trust FINGERPRINT --secrets SECRETS\n"),
  ];
  return dump({ manifestitems: all.map((each, index) => ({ ...each, id: index + 1 })) }, { lineWidth: -1, noRefs: true });
}

function item(title: string, contenttype: string, contentsubtype: string, content: string): JsonObject {
  return { id: 0, title, contenttype, contentsubtype, content } satisfies Record<string, Json>;
}

/** The lines as the verb `access-key` and the service write them. */
export function secretLines(keys: readonly IssuedKey[]): string {
  return keys.map(({ slot, privateKeyPem }) => `${slot}=base64:${Buffer.from(privateKeyPem).toString("base64")}\n`).join("");
}

function secretsItem(keys: readonly IssuedKey[]): JsonObject {
  return item("The access key, as lines of the secrets file (mode 0600, outside the bundle); it is shown this once", "code", "none", secretLines(keys));
}

function filesItem(keys: readonly IssuedKey[]): JsonObject {
  const lines = keys.map(({ slot, privateKeyPem }) => `cat >../secrets/${slot} <<'EOF'\n${privateKeyPem.trimEnd()}\nEOF\n`);
  return item("For these steps: the access key in a file of its own, as each other secret", "command", "bash", `umask 077\nmkdir -p ../secrets\n${lines.join("")}`);
}
