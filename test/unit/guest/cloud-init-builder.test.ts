/** Parts of a cloud-config, their merging, and the text that they become. */

import { load } from "js-yaml";
import { gzipSync } from "node:zlib";
import t from "tap";

import { val } from "../../../src/core/origin.ts";
import {
  againUntilOnDisk,
  bootCommands,
  bytesAboveNova,
  caCertificates,
  cloudConfig,
  growRoot,
  hostname,
  journalLimit,
  keysOnly,
  multipart,
  nameServers,
  noPackages,
  powerState,
  runCommands,
  sshUserAuthorities,
  sudoTerminal,
  timeServers,
  timezone,
  users,
  writeFiles,
} from "../../../src/guest/cloud-init-builder.ts";
import type { CloudConfig } from "../../../src/guest/cloud-init-builder.ts";

function read(...parts: readonly CloudConfig[]): unknown {
  return load(cloudConfig(parts).text);
}

t.test("each part is what its module wants", (t) => {
  t.strictSame(read(againUntilOnDisk("/var/lib/a/mark")), {
    bootcmd: [["sh", "-c", "[ -e /var/lib/a/mark ] || { sync; rm -f /var/lib/cloud/instance/sem/config_*; }"]],
    runcmd: [["sh", "-c", "mkdir -p -m 0700 /var/lib/a && sync && : >/var/lib/a/mark && sync"]],
  });
  t.strictSame(read(hostname("a")), { hostname: "a", preserve_hostname: false, manage_etc_hosts: true });
  t.strictSame(read(timezone("UTC"), keysOnly(), noPackages()), { timezone: "UTC", ssh_pwauth: false, disable_root: true, package_update: false, package_upgrade: false });
  t.strictSame(read(users([{ name: "a", sshAuthorizedKeys: ["k1", "k2"], sudo: true }, { name: "b", sshAuthorizedKeys: [], sudo: false, shell: "/bin/sh" }])), {
    users: [
      "default",
      { name: "a", no_user_group: true, lock_passwd: true, shell: "/bin/bash", sudo: "ALL=(ALL) NOPASSWD:ALL", ssh_authorized_keys: ["k1", "k2"] },
      { name: "b", no_user_group: true, lock_passwd: true, shell: "/bin/sh", ssh_authorized_keys: [] },
    ],
  });
  t.strictSame(read(caCertificates(["-----BEGIN\n"])), { ca_certs: { trusted: ["-----BEGIN\n"] } });
  t.strictSame(read(timeServers(["t1"])), { ntp: { enabled: true, ntp_client: "systemd-timesyncd", servers: ["t1"] } });
  t.strictSame(read(nameServers(["192.0.2.1", "192.0.2.2"])), {
    write_files: [
      { path: "/etc/systemd/resolved.conf.d/50-cloudlet.conf", owner: "root:root", permissions: "0644", content: "[Resolve]\nDNS=192.0.2.1\nDNS=192.0.2.2\nDomains=~.\n" },
    ],
    runcmd: [["systemctl", "try-restart", "systemd-resolved.service"]],
  });
  t.strictSame(read(sudoTerminal()), { write_files: [{ path: "/etc/sudoers.d/50-cloudlet", owner: "root:root", permissions: "0440", content: "Defaults use_pty\n" }] });
  t.match(read(journalLimit("1G")), { write_files: [{ content: "[Journal]\nStorage=persistent\nSystemMaxUse=1G\n" }] });
  t.match(read(sshUserAuthorities(["ca"])), { write_files: [{ content: "ca\n" }], bootcmd: [["sh", "-c", /TrustedUserCAKeys/]] });
  t.strictSame(read(bootCommands([["a", "b c"]]), runCommands([["d"]])), { bootcmd: [["a", "b c"]], runcmd: [["d"]] });
  t.match(read(growRoot(), powerState("reboot", "bye")), { growpart: { mode: "auto" }, power_state: { mode: "reboot", timeout: 30 } });
  t.strictSame(read(timezone("UTC"), caCertificates([]), timeServers([]), nameServers([]), sshUserAuthorities([])), { timezone: "UTC" }, "nothing said, nothing written");
  t.end();
});

t.test("files: owner and mode always, text or bytes", (t) => {
  const gzip = gzipSync("x");
  t.strictSame(
    read(
      writeFiles([
        { path: "/a", content: "no\n", mode: 0o755 },
        { path: "/b", content: "QUJD", encoding: "b64", mode: 0o600, owner: "www:www" },
        { path: "/c", content: Uint8Array.of(0, 255), mode: 0o4755 },
        { path: "/d", content: gzip, encoding: "gz+b64", mode: 0o7, append: true },
      ]),
    ),
    {
      write_files: [
        { path: "/a", owner: "root:root", permissions: "0755", content: "no\n" },
        { path: "/b", owner: "www:www", permissions: "0600", encoding: "b64", content: "QUJD" },
        { path: "/c", owner: "root:root", permissions: "4755", encoding: "b64", content: "AP8=" },
        { path: "/d", owner: "root:root", permissions: "0007", append: true, encoding: "gz+b64", content: gzip.toString("base64") },
      ],
    },
  );
  t.throws(() => writeFiles([{ path: "/a", content: Uint8Array.of(1), encoding: "gz+b64", mode: 0o644 }]), /not gzip's/);
  t.throws(() => writeFiles([{ path: "/a", content: "", mode: 0o10000 }]), /not a mode/);
  t.end();
});

t.test("parts are merged in order, and never lose anything", (t) => {
  t.strictSame(read({ runcmd: [["a"]], x: { y: 1 } }, { runcmd: [["b"]], x: { z: [1] } }, { x: { z: [2], y: 1 } }), { runcmd: [["a"], ["b"]], x: { y: 1, z: [1, 2] } });
  t.throws(() => cloudConfig([timezone("UTC"), timezone("CET")]), /two parts disagree about \/timezone/);
  t.throws(() => cloudConfig([{ a: [1] }, { a: { b: 1 } }]), /disagree about \/a/);
  const file = writeFiles([{ path: "/a", content: "x", mode: 0o644 }]);
  t.throws(() => cloudConfig([file, writeFiles([{ path: val("/a", "spec:/p"), content: "y", mode: 0o644 }])]), /two files at \/a/);
  t.doesNotThrow(() => cloudConfig([file, writeFiles([{ path: "/a", content: "y", mode: 0o644, append: true }])]));
  t.end();
});

t.test("the text begins as cloud-init wants it, and is no Jinja template", (t) => {
  const { text } = cloudConfig([{ a: "## template: jinja\n{{ v1.region }}\n" }], ["one", ""]);
  t.equal(text, "#cloud-config\n# one\n#\na: |\n  ## template: jinja\n  {{ v1.region }}\n");
  t.throws(() => cloudConfig([], ["a\nb: 1"]), /one line of ASCII/);
  t.throws(() => cloudConfig([], ["é"]), /one line of ASCII/);
  t.end();
});

t.test("values that know their origins leave spans", (t) => {
  const { text, spans } = cloudConfig([
    { a: val("no", "spec:/a"), l: [val(1, "spec:/l"), "x"] },
    writeFiles([{ path: "/e", content: { lines: ["[x]", val("y=1", "spec:/y"), val("z=2", "spec:/z", "release:/z")] }, mode: 0o644 }]),
    { quoted: { lines: [val("\u007f", "spec:/q")] } },
  ]);
  t.equal(text.split("\n")[1], "a: 'no'");
  t.strictSame(
    spans.map(({ line, start, end, origins }) => [text.split("\n")[line - 1]?.slice(start - 1, end - 1), ...origins]),
    [
      ["a: 'no'", "spec:/a"],
      ["l", "spec:/l"],
      ["1", "spec:/l"],
      ["write_files", "release:/z", "spec:/y", "spec:/z"],
      ["path: /e", "release:/z", "spec:/y", "spec:/z"],
      ["owner: root:root", "release:/z", "spec:/y", "spec:/z"],
      ["permissions: '0644'", "release:/z", "spec:/y", "spec:/z"],
      ["content: |", "release:/z", "spec:/y", "spec:/z"],
      ["[x]", "release:/z", "spec:/y", "spec:/z"],
      ["y=1", "spec:/y"],
      ["z=2", "spec:/z", "release:/z"],
      ['quoted: "\\x7F\\n"', "spec:/q"],
    ],
  );
  t.end();
});

t.test("multi-part is the same bytes for the same parts", (t) => {
  const parts = [
    { fileName: "a.cfg", type: "text/cloud-config", text: "#cloud-config\n" },
    { fileName: "b.sh", type: "text/x-shellscript", text: `#!/bin/sh\n--boundary\n${"x".repeat(200)}\n` },
  ] as const;
  const text = multipart(parts);
  t.equal(text, multipart(parts));
  t.not(text, multipart([parts[0]]));
  const boundary = /boundary="(.*)"/.exec(text)?.[1] ?? "";
  t.equal(text.split(`--${boundary}`).length, 4);
  t.ok(text.split("\n").every((line) => line.length <= 100));
  t.throws(() => multipart([{ ...parts[0], fileName: 'a"\nb' }]), /not a plain file name/);
  t.equal(bytesAboveNova("é".repeat(24_574), 1), 0);
  t.equal(bytesAboveNova("x", 49_149), 1);
  t.end();
});
