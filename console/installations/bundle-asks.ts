/** What a bundle asks of whoever installs it: its secrets, as site/secrets.template names them, and the names of its parameters. */

export interface Slot {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly maxBytes: number;
}

/** Of the text of site/secrets.template: each slot is a description, a line that says whether it is required, and its name. */
export function slotsIn(template: string): readonly Slot[] {
  return [...template.matchAll(/^# (.+)\n# (required|may stay empty), at most (\d+) bytes\n([A-Z][A-Z0-9_]*)=$/gm)].map(([, description = "", required, maxBytes, name = ""]) => ({ name, description, isRequired: required === "required", maxBytes: Number(maxBytes) }));
}

/** Keys of the cloudlet's own, which the service issues. */
export function isAccessKey(name: string): boolean {
  return name === "ACCESS_KEY" || name === "ACCESS_KEY_SECONDARY";
}

/** Names of a Heat template's parameters that may be given; install.sh sets the others itself. */
export function parametersIn(template: string): readonly string[] {
  const [, section = ""] = /^parameters:\n((?:[ #].*\n|\n)*)/m.exec(template) ?? [];
  return [...section.matchAll(/^ {2}["']?([A-Za-z][A-Za-z0-9_]*)["']?:/gm)].map(([, name = ""]) => name).filter((name) => !/^secret_|^(vm|payload)_image$/.test(name));
}
