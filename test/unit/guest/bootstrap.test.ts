/** The bootstrap script in a folder that stands for /: what it finds, says, loads, starts and leaves alone; in every shell. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { canonicalJson } from "../../../src/core/json.ts";

const script = join(import.meta.dirname, "../../../templates/guest/cloudlet-bootstrap");
const payload = payloadOf("containers");
const digest = createHash("sha256").update(payload).digest("hex");

/** The smallest thing that begins like a payload: a tar's header block with the first entry's name, and some bytes. */
function payloadOf(content: string): Buffer {
  return Buffer.concat([Buffer.from("cloudlet-payload.json".padEnd(512, "\0")), Buffer.from(content.padEnd(1024, "\0"))]);
}

interface Machine {
  readonly root: string;
  /** Default: dash, and no words: a boot. */
  readonly run: (words?: readonly string[], shell?: string) => { readonly status: number | null; readonly stages: readonly string[]; readonly stderr: string };
  /** What the engine was asked, one line for each call. */
  readonly calls: () => readonly string[];
}

interface Kind {
  readonly engine?: "docker" | "podman" | "";
  /** Lines of shell for what the engine does: load, run, inspect. */
  readonly load?: string;
  readonly run?: string;
  readonly state?: "active" | "inactive";
  readonly variables?: string;
  readonly seconds?: number;
}

const imageId = "c1".repeat(32);

/**
 * `disks` by name. The engine is a program that notes what it was asked and knows the images it has loaded; systemctl and
 * iptables note it too.
 */
function machine(t: Test, disks: Readonly<Record<string, Buffer>>, kind: Kind = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), "bootstrap-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const folders = ["etc/cloudlet/containers", "dev", "sys/class/block", "sys/class/net/eth0", "var/lib", "run", "proc/net", "proc/sys/net/ipv6", "bin"];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const [name, bytes] of Object.entries(disks)) {
    writeFileSync(join(root, "dev", name), bytes);
    mkdirSync(join(root, "sys/class/block", name));
  }
  writeFileSync(join(root, "dev/console"), "");
  writeFileSync(join(root, "sys/class/net/eth0/address"), "fa:16:3e:00:00:01\n");
  writeFileSync(join(root, "proc/uptime"), `${kind.seconds ?? 100}.25 0.00\n`);
  // Port 9091 in state LISTEN.
  writeFileSync(join(root, "proc/net/tcp"), "  sl  local_address rem_address   st\n   0: 00000000:2383 00000000:0000 0A\n");
  writeFileSync(
    join(root, "etc/cloudlet/bootstrap.env"),
    `CB_RELEASE='2026.11'\nCB_RELEASE_SEQUENCE='7'\nCB_RELEASE_CREATED='1700000000'\nCB_PAYLOAD_SIZE='${payload.length}'\nCB_PAYLOAD_SHA256='${digest}'\n` +
      `CB_CONTAINER_COUNT='1'\nCB_CONTAINER_1_ROLE='crmserver'\nCB_CONTAINER_1_ID='sha256:${imageId}'\nCB_CONTAINER_1_HEALTH_PORT='9091'\n` +
      `CB_NIC_COUNT='1'\nCB_NIC_1_MAC='fa:16:3e:00:00:01'\nCB_NIC_1_MTU='1400'\n${kind.variables ?? ""}`,
  );
  const note = (name: string): string => `echo "${name} $*" >>"${root}/calls"`;
  program(root, "sleep", ":");
  program(root, "sync", ":");
  program(root, "ip", note("ip"));
  program(root, "systemctl", `${note("systemctl")}\n[ "$1" != is-active ] || [ ${kind.state ?? "active"} = active ]`);
  for (const name of ["iptables", "ip6tables"]) {
    program(root, name, `${note(name)}\n[ "$2" != -C ]`);
    program(root, `${name}-restore`, `${note(`${name}-restore`)}\ncat >"${root}/${name}-rules"`);
  }
  if (kind.engine !== "") {
    const engine = kind.engine ?? "docker";
    if (engine === "docker") program(root, "dockerd", "exit 1");
    program(
      root,
      engine,
      `echo "$*" >>"${root}/calls"
case $1 in
info) [ $# = 1 ] || echo "${root}" ;;
image) case $2 in rm) rm -f "${root}/loaded" ;; inspect) [ -e "${root}/loaded" ] && [ "$3" = ${imageId} ] ;; esac ;;
load) cat >"${root}/input"; ${kind.load ?? `: >"${root}/loaded"`} ;;
inspect) echo true ;;
run) for word; do printf '%s\\n' "[$word]"; done >"${root}/words"; printf '%s' "\${OS_PASSWORD-}" >"${root}/password"; ${kind.run ?? ":"} ;;
esac`,
    );
  }
  return {
    root,
    run: (words = [], shell = "/bin/dash") => {
      writeFileSync(join(root, "dev/console"), "");
      rmSync(join(root, "calls"), { force: true });
      const [program = "", ...before] = shell.split(" ");
      // Only what a VM of the image has: the engine is ours or none.
      const run = spawnSync(program, [...before, script, ...words], { encoding: "utf8", env: { PATH: `${root}/bin:${tools(root)}`, CLOUDLET_ROOT: root } });
      const lines = readFileSync(join(root, "dev/console"), "utf8").split(/[\r\n]+/).filter((line) => line !== "");
      const stages = lines.map((line) => {
        const { version, release, sequence, uptime, stage, detail } = JSON.parse(line.replace(/^cloudlet-status /, ""));
        return version === 1 && release === "2026.11" && sequence === 7 && Number.isInteger(uptime) ? `${stage} ${detail}` : line;
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
  for (const tool of ["dd", "head", "tail", "tr", "cut", "sha256sum", "cat", "mkdir", "mv", "rm", "awk", "grep", "df", "date"]) {
    spawnSync("/bin/sh", ["-c", 'ln -s "$(command -v "$1")" "$2"', "sh", tool, join(folder, tool)]);
  }
  return folder;
}

const padding = Buffer.alloc(4096, 7);
const shells = ["/bin/dash", "/bin/bash", "/bin/bash --posix", "/bin/busybox sh", "/bin/ksh93"];
const wellStages = ["loaded docker", "started crmserver", "healthy crmserver"];

for (const shell of shells) {
  t.test(`${shell}: finds the payload by content, verifies, loads, starts; the second time it only starts`, (t) => {
    t.ok(existsSync(shell.split(" ")[0] as string), "needed: apt-get install dash bash busybox ksh");
    const { root, run, calls } = machine(t, { vda: padding, vdb: Buffer.concat([payload, padding]), vdc: Buffer.alloc(0) });
    t.strictSame(run([], shell), { status: 0, stages: ["booted platformvm", "found vdb", "verified vdb", ...wellStages], stderr: "" });
    t.strictSame(calls().filter((call) => /^(ip|load|systemctl restart)/.test(call)), [
      "ip link set dev eth0 mtu 1400",
      "load",
      "systemctl restart --no-block cloudlet-container@crmserver.service",
    ]);
    t.ok(readFileSync(join(root, "input")).equals(payload), "exactly the payload's bytes");
    t.equal(readFileSync(join(root, "var/lib/cloudlet/payload"), "utf8"), `${digest}\n`);
    t.strictSame(run([], shell), { status: 0, stages: ["booted platformvm", ...wellStages], stderr: "" });
    t.notOk(calls().includes("load"));
    t.end();
  });

  t.test(`${shell}: a container gets its words as they are, a secret by its environment`, (t) => {
    const { root, run, calls } = machine(t, {});
    const hostile = `it's "$(touch ${root}/run-by-accident)" \`id\` \\ * \n&`;
    const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
    mkdirSync(join(root, "etc/cloudlet/secrets"));
    writeFileSync(join(root, "etc/cloudlet/secrets/OS_PASSWORD"), "pa$$ 'word'");
    writeFileSync(
      join(root, "etc/cloudlet/containers/crmserver.env"),
      `CB_IMAGE_ID='sha256:${imageId}'\nCB_VOLUME_COUNT='1'\nCB_VOLUME_1='/root/crm cache'\nCB_VARIABLE_COUNT='1'\nCB_VARIABLE_1=${word(`A=${hostile}`)}\n` +
        `CB_SECRET_COUNT='2'\nCB_SECRET_1_NAME='OS_PASSWORD'\nCB_SECRET_1_PATH='/etc/cloudlet/secrets/OS_PASSWORD'\nCB_SECRET_2_NAME='NOT_GIVEN'\nCB_SECRET_2_PATH='/etc/cloudlet/secrets/NOT_GIVEN'\n` +
        `CB_ARGUMENT_COUNT='3'\nCB_ARGUMENT_1='--cloudletKey'\nCB_ARGUMENT_2=${word(hostile)}\nCB_ARGUMENT_3=''\n`,
    );
    t.strictSame(run(["run", "crmserver"], shell), { status: 0, stages: [], stderr: "" });
    const expected = [
      ...["run", "--rm", "--name", "crmserver", "--network", "host", "--log-driver", "json-file", "--log-opt", "max-size=50m", "--log-opt", "max-file=20"],
      ...["--volume", "/root/crm cache:/root/crm cache", "--env", `A=${hostile}`, "--env", "OS_PASSWORD", imageId, "--cloudletKey", hostile, ""],
    ];
    t.equal(readFileSync(join(root, "words"), "utf8"), expected.map((each) => `[${each}]\n`).join(""));
    t.equal(readFileSync(join(root, "password"), "utf8"), "pa$$ 'word'");
    t.notOk(calls().some((call) => call.includes("pa$$")), "no list of processes shows it");
    t.notOk(existsSync(join(root, "run-by-accident")));
    t.end();
  });
}

t.test("several payloads: the digest decides; one attached twice is taken once", (t) => {
  const old = Buffer.concat([payloadOf("older"), padding]);
  t.strictSame(machine(t, { vdb: old, vdc: payload }).run().stages, ["booted platformvm", "found vdb,vdc", "verified vdc", ...wellStages]);
  const twice = machine(t, { vdb: payload, vdc: payload });
  t.strictSame(twice.run().stages, ["booted platformvm", "found vdb,vdc", "verified vdb", ...wellStages]);
  t.equal(twice.calls().filter((call) => call === "load").length, 1);
  t.end();
});

t.test("the packet size of the spec lowers what the IaaS says, and never raises it", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  writeFileSync(join(root, "sys/class/net/eth0/mtu"), "1500\n");
  run();
  t.ok(calls().includes("ip link set dev eth0 mtu 1400"));
  writeFileSync(join(root, "sys/class/net/eth0/mtu"), "1342\n");
  run();
  t.notOk(calls().some((call) => call.startsWith("ip ")));
  t.end();
});

t.test("on VMware: the disk has whole MiB, and guestinfo is told every stage, where there is somebody to tell", (t) => {
  const rounded = Buffer.concat([payload, Buffer.alloc(2 ** 20 - payload.length)]);
  const { root, run, calls } = machine(t, { sda: Buffer.alloc(2 ** 20), sdb: rounded });
  const note = `echo "vmware-rpctool $#: $*" >>"${root}/calls"`;
  program(root, "vmware-rpctool", note);
  const { status, stages } = run();
  t.strictSame([status, stages], [0, ["booted platformvm", "found sdb", "verified sdb", "loaded docker", "started crmserver", "healthy crmserver"]]);
  const told = calls().filter((call) => call.startsWith("vmware-rpctool "));
  const texts = told.map((call) => call.replace(/^vmware-rpctool 1: info-set guestinfo\.cloudlet\.status (?=\{)/, ""));
  t.strictSame(texts.map((text) => JSON.parse(text) as { stage: string; detail: string }).map(({ stage, detail }) => `${stage} ${detail}`), stages);
  program(root, "vmware-rpctool", `${note}\necho 'Failed sending message to VMware.' >&2\nexit 1`);
  t.match(run(), { status: 0, stderr: "" }, "tools on hardware that is not VMware's: no harm");
  t.end();
});

t.test("a payload as a file, where no disk could be attached", (t) => {
  const { root, run } = machine(t, { vda: padding });
  mkdirSync(join(root, "var/lib/cloudlet"));
  writeFileSync(join(root, "var/lib/cloudlet/payload.tar"), payload);
  t.strictSame(run().stages, ["booted platformvm", "found payload.tar", "verified payload.tar", ...wellStages]);
  t.end();
});

t.test("an image that was removed is loaded again", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  run();
  rmSync(join(root, "loaded"));
  t.strictSame(run().stages, ["booted platformvm", "found vdb", "verified vdb", ...wellStages]);
  t.ok(calls().includes("load"));
  t.end();
});

t.test("images that can't be run any more are loaded once more", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload }, { state: "inactive" });
  mkdirSync(join(root, "var/lib/cloudlet"));
  writeFileSync(join(root, "var/lib/cloudlet/payload"), `${digest}\n`);
  writeFileSync(join(root, "loaded"), "");
  program(root, "systemctl", `[ "$1" != restart ] || : >"${root}/run/cloudlet/engine-trouble"\n[ "$1" != is-active ] || [ -e "${root}/input" ]`);
  t.strictSame(run().stages, ["booted platformvm", "loaded docker", "started crmserver", "found vdb", "verified vdb", ...wellStages]);
  t.ok(calls().includes(`image rm ${imageId}`));
  t.end();
});

function silent(t: Test, variables: string): Machine {
  const made = machine(t, { vdb: payload }, { variables });
  program(made.root, "docker", "exit 1");
  return made;
}

t.test("what goes wrong is said, and no container is started", (t) => {
  const release = (name: string): Buffer => payloadOf(canonicalJson({ apiVersion: "cloudlet-bundle/v1", kind: "Payload", release: name }));
  const failing: readonly (readonly [string, Machine, readonly string[]])[] = [
    ["no disk", machine(t, { vda: padding }), ["failed no-payload-disk"]],
    ["one byte is another", machine(t, { vdb: release("2026.11") }), ["found vdb", "failed payload-digest-differs"]],
    ["of another release", machine(t, { vdb: release("2026.10") }), ["found vdb", "failed payload-of-another-release"]],
    ["a disk that is cut short", machine(t, { vdb: release("2026.11").subarray(0, 700) }), ["found vdb", "failed payload-digest-differs"]],
    ["no engine", machine(t, { vdb: payload }, { engine: "" }), ["failed no-container-engine"]],
    ["an engine that can't load", machine(t, { vdb: payload }, { load: "exit 1" }), ["found vdb", "verified vdb", "failed docker-load"]],
    ["a disk that fills", machine(t, { vdb: payload }, { load: "echo write: No space left on device >&2; exit 1" }), ["found vdb", "verified vdb", "failed disk-full"]],
    ["a disk too small from the start", machine(t, { vdb: payload }, { variables: "CB_PAYLOAD_SIZE='99999999999999999'\n" }), ["found vdb", "verified vdb", "failed disk-full"]],
    ["an engine that never answers", silent(t, ""), ["failed docker-does-not-answer"]],
    ["one that finds no room", silent(t, "CB_PAYLOAD_SIZE='99999999999999999'\n"), ["failed disk-full"]],
    ["an image that isn't in it", machine(t, { vdb: payload }, { variables: "CB_CONTAINER_1_ID='sha256:00'\n" }), ["found vdb", "verified vdb", "failed image-missing-after-load"]],
  ];
  for (const [name, { root, run, calls }, stages] of failing) {
    const ended = run();
    t.strictSame([ended.status, ended.stages], [1, ["booted platformvm", ...stages]], name);
    t.notOk(existsSync(join(root, "var/lib/cloudlet/payload")), `${name}: nothing is remembered`);
    t.notOk(calls().some((call) => call.startsWith("systemctl restart")), `${name}: nothing is started`);
  }
  t.end();
});

t.test("a container that is not well is said; then the health that changes, and the same again only after a while", (t) => {
  const { root, run } = machine(t, { vdb: payload }, { variables: "CB_CONTAINER_1_HEALTH_PORT='9099'\n" });
  const ended = run();
  t.strictSame([ended.status, ended.stages.at(-1)], [1, "failed not-healthy-crmserver"]);
  t.strictSame(run(["health"]).stages, ["unhealthy crmserver"]);
  t.strictSame(run(["health"]).stages, []);
  writeFileSync(join(root, "proc/uptime"), "1001.00 0.00\n");
  t.strictSame(run(["health"]).stages, ["unhealthy crmserver"]);
  writeFileSync(join(root, "proc/net/tcp"), "   0: 00000000:238B 00000000:0000 0A\n");
  t.strictSame(run(["health"]).stages, ["healthy crmserver"]);
  t.strictSame(run(["health"]).stages, []);
  t.end();
});

t.test("while the bootstrap is at work, health says nothing; a failure that only a boot heals is repeated", (t) => {
  const { root, run } = machine(t, { vda: padding });
  t.strictSame(run(["health"]).stages, []);
  run();
  t.strictSame(run(["health"]).stages, []);
  writeFileSync(join(root, "proc/uptime"), "1001.00 0.00\n");
  t.strictSame(run(["health"]).stages, ["failed no-payload-disk"]);
  writeFileSync(join(root, "run/cloudlet/said"), "5 loaded docker\n");
  t.strictSame(run(["health"]).stages, []);
  t.end();
});

t.test("the host's firewall: chains of our own, jumps once, and away again", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  writeFileSync(join(root, "etc/cloudlet/firewall.v4"), "*filter\nCOMMIT\n");
  writeFileSync(join(root, "etc/cloudlet/firewall.v6"), "*filter\nCOMMIT\n");
  t.equal(run(["firewall"]).status, 0);
  t.strictSame(calls(), ["iptables", "ip6tables"].flatMap((name) => [
    `${name}-restore --wait --noflush`,
    ...["INPUT -j CLOUDLET-IN", "OUTPUT -j CLOUDLET-OUT"].flatMap((jump) => [`${name} -w -C ${jump}`, `${name} -w -I ${jump}`]),
  ]));
  t.equal(readFileSync(join(root, "iptables-rules"), "utf8"), "*filter\nCOMMIT\n");
  program(root, "iptables-restore", "exit 1");
  t.strictSame(run().stages, ["booted platformvm", "failed firewall"], "no cloudlet without its firewall");
  rmSync(join(root, "bin/iptables-restore"));
  t.strictSame(run().stages, ["booted platformvm", "failed no-iptables"]);
  t.end();
});

t.test("a clock that is before the release is set to it", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  program(root, "date", `echo "date $*" >>"${root}/calls"; echo 60`);
  run();
  t.ok(calls().includes("date -u -s @1700000000"));
  t.end();
});

t.test("removing leaves nothing of it", (t) => {
  const { root, run, calls } = machine(t, { vdb: payload });
  program(root, "iptables", "exit 1");
  program(root, "ip6tables", "exit 1");
  run();
  t.equal(run(["remove"]).status, 0);
  t.strictSame(calls(), ["systemctl stop cloudlet-container@crmserver.service", "rm --force crmserver", `image rm ${imageId}`]);
  t.notOk(existsSync(join(root, "var/lib/cloudlet/payload")));
  t.equal(run(["nonsense"]).status, 2);
  t.end();
});

t.test("podman where there is no docker, and where docker is a client alone", (t) => {
  t.strictSame(machine(t, { vdb: payload }, { engine: "podman" }).run().stages.at(3), "loaded podman");
  const both = machine(t, { vdb: payload }, { engine: "podman" });
  program(both.root, "docker", "exit 1");
  t.strictSame(both.run().stages.at(3), "loaded podman");
  t.end();
});
