/** A client of the tests' own in place of OpenStack's, and what can be seen of those who run it. */

import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";

export const password = "pa55-of-the-site-93f1";
export const login = { OS_AUTH_URL: "https://keystone.example.net:5000/v3", OS_USERNAME: "conny", OS_PASSWORD: password, OS_PROJECT_NAME: "edge", OS_USER_DOMAIN_NAME: "Default", OS_PROJECT_DOMAIN_NAME: "Default" };

/** A folder with a stand-in for the client: it writes down what it is called with, and does what the file `mood` says. */
export function standIn(t: Test): { readonly bin: string; readonly set: (mood: string) => void; readonly calls: () => string; readonly environment: () => string } {
  const bin = mkdtempSync(join(tmpdir(), "cloudlet-clients-"));
  t.teardown(() => rmSync(bin, { recursive: true, force: true }));
  writeFileSync(join(bin, "openstack"), `#!/bin/sh
here=${bin}
printf '%s\\n' "$*" >>"$here/calls"
env >"$here/environment"
umask >>"$here/environment"
ls -l /proc/self/fd >>"$here/environment"
ulimit -c >>"$here/environment"
mood=$(cat "$here/mood")
case $mood in
refuses) printf 'The request you have made requires authentication with $OS_PASSWORD %s (HTTP 401)\\n' "$OS_PASSWORD" >&2; exit 1 ;;
hangs) sleep 600 & sleep 600 ;;
deaf) trap '' TERM; while :; do sleep 1; done ;;
esac
case "$1 $2" in
'token issue') printf 'id="t"\\nproject_id="p1"\\nuser_id="u1"\\nexpires="2099-01-01T00:00:00+0000"\\n' ;;
'stack show') printf 'Stack not found\\n' >&2; exit 1 ;;
*) : ;;
esac
`);
  chmodSync(join(bin, "openstack"), 0o755);
  const text = (name: string): string => (existsSync(join(bin, name)) ? readFileSync(join(bin, name), "utf8") : "");
  const set = (mood: string): void => {
    writeFileSync(join(bin, "mood"), mood);
    writeFileSync(join(bin, "calls"), "");
  };
  set("fine");
  return { bin, set, calls: () => text("calls"), environment: () => text("environment") };
}

/** Every byte below a folder but the blobs', which are public. */
export function bytesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/(blobs|drawn)(\/|$)/.test(entry.parentPath))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

export function processesWith(text: string): readonly string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      return line.includes(text) ? [line] : [];
    } catch {
      return [];
    }
  });
}
