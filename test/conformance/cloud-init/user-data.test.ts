/** Every golden user-data, and every part that the builder makes, pass cloud-init's own schema: 22.4's and a later one. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

import * as cloudInit from "../../../src/guest/cloud-init-builder.ts";
import { caseNames, renderedFiles } from "../../golden/cases.ts";

const check = join(import.meta.dirname, "../../labs/cloud-init/check");
const folder = mkdtempSync(join(tmpdir(), "user-data-"));
t.teardown(() => rmSync(folder, { recursive: true }));

function verdict(text: string): { readonly status: number | null; readonly said: string } {
  const file = join(folder, "user-data");
  writeFileSync(file, text);
  const run = spawnSync(check, ["--newer", file], { encoding: "utf8" });
  return { status: run.status, said: run.stdout + run.stderr };
}

const golden = caseNames.flatMap((name) => renderedFiles(name).map(({ path, text }) => ({ name, path, text })));
for (const { name, path, text } of golden.filter((each) => /^site\/user-data(-[a-z]+)?$/.test(each.path))) {
  t.test(`golden ${name}, ${path}, as the guest gets it`, (t) => {
    const filled = text.replace(/@@CLOUDLET-SECRET:\w+@@/g, "QUJD").replace(/@@CLOUDLET-PORT-MAC:\d+@@/g, "fa:16:3e:00:00:01");
    t.notMatch(filled, /@@CLOUDLET-(SECRET|PORT)/);
    t.strictSame(verdict(filled), { status: 0, said: "" });
    t.end();
  });
}

t.test("all parts of the builder together", (t) => {
  const { text } = cloudInit.cloudConfig([
    cloudInit.hostname("a"),
    cloudInit.timezone("UTC"),
    cloudInit.users([{ name: "no", sshAuthorizedKeys: ["ssh-ed25519 AAAA no"], sudo: true }, { name: "b", sshAuthorizedKeys: ["k"], sudo: false }]),
    cloudInit.keysOnly(),
    cloudInit.caCertificates(["-----BEGIN CERTIFICATE-----\n"]),
    cloudInit.sshUserAuthorities(["ssh-ed25519 AAAA ca"]),
    cloudInit.nameServers(["192.0.2.1"]),
    cloudInit.timeServers(["192.0.2.2", "ntp.example.net"]),
    cloudInit.writeFiles([{ path: "/a", content: Uint8Array.of(1), mode: 0o600 }, { path: "/b", content: "yes", mode: 0o644, append: true }]),
    cloudInit.bootCommands([["true"]]),
    cloudInit.runCommands([["echo", "no", "0644"]]),
    cloudInit.growRoot(),
    cloudInit.noPackages(),
    cloudInit.powerState("reboot", "bye"),
  ]);
  t.strictSame(verdict(text), { status: 0, said: "" });
  t.end();
});

t.test("the check can fail", (t) => {
  t.equal(verdict("#cloud-config\nruncmd: [[true]]\n").status, 1);
  t.end();
});

t.test("Python's own reader takes multi-part apart", (t) => {
  const parts = [
    { fileName: "a.cfg", type: "text/cloud-config", text: "#cloud-config\nhostname: é\n" },
    { fileName: "b.sh", type: "text/x-shellscript", text: "#!/bin/sh\n--x\n" },
  ] as const;
  const program =
    "import email, json, sys; m = email.message_from_binary_file(sys.stdin.buffer); " +
    "print(json.dumps([[p.get_filename(), p.get_content_type(), p.get_payload(decode=True).decode('utf-8')] for p in m.get_payload()]))";
  const run = spawnSync("/usr/bin/python3", ["-c", program], { input: cloudInit.multipart(parts), encoding: "utf8" });
  t.strictSame(JSON.parse(run.stdout), parts.map((part) => [part.fileName, part.type, part.text]));
  t.end();
});
