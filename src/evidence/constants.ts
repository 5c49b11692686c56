/** What the constants are that a value may come from, where no document and no default gave it. */

/** In words; undefined for a name that this build does not know. A name with a `/` is a template's own text. */
export function constantNamed(name: string): string | undefined {
  return name.includes("/") ? "the template's own text" : constants[name];
}

/** Every `constant:NAME` of the sources; a test holds the list complete. */
export const constants: Readonly<Record<string, string>> = {
  "guest-files": "the guest's files have the same names and places in every bundle",
  "guest-role": "what MobiledgeX's images expect of a PlatformVM",
  layout: "the file has this path in every bundle",
  "not-chosen": "the spec leaves it out; an empty value, or 0, says so to install.sh",
  "user-data": "every guest's user-data holds this line",
};
