/** Package databases that dpkg and rpm wrote themselves: what is read out of a layer is what they say is installed. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Digest } from "../../../src/core/digest.ts";
import { readPurl } from "../../../src/core/purl.ts";
import { inMemory } from "../../../src/store/software/database-file.ts";
import { dpkgPackages } from "../../../src/store/software/dpkg.ts";
import { containerSoftware } from "../../../src/store/software/container-software.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-packages-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
t.setTimeout(300_000);

const sh = (script: string): string => execFileSync("sh", ["-euc", script], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });

t.test("dpkg: this machine's own database", async (t) => {
  const said = sh("dpkg-query -W -f='${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\n'").trimEnd().split("\n").map((line) => line.split("\t"));
  const installed = said.filter(([status]) => status === "installed").map(([, name, version, architecture, source]) => ({ name, version, architecture, source }));
  const read = dpkgPackages(inMemory(Buffer.from(sh("cat /var/lib/dpkg/status")))).map(({ name, version, architecture, source }) => ({ name, version, architecture, source: source ?? name }));
  const byName = (a: { name?: string | undefined; architecture?: string | undefined }, b: typeof a): number => (`${a.name} ${a.architecture}` < `${b.name} ${b.architecture}` ? -1 : 1);
  t.ok(read.length > 100, `${read.length} packages`);
  t.strictSame([...read].sort(byName), [...installed].sort(byName));
});

t.test("rpm: a database made by rpm, with packages built for it", async (t) => {
  mkdirSync(join(folder, "root"));
  for (const [index, name] of ["alpha", "beta-libs", "gamma"].entries()) {
    writeFileSync(join(folder, `${name}.spec`), [
      `Name: ${name}`, `Version: 1.${index}`, `Release: ${index + 1}.el9`, ...(index === 1 ? ["Epoch: 2"] : []), "Summary: x", `License: ${index === 2 ? "x".repeat(1_500) : "GPL-2.0-or-later AND MIT"}`,
      "Vendor: Example Vendor", "BuildArch: noarch", "%description", `${"long text ".repeat(2_000)}`, "%files", "",
    ].join("\n"));
    sh(`rpmbuild --quiet --define "_topdir $PWD/build" -bb ${name}.spec >/dev/null 2>&1; rpm --root "$PWD/root" --dbpath /var/lib/rpm -i --nodeps build/RPMS/noarch/${name}-*.rpm`);
  }
  sh("tar -C root -cf layer.tar var/lib/rpm && test -s root/var/lib/rpm/rpmdb.sqlite");
  const said = sh(`rpm --root "$PWD/root" --dbpath /var/lib/rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{VENDOR}\\n'`).trimEnd().split("\n").sort();
  const found = await containerSoftware([{ digest: "layer" as Digest }], () => join(folder, "layer.tar"));
  const read = found?.packages.map(({ purl, supplier }) => `${readPurl(purl)?.name} ${readPurl(purl)?.version} ${/arch=([^&]*)/.exec(purl)?.[1]} ${supplier}`);
  t.strictSame(found?.databases, [{ kind: "rpm", state: "read" }]);
  t.strictSame([...(read ?? [])].sort(), said);
  t.equal(said.length, 3);
  t.match(found?.packages.find((each) => each.purl.includes("beta-libs")), { purl: /epoch=2/, licence: "GPL-2.0-or-later AND MIT" });
});
