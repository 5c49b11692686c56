/** The form's schema: every platform's parameters in their place, every reference led to what it names, every field with its help. */

import t from "tap";
import { formSchema, labelOf, type FormSchema, type Schema } from "../../../console/spec-editor/schema.ts";
import { platforms } from "../../../src/platforms/registry.ts";

const names = platforms.map(({ name }) => name);

interface Met {
  readonly path: string;
  readonly schema: Schema;
}

function fieldsOf({ resolved }: FormSchema, schema: Schema, path: string): readonly Met[] {
  const own = resolved(schema);
  const inside = [
    ...Object.entries(own.properties ?? {}).map(([key, each]) => [`${path}/${key}`, each] as const),
    ...(own.items === undefined ? [] : [[`${path}/*`, own.items] as const]),
    ...(own.oneOf ?? []).map((each, index) => [`${path}|${index}`, each] as const),
    ...(typeof own.additionalProperties === "object" ? [[`${path}/*`, own.additionalProperties] as const] : []),
  ];
  return [{ path, schema: own }, ...inside.flatMap(([at, each]) => fieldsOf({ resolved } as FormSchema, each, at))];
}

for (const platform of names) {
  t.test(platform, (t) => {
    const form = formSchema(platform, names);
    const fields = fieldsOf(form, form.root, "");
    t.ok(fields.some(({ path }) => path.startsWith("/platform/parameters/")), "its parameters are there");
    for (const { path, schema } of fields) {
      t.equal(schema.$ref, undefined, path);
      t.ok(schema.type !== undefined || schema.oneOf !== undefined || schema.const !== undefined || schema.enum !== undefined, `${path} has a kind of field`);
      t.ok((schema.description ?? "").length > 3 || path === "", `${path} has its help`);
      // A form tells variants apart by a constant of theirs.
      for (const variant of schema.oneOf ?? []) t.ok(Object.values(form.resolved(variant).properties ?? {}).some((each) => each.const !== undefined), `${path}: a variant has a constant`);
    }
    t.strictSame(form.root.properties?.["platform"]?.properties?.["type"]?.enum, names);
    t.end();
  });
}

t.test("names as a person says them", (t) => {
  t.strictSame(["dynamicIps", "name", "vnicType", "dns", "rootVolumeGiB", "sshAuthorizedKeys", "caCertificates"].map(labelOf), ["Dynamic IPs", "Name", "VNIC type", "DNS", "Root volume (GiB)", "SSH authorized keys", "CA certificates"]);
  t.end();
});
