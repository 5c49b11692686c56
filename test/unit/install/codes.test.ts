/** Every code that the installer's scripts can tell stands in docs/reference/install.md, and no other. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "../../..");
const folders = ["common", "common/lib", "libvirt/lib", "openstack/lib", "ovf/lib", "vcd/lib", "vmpool/lib", "vsphere/lib"].map((folder) => `templates/${folder}`);
const scripts = folders
  .flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".sh") && name !== "verify.sh").map((name) => join(folder, name)))
  .map((path) => readFileSync(join(root, path), "utf8"));

const CODE = "[a-z-]+/[a-z0-9-]+";
const patterns = [
  new RegExp(`\\b(?:finding|note|stop [0-9]|run_refuse|network_unanswered \\S+) "?(${CODE})[" ]`, "g"),
  // The table of the client's errors: CODE|PATTERN|ADVICE.
  new RegExp(`^(${CODE})\\|`, "gm"),
  // The one and the other code of a name that is not there, or there more than once.
  new RegExp(`\\bsite_pick .* (${CODE}) ${CODE} `, "g"),
  new RegExp(`\\bsite_pick .* ${CODE} (${CODE}) `, "g"),
  /^\s+trouble_code=([a-z-]+\/[a-z-]+)$/gm,
];
const told = new Set(scripts.flatMap((text) => patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string))));

const page = readFileSync(join(root, "docs/reference/install.md"), "utf8");
const table = page.slice(page.indexOf("## Findings and errors"), page.indexOf("## Another IaaS"));
const listed = new Set([...table.matchAll(new RegExp(`\`(${CODE})\``, "g"))].map((match) => match[1] as string));

t.ok(told.size > 60, "the scripts' codes were found");
t.strictSame([...told].filter((code) => !listed.has(code)).sort(), [], "told and not listed");
t.strictSame([...listed].filter((code) => !told.has(code)).sort(), [], "listed and not told");
