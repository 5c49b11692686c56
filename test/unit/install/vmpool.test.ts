/** Words of the VM pool's shell that need no machine: who is let back in, modes as ls shows them, what errors mean, what a machine may say, host keys that come late. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

const lib = join(import.meta.dirname, "../../../templates");
const work = mkdtempSync(join(tmpdir(), "cloudlet-vmpool-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

/** Runs a script after the pool's files were read; gives status and output. */
function shell(script: string, input = ""): { readonly status: number | null; readonly text: string } {
  const parts = ["vmpool/lib/vmpool-ssh.sh", "vmpool/lib/vmpool-preflight.sh", "vmpool/lib/vmpool-payload.sh", "vmpool/lib/vmpool-steps.sh"];
  const run = spawnSync("sh", ["-euc", `work=$1 machine_status=0; secrets_hide() { cat; }\n${parts.map((part) => `. "${join(lib, part)}"`).join("\n")}\n${script}`, "sh", work], { input, encoding: "utf8" });
  return { status: run.status, text: `${run.stdout}${run.stderr}` };
}

const rules = `*filter
:CLOUDLET-IN - [0:0]
-A CLOUDLET-IN -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A CLOUDLET-IN -i lo -j ACCEPT
-A CLOUDLET-IN -s 198.51.100.64/26 -p tcp --dport 22:22 -j ACCEPT
-A CLOUDLET-IN -s 10.0.0.0/8 -p tcp --dport 2200:2299 -j ACCEPT
-A CLOUDLET-IN -s 203.0.113.7/32 -j ACCEPT
-A CLOUDLET-IN -s 192.0.2.0/24 -p udp --dport 22:22 -j ACCEPT
-A CLOUDLET-IN -s 2001:db8:0:8000::/49 -p tcp --dport 22:22 -j ACCEPT
-A CLOUDLET-IN -s ::1234/128 -p tcp --dport 22:22 -j ACCEPT
-A CLOUDLET-IN -j DROP
-A CLOUDLET-OUT -d 0.0.0.0/0 -j ACCEPT
COMMIT
`;

t.test("the firewall is asked whether it would let this connection in again", (t) => {
  const cases: readonly (readonly [string, number, boolean])[] = [
    ["198.51.100.64", 22, true],
    ["198.51.100.127", 22, true],
    ["198.51.100.128", 22, false],
    ["198.51.100.63", 22, false],
    ["198.51.100.64", 2222, false],
    ["10.255.0.1", 2222, true],
    ["10.255.0.1", 22, false],
    ["203.0.113.7", 2222, true],
    ["203.0.113.8", 22, false],
    ["192.0.2.1", 22, false],
    ["2001:db8:0:8000::1", 22, true],
    ["2001:db8:0:ffff:1:2:3:4", 22, true],
    ["2001:db8:0:7fff:ffff:ffff:ffff:ffff", 22, false],
    ["2001:DB8::8000:0:0:0:1", 22, true],
    ["::1234", 22, true],
    ["::1235", 22, false],
  ];
  for (const [address, port, isLetIn] of cases) t.equal(shell(`firewall_lets_in ${address} ${port}`, rules).status === 0, isLetIn, `${address} port ${port}`);
  t.end();
});

t.test("modes as ls shows them", (t) => {
  t.equal(shell("mode_letters 0755; mode_letters 0600; mode_letters 0644").text, "-rwxr-xr-x-rw--------rw-r--r--");
  t.end();
});

t.test("what ssh and sudo say has a name", (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ["Host key verification failed.", "ssh/host-key"],
    ["No ED25519 host key is known for a and you have requested strict checking.\nHost key verification failed.", "ssh/host-key"],
    ["ops@10.0.0.1: Permission denied (publickey).", "ssh/login"],
    ["ssh: connect to host 10.0.0.1 port 22: Connection refused", "ssh/unreachable"],
    ["ssh: Could not resolve hostname a: Name or service not known", "ssh/unreachable"],
    ["sudo: a password is required", "ssh/no-sudo"],
    ["sudo: unable to resolve host a: Name or service not known\nsudo: a password is required", "ssh/no-sudo"],
    ["client_loop: send disconnect: Broken pipe", "ssh/cut"],
    ["sh: write error: No space left on device", "host/disk-full"],
    ["rm: cannot remove 'a': Operation not permitted", "host/refused"],
  ];
  for (const [said, code] of cases) {
    writeFileSync(join(work, "look.error"), `${said}\n`);
    t.equal(shell('trouble look; printf "%s" "$trouble_code"').text, code, said);
  }
  writeFileSync(join(work, "look.error"), "\u001b]0;owned\u0007Permission denied\n");
  t.notMatch(shell('trouble look; printf "%s" "$trouble_what"').text, /[\u0000-\u001f]/, "and no command to the terminal");
  t.end();
});

t.test("a machine that lies gets no arithmetic", (t) => {
  writeFileSync(join(work, "look"), "memory a[$(touch owned)]4096\nsize 12\ndisk 100 x[$(id)] 50\npayload payload-abc.tar 7\nend\n");
  t.equal(shell('printf "%s " "$(number look memory)" "$(number look size)" "$(number look absent)" "$(numbers look disk)"').text, "4096 12 0 100  50 ");
  t.end();
});

t.test("a machine that shows its keys too late is asked again, three times in all", (t) => {
  // Each call shows the next line of `shows`, a key or nothing; its fingerprint is the key itself.
  writeFileSync(join(work, "ssh-keyscan"), `#!/bin/sh\necho >>"${work}/asked"\nkey=$(sed -n "$(wc -l <"${work}/asked")p" "${work}/shows")\n[ -z "$key" ] || echo "host ssh-ed25519 $key"\n`, { mode: 0o755 });
  writeFileSync(join(work, "ssh-keygen"), '#!/bin/sh\nwhile [ "$1" != -f ]; do shift; done\nread -r kind key <"$2" && echo "256 $key comment ($kind)"\n', { mode: 0o755 });
  const cases: readonly (readonly [shows: string, told: string, asked: number])[] = [
    ["AAAA\n", "a ssh-ed25519 AAAA\n", 1],
    ["\nBBBB\nAAAA\n", "a ssh-ed25519 AAAA\n", 3],
    ["\n\n\nAAAA\n", "ssh/unreachable", 3],
    ["BBBB\n\n\n", "ssh/host-key", 3],
  ];
  for (const [shows, told, asked] of cases) {
    writeFileSync(join(work, "shows"), shows);
    rmSync(join(work, "asked"), { force: true });
    const names = `PATH="$work:$PATH" ssh_folder=$work ssh_hosts=$work/hosts ssh_alias=a ssh_address=h ssh_port=22 ssh_pin=AAAA; finding() { printf '%s' "$1"; }`;
    t.equal(shell(`${names}; ! ssh_pinned || cat "$ssh_hosts"`).text, told, JSON.stringify(shows));
    t.equal(readFileSync(join(work, "asked"), "utf8").length, asked);
  }
  t.end();
});
