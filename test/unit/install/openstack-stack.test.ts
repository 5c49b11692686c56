/** install.sh's removal of the stack, with a client that answers as heatclient does, on its output and as its error. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";

const root = join(import.meta.dirname, "../../..");

/** @param shown shell: what `stack show` says at look $look, which counts from 1. @param deleted shell: `stack delete`. */
function remove(t: Test, shown: string, deleted: string) {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-stack-"));
  t.teardown(() => rmSync(work, { recursive: true }));
  mkdirSync(join(work, "state/lock"), { recursive: true });
  const client = `#!/bin/sh
case "$1 $2" in
'stack show') look=$(($(cat ${work}/looks) + 1)); printf $look >${work}/looks; ${shown} ;;
'stack delete') printf 'asked\\n' >>${work}/deletes; ${deleted} ;;
esac
`;
  writeFileSync(join(work, "openstack"), client);
  chmodSync(join(work, "openstack"), 0o755);
  const script = `
set -eu
here=${root}/templates/common work=${work} state=${work}/state verb=uninstall quiet=no told=no
bold='' red='' yellow='' green='' plain='' PATH=${work}:$PATH CB_NAME=cloudlet-pf
: >$work/secrets; : >$work/deletes; printf 0 >$work/looks
for part in say progress site secrets findings state; do . "$here/lib/$part.sh"; done
. ${root}/templates/openstack/lib/openstack-ask.sh
. ${root}/templates/openstack/lib/openstack-stack.sh
sleep() { :; }
stack_refresh
stack_remove
printf 'end %s, asked to delete: %s\\n' "$stack_status" "$(grep -c . $work/deletes)"
`;
  const done = spawnSync("sh", ["-c", script], { encoding: "utf8", timeout: 60_000 });
  return { status: done.status, text: done.stdout + done.stderr };
}

const there = `printf 'id="77"\\nstack_status="CREATE_COMPLETE"\\ntags="[\\047cloudlet-bundle\\047]"\\n'`;
const gone = `printf 'Stack not found: cloudlet-pf\\n' >&2; exit 1`;
const failed = `printf 'Unable to delete 1 of the 1 stacks.\\n' >&2; exit 1`;

t.test("a stack that went between the look and the deletion is gone, which is what was asked for", (t) => {
  const removed = remove(t, `[ $look -gt 1 ] && { ${gone}; }; ${there}`, `printf 'Stack not found: 77\\n'; ${failed}`);
  t.equal(removed.status, 0, removed.text);
  t.match(removed.text, "end absent, asked to delete: 1\n");
  t.end();
});

t.test("a deletion that is forbidden ends with the client's reason", (t) => {
  const removed = remove(t, there, `printf 'Forbidden: 77\\n'; ${failed}`);
  t.equal(removed.status, 3, removed.text);
  t.match(removed.text, /credentials\/forbidden: deleting stack cloudlet-pf: Forbidden: 77/);
  t.end();
});

t.test("a stack that does not go is asked for three times, then named", (t) => {
  const removed = remove(t, there, "exit 0");
  t.equal(removed.status, 3, removed.text);
  t.match(removed.text, "stack/not-deleted");
  t.end();
});
