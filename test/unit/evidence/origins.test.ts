/** The map of origins: every value leaves a trace, and what a field of the spec changes, it claims. */

import { dump, load } from "js-yaml";
import t from "tap";

import type { File } from "../../../src/core/file.ts";
import { keysOf } from "../../../src/core/pointer.ts";
import { originsAt, originsFile } from "../../../src/evidence/origins.ts";
import type { OriginsDocument } from "../../../src/evidence/origins.ts";
import { caseNames, compose, composeText, specText, textOf } from "../../golden/cases.ts";

/** What the digest of user-data claims with all of user-data: which is so, and says nothing. */
const rendered = (files: readonly File[]): readonly File[] => files.filter((file) => file.spans.length > 0);

t.test("the document, written and read back", (t) => {
  const span = { line: 12, start: 7, end: 31, origins: ["release:/name", "spec:/name"] } as const;
  const there = { ...span, line: 13, origins: ["default:d"], presence: true } as const;
  const file: File = { path: "a", mode: 0o644, role: "site", body: { kind: "bytes", bytes: new Uint8Array() }, source: "x", spans: [span, there] };
  const text = textOf(originsFile("o.json", [file, { ...file, path: "static", spans: [] }], { spec: { "/a": ["default:d"] }, release: {} }));
  const document = JSON.parse(text) as OriginsDocument;
  t.strictSame(document.files, { a: { 12: ["7-30 1 2"], 13: ["7-30 if 0"] } });
  t.strictSame(originsAt(document, "a", 12), [span]);
  t.strictSame(originsAt(document, "a", 13), [there]);
  t.strictSame(originsAt(document, "a", 99), []);
  t.strictSame(originsAt(document, "b", 1), []);
  t.end();
});

t.test("every value of a rendered file lies in a span of its line", (t) => {
  for (const name of caseNames) {
    const { files, plan } = compose(name);
    const values = [plan.names.platformVm, plan.vmImage.name, ...plan.machines[0].nics.map((nic) => nic.network), ...plan.slots.map((slot) => slot.placeholder)];
    for (const file of rendered(files)) {
      const lines = textOf(file).split("\n");
      const missing = values.filter(({ value }) => lines.some((line, index) => line.includes(String(value)) && !file.spans.some((span) => span.line === index + 1)));
      t.strictSame(missing, [], `${name}: ${file.path}`);
      const text = textOf(file).split("\n");
      t.ok(file.spans.every((span) => span.start < span.end && span.end <= (text[span.line - 1]?.length ?? 0) + 1), `${name}: ${file.path}`);
    }
  }
  t.end();
});

/** By golden case: fields that may be left out. */
const optional: Readonly<Record<string, readonly string[]>> = {
  everything: [
    "/networks/dns/1", "/networks/ntp", "/networks/external/0/mtu", "/networks/external/1/address/floatingIpId", "/firewall/ssh", "/firewall/ingress/1",
    "/users/1", "/users/0/sudo", "/trust/caCertificates", "/trust/sshUserCaKeys", "/secrets/1", "/platform/parameters/serverMetadata", "/platform/parameters/availabilityZone",
    "/platform/parameters/keyName", "/platform/parameters/serverGroupPolicy", "/platform/parameters/volumeType", "/platform/parameters/imageProperties/hw_disk_bus", "/compute/tenant/vcpus",
  ],
  "libvirt-everything": [
    "/platform/parameters/driver", "/platform/parameters/uri", "/platform/parameters/machine", "/platform/parameters/firmware", "/platform/parameters/rootDiskGiB",
    "/platform/parameters/autostart", "/platform/parameters/networks/dmz", "/networks/external/0/mtu", "/firewall/ssh", "/secrets/0",
  ],
  "vsphere-everything": [
    "/platform/parameters/version", "/platform/parameters/manifestDigest", "/platform/parameters/diskController", "/platform/parameters/firmware",
    "/platform/parameters/eula/0", "/platform/parameters/eula", "/platform/parameters/rootDiskGiB", "/platform/parameters/management", "/platform/parameters/networks/ue-net",
    "/platform/parameters/tags", "/compute/tenant", "/compute/platformVm/vcpus", "/networks/external/2", "/networks/external/3", "/networks/external/1/mtu", "/networks/dns/1",
  ],
  pool: [
    "/platform/parameters/machines/0", "/platform/parameters/machines/1/externalIp", "/platform/parameters/machines/1/ssh", "/platform/parameters/machines/1/hostKeys",
    "/firewall/ssh/from/1", "/firewall/ingress", "/crm/notifySrvAddr", "/secrets/0", "/networks",
  ],
};

for (const [name, fields] of Object.entries(optional)) {
  t.test(`${name}: a field taken out of the spec changes only lines that claim it`, (t) => {
    const whole = compose(name).files;
    for (const field of fields) {
      const outcome = composeText(without(specText(name), field));
      if (!outcome.ok) throw new Error(`${field}: ${JSON.stringify(outcome.issues)}`);
      for (const before of rendered(whole)) {
        const after = outcome.value.files.find((file) => file.path === before.path);
        const kept = new Set(after === undefined ? [] : textOf(after).split("\n"));
        const unclaimed = textOf(before)
          .split("\n")
          .map((text, index) => ({ text, line: index + 1 }))
          // What is after the last line break is no line.
          .filter(({ text }) => text !== "" && !kept.has(text))
          .filter(({ line }) => !before.spans.some((span) => span.line === line && span.origins.some((origin) => claims(origin, field))));
        t.strictSame(unclaimed, [], `${field} in ${before.path}`);
      }
    }
    t.end();
  });
}

/** An item taken out of a list moves those after it up, so what claims those is changed as well. */
function claims(origin: string, field: string): boolean {
  const keys = keysOf(field);
  const list = /^\d+$/.test(keys.at(-1) ?? "") ? field.slice(0, field.lastIndexOf("/")) : field;
  return origin === `spec:${list}` || origin.startsWith(`spec:${list}/`);
}

function without(text: string, field: string): string {
  const spec = load(text) as Record<string, unknown>;
  const keys = [...keysOf(field)];
  const last = keys.pop() as string;
  const parent = keys.reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], spec);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
  return dump(spec, { noRefs: true });
}
