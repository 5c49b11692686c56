/** PyYAML, which Heat and cloud-init use, reads every rendered YAML file as we meant it, in value and type. */

import { CORE_SCHEMA, load } from "js-yaml";
import t from "tap";

import { caseNames, renderedFiles } from "../../golden/cases.ts";
import { readByPyYaml } from "../../property/readers.ts";

const files = caseNames.flatMap((name) =>
  renderedFiles(name)
    .filter((file) => /\.yaml$|\/(user-data|meta-data|network-config)(-[a-z]+)?$/.test(file.path))
    .map((file) => ({ name: `${name}: ${file.path}`, text: file.text })),
);
const readings = readByPyYaml(files.map((file) => file.text));

for (const kind of ["heat-template.yaml", "manifest.yaml", "user-data", "user-data-secondary", "meta-data", "network-config"]) {
  t.ok(files.some(({ name }) => name.endsWith(`/${kind}`)), `${kind} is among them`);
}
for (const [index, { name, text }] of files.entries()) {
  const meant = load(text, { schema: CORE_SCHEMA });
  t.strictSame(readings[index]?.value, meant, name);
  t.strictSame(readings[index]?.types, pythonTypes(meant, []), `${name}: types`);
}

/** Python's names of the types of all scalars, keys included, in order. */
function pythonTypes(value: unknown, into: string[]): readonly string[] {
  if (Array.isArray(value)) for (const each of value) pythonTypes(each, into);
  else if (typeof value === "object" && value !== null) {
    for (const each of Object.values(value)) {
      into.push("str");
      pythonTypes(each, into);
    }
  } else if (value === null) into.push("NoneType");
  else if (typeof value === "number") into.push(Number.isInteger(value) ? "int" : "float");
  else into.push(typeof value === "boolean" ? "bool" : "str");
  return into;
}
