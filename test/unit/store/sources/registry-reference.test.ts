/** Which texts name an image in a registry, and what they name. */

import t from "tap";
import { parseReference } from "../../../../src/store/sources/registry-reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

t.test("places in a registry", (t) => {
  for (const [source, origin, repository, tag] of [
    ["docker://registry.example/edge/crm:1.0", "https://registry.example", "edge/crm", "1.0"],
    ["docker://registry.example:5000/crm", "https://registry.example:5000", "crm", "latest"],
    ["docker://registry:5000/crm", "https://registry:5000", "crm", "latest"],
    ["docker://localhost/crm:1", "http://localhost", "crm", "1"],
    ["docker://localhost:5000/crm:1", "http://localhost:5000", "crm", "1"],
    ["docker://127.0.0.1:5000/a/b/c:1", "http://127.0.0.1:5000", "a/b/c", "1"],
    ["docker://127.0.0.2:5000/crm:1", "https://127.0.0.2:5000", "crm", "1"],
    ["docker://[::1]:5000/crm:1", "http://[::1]:5000", "crm", "1"],
    ["docker://[2001:db8::1]:5000/crm:1", "https://[2001:db8::1]:5000", "crm", "1"],
    ["docker://localhost.example/crm:1", "https://localhost.example", "crm", "1"],
    ["docker://docker.io/prom/prometheus:v2", "https://registry-1.docker.io", "prom/prometheus", "v2"],
    ["docker://docker.io/busybox:1", "https://registry-1.docker.io", "library/busybox", "1"],
    ["docker://registry.example/a__b/c---d.e:_1", "https://registry.example", "a__b/c---d.e", "_1"],
  ] as const) {
    t.match(parseReference(source), { origin, repository, tag, digest: undefined }, source);
  }
  t.match(parseReference(`docker://registry.example/crm@${digest}`), { repository: "crm", tag: undefined, digest });
  t.match(parseReference(`docker://registry.example/crm:1@${digest}`), { repository: "crm", tag: undefined, digest });
  t.end();
});

t.test("texts that are none", (t) => {
  for (const source of [
    "docker://crm:1",
    "docker://tools/crm:1",
    "docker://registry.example/",
    "docker://registry.example/CRM:1",
    "docker://registry.example/a//b:1",
    "docker://registry.example/../v2:1",
    "docker://registry.example/a_/b:1",
    "docker://registry.example/crm:",
    "docker://registry.example/crm:-1",
    "docker://registry.example/crm@sha256:1",
    `docker://registry.example/crm@sha512:${"a".repeat(128)}`,
    "docker://user:pass@registry.example/crm:1",
    "docker://registry.example:99999/crm:1",
    "docker://registry.example/crm?x=1",
    "docker://registry.example/crm#x",
    "docker://registry_x.example/crm",
    "docker://[::g]/crm",
    `docker://registry.example/${"a".repeat(255)}:1`,
    "docker:registry.example/crm:1",
    "https://registry.example/crm:1",
  ]) {
    t.equal(parseReference(source), undefined, source);
  }
  t.end();
});
