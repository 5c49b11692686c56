/** The bootstrap script in a folder that stands for /: what it finds, says, loads, and leaves alone; in every shell here. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";

const script = join(import.meta.dirname, "../../../templates/guest/cloudlet-bootstrap");
const payload = payloadOf("containers");
const digest = createHash("sha256").update(payload).digest("hex");

/** The smallest thing that begins like a payload: a tar's header block with the first entry's name, and some bytes. */
function payloadOf(content: string): Buffer {
  return Buffer.concat([Buffer.from("cloudlet-payload.json".padEnd(512, "\0")), Buffer.from(content.padEnd(1024, "\0"))]);
}

interface Machine {
  readonly root: string;
  readonly run: (shell: string) => { readonly status: number | null; readonly stages: readonly string[]; readonly stderr: string };
  /** What the engine was asked, one line for each call. */
  readonly calls: () => readonly string[];
}

/** `disks` by name; the engine is a program that keeps what it was given and knows the images it has loaded. */
function machine(t: Test, disks: Readonly<Record<string, Buffer>>, more: { readonly engine?: string; readonly loads?: boolean; readonly variables?: string } = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), "bootstrap-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const folder of ["etc/cloudlet", "dev", "sys/class/block", "sys/class/net/eth0", "var/lib", "bin"]) mkdirSync(join(root, folder), { recursive: true });
  for (const [name, bytes] of Object.entries(disks)) {
    writeFileSync(join(root, "dev", name), bytes);
    mkdirSync(join(root, "sys/class/block", name));
  }
  writeFileSync(join(root, "dev/console"), "");
  writeFileSync(join(root, "sys/class/net/eth0/address"), "fa:16:3e:00:00:01\n");
  writeFileSync(
    join(root, "etc/cloudlet/bootstrap.env"),
    `CB_RELEASE='2026.11'\nCB_RELEASE_SEQUENCE='7'\nCB_PAYLOAD_SIZE='${payload.length}'\nCB_PAYLOAD_SHA256='${digest}'\n` +
      `CB_CONTAINER_COUNT='1'\nCB_CONTAINER_1_ID='sha256:${"c1".repeat(32)}'\nCB_NIC_COUNT='1'\nCB_NIC_1_MAC='fa:16:3e:00:00:01'\nCB_NIC_1_MTU='1400'\n${more.variables ?? ""}`,
  );
  program(root, "sleep", ":");
  program(root, "ip", `echo "ip $*" >>"${root}/calls"`);
  if (more.engine !== "") {
    program(
      root,
      more.engine ?? "docker",
      `echo "$*" >>"${root}/calls"
case $1 in
info) ;;
image) [ -e "${root}/loaded" ] && [ "$3" = ${"c1".repeat(32)} ] ;;
load) cat >"${root}/input"; ${more.loads === false ? "exit 1" : `: >"${root}/loaded"`} ;;
esac`,
    );
  }
  return {
    root,
    run: (shell) => {
      writeFileSync(join(root, "dev/console"), "");
      rmSync(join(root, "calls"), { force: true });
      const [program = "", ...words] = shell.split(" ");
      // Only what a VM of the image has: the engine is ours or none.
      const run = spawnSync(program, [...words, script, root], { encoding: "utf8", env: { PATH: `${root}/bin:${tools(root)}` } });
      const lines = readFileSync(join(root, "dev/console"), "utf8").split(/[\r\n]+/).filter((line) => line !== "");
      const stages = lines.map((line) => {
        const { version, release, sequence, stage, detail } = JSON.parse(line.replace(/^cloudlet-status /, ""));
        return version === 1 && release === "2026.11" && sequence === 7 ? `${stage} ${detail}` : line;
      });
      return { status: run.status, stages, stderr: run.stderr };
    },
    calls: () => (existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").trimEnd().split("\n") : []),
  };
}

function program(root: string, name: string, body: string): void {
  writeFileSync(join(root, "bin", name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

/** A folder of links to the few tools that the script may use, so that this machine's container engines stay out of it. */
function tools(root: string): string {
  const folder = join(root, "tools");
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  for (const tool of ["dd", "head", "tr", "cut", "sha256sum", "cat", "mkdir", "mv"]) {
    spawnSync("/bin/sh", ["-c", 'ln -s "$(command -v "$1")" "$2"', "sh", tool, join(folder, tool)]);
  }
  return folder;
}

const padding = Buffer.alloc(4096, 7);
const shells = ["/bin/dash", "/bin/bash", "/bin/bash --posix", "/bin/busybox sh", "/bin/ksh93"];

for (const shell of shells) {
  t.test(`${shell}: finds the payload by content, verifies, loads, and does nothing the second time`, (t) => {
    t.ok(existsSync(shell.split(" ")[0] as string), "needed: apt-get install dash bash busybox ksh");
    const { root, run, calls } = machine(t, { vda: padding, vdb: Buffer.concat([payload, padding]), vdc: Buffer.alloc(0) });
    t.strictSame(run(shell), { status: 0, stages: ["found vdb", "verified vdb", "loaded docker"], stderr: "" });
    t.strictSame(calls(), ["ip link set dev eth0 mtu 1400", "info", "load", `image inspect ${"c1".repeat(32)}`]);
    t.ok(readFileSync(join(root, "input")).equals(payload), "exactly the payload's bytes");
    t.equal(readFileSync(join(root, "var/lib/cloudlet/payload"), "utf8"), `${digest}\n`);
    t.strictSame(run(shell), { status: 0, stages: ["loaded docker"], stderr: "" });
    t.notOk(calls().includes("load"));
    t.end();
  });
}

t.test("two payloads: the digest decides", (t) => {
  const old = Buffer.concat([payloadOf("older"), padding]);
  t.strictSame(machine(t, { vdb: old, vdc: payload }).run("/bin/dash").stages, ["found vdb", "found vdc", "verified vdc", "loaded docker"]);
  t.end();
});

t.test("an image that was removed is loaded again", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  run("/bin/dash");
  rmSync(join(root, "loaded"));
  t.strictSame(run("/bin/dash").stages, ["found vdb", "verified vdb", "loaded docker"]);
  t.ok(calls().includes("load"));
  t.end();
});

t.test("what goes wrong is said", (t) => {
  const failing: readonly (readonly [string, Machine, readonly string[]])[] = [
    ["no disk", machine(t, { vda: padding }), ["failed no-payload-disk"]],
    ["another payload", machine(t, { vdb: payloadOf("another") }), ["found vdb", "failed payload-digest-differs"]],
    ["a disk that is cut short", machine(t, { vdb: payload.subarray(0, 700) }), ["found vdb", "failed payload-digest-differs"]],
    ["no engine", machine(t, { vdb: payload }, { engine: "" }), ["failed no-container-engine"]],
    ["an engine that can't load", machine(t, { vdb: payload }, { loads: false }), ["found vdb", "verified vdb", "failed docker-load"]],
    ["an image that isn't in it", machine(t, { vdb: payload }, { variables: "CB_CONTAINER_1_ID='sha256:00'\n" }), ["found vdb", "verified vdb", "failed image-missing-after-load"]],
  ];
  for (const [name, { root, run }, stages] of failing) {
    const ended = run("/bin/dash");
    t.strictSame([ended.status, ended.stages], [1, stages], name);
    t.notOk(existsSync(join(root, "var/lib/cloudlet/payload")), `${name}: nothing is remembered`);
  }
  t.end();
});

t.test("podman where there is no docker", (t) => {
  t.strictSame(machine(t, { vdb: payload }, { engine: "podman" }).run("/bin/dash").stages, ["found vdb", "verified vdb", "loaded podman"]);
  t.end();
});
