/** What the console reads out of install.sh's lines and out of a bundle. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { isAccessKey, parametersIn, slotsIn } from "../../../console/installations/bundle-asks.ts";
import { findingsIn } from "../../../console/installations/findings.ts";

const root = join(import.meta.dirname, "../../..");

t.test("findings, notes and errors, each with what to do", (t) => {
  const lines = [
    "verify", "    form       proven     47 regular files", "preflight", "sh: 151: [: Illegal number: ",
    "note     quota/unknown", "         what the project may have can't be read", "         -> Check it by hand.",
    "finding  flavor/too-small", "         flavor m4.medium has 1 vCPU,", "         2 needed", "         -> Choose a larger one:", "         --parameter flavor=NAME",
    "finding  no/hint", "         nothing to say",
    "    not of it", "error preflight/findings: 2 finding(s), listed above; nothing was changed",
  ];
  t.strictSame(findingsIn(lines), [
    { kind: "note", code: "quota/unknown", what: "what the project may have can't be read", todo: "Check it by hand." },
    { kind: "finding", code: "flavor/too-small", what: "flavor m4.medium has 1 vCPU, 2 needed", todo: "Choose a larger one: --parameter flavor=NAME" },
    { kind: "finding", code: "no/hint", what: "nothing to say not of it", todo: "" },
  ]);
  t.strictSame(findingsIn(["error heat/failed: the stack failed", "    Look at it.", "    Then go on.", "interrupted"]), [{ kind: "error", code: "heat/failed", what: "the stack failed", todo: "Look at it. Then go on." }]);
  t.strictSame(findingsIn(["finding", "finding two words here", "         -> x", "errors happen: now", "done: release 1 runs"]), [], "what is in no such form is none");
  t.end();
});

t.test("the slots of a secrets template, as the product writes it", (t) => {
  const template = readFileSync(join(root, "templates/common/secrets.template"), "utf8");
  const slot = (name: string, description: string, required: string): string => `\n# ${description}\n# ${required}, at most 4096 bytes\n${name}=\n`;
  const head = template.slice(0, template.indexOf("{{#each"));
  t.match(template, /# required, at most \{\{maxBytes\}\} bytes\n\{\{name\}\}=\n[^]*# may stay empty, at most \{\{maxBytes\}\} bytes\n\{\{name\}\}=/, "the form that is read here");
  const slots = slotsIn(`${head}${slot("ACCESS_KEY", "Private key of the CRM", "required")}${slot("VAULT_ROLE_ID", "Role of the vault", "may stay empty")}`);
  t.strictSame(slots, [
    { name: "ACCESS_KEY", description: "Private key of the CRM", isRequired: true, maxBytes: 4096 },
    { name: "VAULT_ROLE_ID", description: "Role of the vault", isRequired: false, maxBytes: 4096 },
  ]);
  t.strictSame(slots.filter(({ name }) => !isAccessKey(name)).map(({ name }) => name), ["VAULT_ROLE_ID"]);
  t.end();
});

t.test("the parameters of a Heat template that somebody may give", (t) => {
  t.strictSame(parametersIn('heat_template_version: "2018-03-02"\n\nparameters:\n  flavor:\n    type: string\n  vm_image:\n    type: string\n  "key_name":\n    default: ""\n  secret_access_key:\n    hidden: true\n\nresources:\n  server:\n    type: OS::Nova::Server\n'), ["flavor", "key_name"]);
  t.strictSame(parametersIn(""), []);
  t.end();
});
