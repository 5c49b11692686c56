/**
 * install.sh's wait for the PlatformVMs, with a cloud of three shell functions and a clock that jumps minutes at each
 * look: half an hour passes in a second.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";

const root = join(import.meta.dirname, "../../..");

interface Wait {
  /** Shell: what `console_of NUMBER LOOK` prints and gives; LOOK counts from 1. */
  readonly console: string;
  readonly status?: string;
  readonly machines?: 1 | 2;
  readonly journal?: string;
  /** Seconds from one look to the next. */
  readonly jump?: number;
  /** What is called; default: the wait. */
  readonly call?: string;
}

/** One line of a guest of release 7. */
function says(stage: string, detail: string): string {
  return `printf 'noise\\r\\ncloudlet-status {"version":1,"release":"2026.11","sequence":7,"uptime":9,"stage":"${stage}","detail":"${detail}"}\\r\\n'`;
}

function run(t: Test, wait: Wait) {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-server-"));
  t.teardown(() => rmSync(work, { recursive: true }));
  writeFileSync(join(work, "journal"), wait.journal ?? "");
  const script = `
set -eu
here=${root}/templates/common work=${work} verb=install quiet=no bold='' red='' yellow='' green='' plain='' told=no
CB_RELEASE=2026.11 CB_RELEASE_SEQUENCE=7 CB_MACHINE_COUNT=${wait.machines ?? 1}
CB_MACHINE_1_NAME=vm-primary CB_MACHINE_2_NAME=vm-secondary
: >$work/secrets
for part in say progress site secrets findings guest; do . "$here/lib/$part.sh"; done
. ${root}/templates/openstack/lib/openstack-ask.sh
. ${root}/templates/openstack/lib/openstack-server.sh
now=0 look=0
seconds() { cat $work/now; }
sleep() { now=$((now + ${wait.jump ?? 300})); printf %s $now >$work/now; look=$((look + 1)); }
printf 0 >$work/now
stack_output() { at=0; while [ $at -lt $CB_MACHINE_COUNT ]; do at=$((at + 1)); printf 'id-%s\\n' $at; done; }
console_of() { ${wait.console}
}
client() {
    case "$1 $2" in
    'server show') printf 'status="${wait.status ?? "ACTIVE"}"\\nfault="None"\\n' ;;
    'console log') console_of "\${4#id-}" $((look + 1)) ;;
    esac
}
${wait.call ?? "server_wait"}
printf 'end %s\\n' "$now"; cut -f2,4,5,6,7 $work/servers
`;
  const done = spawnSync("sh", ["-c", script], { encoding: "utf8", timeout: 60_000 });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr, text: done.stdout + done.stderr };
}

t.test("each new stage is shown once, until it is healthy", (t) => {
  const stages = `case $2 in 1) : ;; 2 | 3) ${says("found", "vdb")} ;; 4) ${says("loaded", "docker")} ;; *) ${says("healthy", "crmserver,shepherd")} ;; esac`;
  const ended = run(t, { console: stages, jump: 60 });
  t.equal(ended.status, 0, ended.text);
  t.strictSame([...ended.stderr.matchAll(/vm-primary says: (.*)/g)].map((match) => match[1]), ["found (vdb)", "loaded (docker)", "healthy (crmserver,shepherd)"]);
  t.match(ended.stdout, "end 240\nvm-primary\tACTIVE\thealthy\thealthy\tcrmserver,shepherd\n");
  t.end();
});

t.test("failed ends at once, with the reason, what to do, and the console", (t) => {
  for (const [reason, remedy] of [
    ["payload-digest-differs", /replace the disk/],
    ["no-payload-disk", /See that it is attached/],
    ["no-container-engine", /neither docker nor podman/],
    ["disk-full", /more disk/],
    ["not-healthy-crmserver,shepherd", /not well: crmserver,shepherd/],
    ["something-new", /tries again at each boot/],
  ] as const) {
    const ended = run(t, { console: says("failed", reason) });
    t.equal(ended.status, 1, ended.text);
    t.match(ended.stderr, `guest/failed: vm-primary says that it failed: ${reason}`);
    t.match(ended.stderr, remedy);
    t.match(ended.stderr, /last lines of the console of vm-primary:\n {4}noise\n {4}cloudlet-status /);
  }
  t.end();
});

t.test("an empty console is waited for 10 minutes, a slow guest 30", (t) => {
  const silent = run(t, { console: ":" });
  t.equal(silent.status, 1);
  t.match(silent.stderr, /server\/silent[^]*console=ttyS0/);
  const unread = run(t, { console: "printf 'Service Unavailable (HTTP 503)\\n' >&2; return 1" });
  t.match(unread.stderr, /server\/silent.*\(Service Unavailable \(HTTP 503\)\)/);
  const slow = run(t, { console: says("started", "crmserver") });
  t.equal(slow.status, 1);
  t.match(slow.stderr, /guest\/late: after 30 minutes vm-primary is ACTIVE and has said 'started \(crmserver\)'/);
  const mute = run(t, { console: "printf 'only the kernel\\n'" });
  t.match(mute.stderr, /guest\/late: after 30 minutes vm-primary is ACTIVE and has said nothing/);
  t.end();
});

t.test("words of another release and broken words don't count", (t) => {
  const other = says("healthy", "crmserver").replace("2026.11", "2026.10");
  const number = says("healthy", "crmserver").replace('"sequence":7', '"sequence":70');
  const broken = `printf 'cloudlet-status {"version":1,"release":"2026.11","sequence":7,"uptime":9,"stage":"heal[ 12.3] usb\\n'`;
  const ended = run(t, { console: `${other}; ${number}; ${broken}` });
  t.match(ended.stderr, /guest\/late/);
  t.end();
});

t.test("a cloud without a console: ACTIVE has to do, with a warning", (t) => {
  for (const error of ["Policy doesn't allow os_compute_api:os-console-output to be performed. (HTTP 403)", "HTTP 501", "Guest does not have a console available. (HTTP 404)"]) {
    const ended = run(t, { console: `printf "%s\\n" "${error}" >&2; return 1` });
    t.equal(ended.status, 0, ended.text);
    t.match(ended.stderr, /warning: this cloud shows no console/);
    t.match(ended.stdout, "vm-primary\tACTIVE\tunknown\t-\t-\n");
  }
  t.end();
});

t.test("a second run: words that have left the console are remembered by the journal, a failure is not", (t) => {
  const journal = "2026-11-24T08:32:45Z done server inputs=abc id=id-1\n";
  const check = 'server_step check && printf "well\\n" || printf "not well\\n"';
  t.match(run(t, { console: "printf 'rotated\\n'", journal, call: check }).stdout, /^well/);
  t.match(run(t, { console: "printf 'rotated\\n'", journal: journal.replace("id-1", "id-9"), call: check }).stdout, /^not well/, "another server's journal");
  t.match(run(t, { console: says("unhealthy", "crmserver"), journal, call: check }).stdout, /^not well/);
  t.match(run(t, { console: says("booted", "platformvm"), journal, call: check }).stdout, /^not well/);
  t.match(run(t, { console: "printf 'rotated\\n'", journal, call: check, status: "SHUTOFF" }).stdout, /^not well/);
  t.end();
});

t.test("two PlatformVMs: both must be well, and the one that isn't is named", (t) => {
  const second = `case $1:$2 in 1:*) ${says("healthy", "crmserver")} ;; 2:[123]) ${says("verified", "vdb")} ;; *) ${says("healthy", "crmserver")} ;; esac`;
  const ended = run(t, { console: second, machines: 2, jump: 60 });
  t.equal(ended.status, 0, ended.text);
  t.match(ended.stdout, "end 180\nvm-primary\tACTIVE\thealthy\thealthy\tcrmserver\nvm-secondary\tACTIVE\thealthy\thealthy\tcrmserver\n");
  const failed = run(t, { console: `case $1 in 1) ${says("healthy", "crmserver")} ;; 2) ${says("failed", "disk-full")} ;; esac`, machines: 2 });
  t.match(failed.stderr, /guest\/failed: vm-secondary says that it failed: disk-full/);
  t.match(failed.stderr, /openstack server reboot id-2/);
  t.end();
});

t.test("what Nova says for itself", (t) => {
  t.match(run(t, { console: ":", status: "ERROR" }).stderr, /server\/error: vm-primary is in ERROR/);
  t.match(run(t, { console: ":", call: "stack_output() { :; }; server_wait" }).stderr, /server\/missing/);
  t.end();
});
