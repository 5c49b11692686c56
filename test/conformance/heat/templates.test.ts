/** The real Heat accepts every golden template, and sees in it the resources that are meant. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { load } from "js-yaml";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

import type { Json } from "../../../src/core/json.ts";
import { caseNames, renderedFiles } from "../../golden/cases.ts";
import { openstack } from "./client.ts";

t.setTimeout(900_000);
const folder = mkdtempSync(join(tmpdir(), "heat-"));
t.teardown(() => rmSync(folder, { recursive: true }));

/** What the lab has, in place of what the golden specs name. */
const inTheLab: Readonly<Record<string, Json>> = {
  flavor: "m4.medium",
  vm_image: "tiny",
  payload_image: "tiny",
  key_name: "",
  volume_type: "__DEFAULT__",
  subnet_1: "provider-v4",
};

const stacks = caseNames.filter((name) => renderedFiles(name).some((file) => file.path === "site/heat-template.yaml"));
t.ok(stacks.length > 5, "the golden stacks were found");
for (const name of stacks) {
  t.test(name, (t) => {
    const text = (path: string): string => renderedFiles(name).find((file) => file.path === path)?.text ?? "";
    const [template, environment, site] = ["template.yaml", "environment.yaml", "site.yaml"].map((file) => join(folder, file)) as [string, string, string];
    writeFileSync(template, text("site/heat-template.yaml"));
    writeFileSync(environment, text("site/heat-environment.yaml"));
    const read = load(text("site/heat-template.yaml")) as { readonly parameters: Readonly<Record<string, Json>>; readonly resources: Readonly<Record<string, { readonly condition?: string }>> };
    const parameters = Object.keys(read.parameters).flatMap((key) => {
      const value = inTheLab[key] ?? (key.startsWith("external_network_") ? "provider" : key.startsWith("floating_network_") ? "public" : key.startsWith("secret_") ? "QUJD" : undefined);
      return value === undefined ? [] : [[key, value]];
    });
    writeFileSync(site, JSON.stringify({ parameters: Object.fromEntries(parameters) }));

    const validated = openstack("orchestration", "template", "validate", "-f", "json", "-t", template, "-e", environment);
    t.equal(validated.status, 0, `validate: ${validated.stderr}`);
    const seen = JSON.parse(validated.stdout) as { readonly Parameters: Readonly<Record<string, unknown>> };
    t.strictSame(Object.keys(seen.Parameters).sort(), Object.keys(read.parameters).sort(), "Heat sees the parameters");

    const preview = openstack("stack", "create", "--dry-run", "-f", "json", "-t", template, "-e", environment, "-e", site, `golden-${name}`);
    t.equal(preview.status, 0, `dry run: ${preview.stderr}`);
    // The client shows the list as text in JSON.
    const resources = JSON.parse((JSON.parse(preview.stdout) as { readonly resources: string }).resources) as readonly { readonly resource_name: string }[];
    const conditional = Object.keys(read.resources).filter((key) => read.resources[key]?.condition !== undefined);
    const always = Object.keys(read.resources).filter((key) => !conditional.includes(key));
    t.strictSame(resources.map((each) => each.resource_name).filter((key) => !conditional.includes(key)).sort(), always.sort(), "Heat would make the resources");
    t.end();
  });
}

t.test("Heat can refuse", (t) => {
  const broken = join(folder, "broken.yaml");
  writeFileSync(broken, readFileSync(join(folder, "template.yaml"), "utf8").replace("OS::Nova::Server", "OS::Nova::Servant"));
  const run = openstack("orchestration", "template", "validate", "-t", broken);
  t.not(run.status, 0);
  t.match(run.stderr, /Servant/);
  t.end();
});
