/** Every script that is shipped: shellcheck finds nothing, and four shells can read it. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const templates = join(import.meta.dirname, "../../../templates");
const scripts = readdirSync(templates, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => path.endsWith(".sh") || readFileSync(path, "utf8").startsWith("#!"))
  .sort();

t.ok(scripts.length > 0);
for (const script of scripts) {
  const name = script.slice(templates.length + 1);
  const text = readFileSync(script, "utf8");
  t.notMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0]/, `${name}: no CR, no control character, no space that is none`);
  const check = spawnSync("shellcheck", ["-s", "sh", "-x", script], { encoding: "utf8", cwd: templates });
  t.equal(check.error?.message ?? check.stdout + check.stderr, "", `${name}: shellcheck (apt-get install shellcheck)`);
  for (const [shell, ...words] of [["/bin/dash"], ["/bin/bash", "--posix"], ["/bin/busybox", "sh"], ["/bin/ksh93"]] as const) {
    t.ok(existsSync(shell), `${shell} is needed: apt-get install dash bash busybox ksh`);
    const run = spawnSync(shell, [...words, "-n", script], { encoding: "utf8" });
    // ksh93 has opinions on style that it tells with -n; they are warnings and leave the status 0.
    t.equal(run.status, 0, `${name}: ${shell} ${run.stderr}`);
  }
}
