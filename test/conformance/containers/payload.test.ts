/** The payload of the reference release loads in podman and docker as the images that the lock names, and they run. */

import { spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { hexOf } from "../../../src/core/digest.ts";
import { payloadEntries } from "../../../src/pack/payload.ts";
import { layArchive, produce } from "../../../src/pack/stream.ts";
import { mtimeOf } from "../../../src/pack/tree.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import type { Lock } from "../../../src/spec/lock.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { resolve } from "../../../src/store/resolve.ts";
import { engineNamed } from "./engine.ts";

const root = join(import.meta.dirname, "../../..");
t.setTimeout(240_000);
const folder = mkdtempSync(join(tmpdir(), "payload-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const payload = join(folder, "payload.tar");
const broken = join(folder, "broken.tar");
const lock = await makePayload();

t.test("tar lists each of its files once, with the layer that the containers share", (t) => {
  const names = spawnSync("tar", ["-tf", payload], { encoding: "utf8" }).stdout.trim().split("\n");
  t.equal(new Set(names).size, names.length);
  const bases = new Set(lock.containers.map((container) => container.layers[0]?.digest));
  t.equal(bases.size, 1);
  const layers = names.filter((name) => name.endsWith("/layer.tar"));
  t.equal(layers.length, lock.containers.length + 1, "a layer of its own for each, and the shared one");
  t.end();
});

for (const [name, version] of [["podman", "4.3"], ["docker", "20.10"]] as const) {
  const engine = engineNamed(name);

  t.test(`${name}: the version that Debian 12 has`, (t) => {
    t.ok(engine.version().startsWith(`${version}.`), engine.version());
    t.end();
  });

  t.test(`${name}: a payload that is cut off does not load`, (t) => {
    engine.clear();
    t.not(engine.run("load", "-i", broken).status, 0);
    t.end();
  });

  t.test(`${name}: loads the payload; image ids are the digests of the configs`, (t) => {
    engine.clear();
    const loaded = engine.run("load", "-i", payload);
    if (!t.equal(loaded.status, 0)) t.comment(loaded.stderr);
    for (const { image, config, layers } of lock.containers) {
      t.equal(engine.inspect("image", image, "{{.Id}}").replace("sha256:", ""), hexOf(config.digest), image);
      t.strictSame(JSON.parse(engine.inspect("image", image, "{{json .RootFS.Layers}}")), layers.map((layer) => layer.digest));
    }
    t.end();
  });

  for (const [index, port] of [9091, 9093, 9092].entries()) {
    const { role, image } = lock.containers[index] as Lock["containers"][number];
    t.test(`${name}: ${role} prints its arguments, answers its port and ends on TERM`, (t) => {
      const started = engine.run("run", "-d", "--name", `payload-${role}`, "--network", "none", image, "--region", "EU west");
      if (!t.equal(started.status, 0)) t.comment(started.stderr);
      const container = started.stdout.trim();
      const pid = engine.inspect("container", container, "{{.State.Pid}}");
      t.equal(answer(pid, port), "200 ok\n");
      t.equal(answer(pid, port), "200 ok\n", "and once more");
      t.equal(engine.run("logs", container).stdout, `/bin/serve\n${port}\n--region\nEU west\n`);
      // Whoever does not end on TERM is killed after the 20 s, and then has status 137.
      t.equal(engine.run("stop", "-t", "20", container).status, 0);
      t.equal(engine.inspect("container", container, "{{.State.ExitCode}}"), "0");
      t.end();
    });
  }

  t.test(`${name}: without a port it says so by its status`, (t) => {
    const image = lock.containers[0]?.image ?? "";
    const run = engine.run("run", "--rm", "--network", "none", "--entrypoint", "/bin/serve", image);
    t.equal(run.status, 1);
    t.equal(run.stdout, "/bin/serve\n");
    engine.clear();
    t.end();
  });
}

t.test("of the archive forms, the plain docker-archive is one that both engines load", (t) => {
  const [first] = lock.containers;
  const forms: readonly (readonly [string, string])[] = [
    ["docker-archive", `cp '${payload}' "$1"`],
    ["docker-archive, gzip", `gzip -c '${payload}' >"$1"`],
    ["docker-archive, xz", `xz -c '${payload}' >"$1"`],
    ["docker-archive, zstd", `zstd -q -c '${payload}' >"$1"`],
    ["OCI archive", `skopeo copy -q 'docker-archive:${payload}:${first?.image}' "oci-archive:$1:${first?.image}"`],
  ];
  const loads = forms.map(([form, command]) => {
    const file = join(folder, "form");
    rmSync(file, { force: true });
    const made = spawnSync("sh", ["-c", command, "sh", file], { encoding: "utf8" });
    t.equal(made.status, 0, `${form}: ${made.stderr}`);
    const takers = (["podman", "docker"] as const).filter((name) => {
      const engine = engineNamed(name);
      engine.clear();
      const { status } = engine.run("load", "-i", file);
      engine.clear();
      return status === 0;
    });
    return [form, takers.join(" ")];
  });
  t.comment(loads.map(([form, takers]) => `${form}: ${takers}`).join("; "));
  t.strictSame(loads[0], ["docker-archive", "podman docker"]);
  for (const [form, takers] of loads.filter(([form]) => !/xz|^docker-archive$/.test(form ?? ""))) t.not(takers, "podman docker", `${form} would do as well`);
  t.end();
});

/** Asks from inside the container's own network, which has nothing but its loopback. */
function answer(pid: string, port: number): string {
  const program = `
    const ask = (left) => fetch("http://127.0.0.1:${port}/").then(
      async (response) => process.stdout.write(response.status + " " + (await response.text())),
      (error) => (left > 0 ? setTimeout(ask, 100, left - 1) : process.stdout.write(String(error.cause))),
    );
    ask(50);`;
  const run = spawnSync("nsenter", ["-t", pid, "-n", process.execPath, "-e", program], { encoding: "utf8" });
  return run.stdout + run.stderr;
}

/** Resolves the reference release and writes its payload as a bundle holds it, and one that lacks its second half. */
async function makePayload(): Promise<Lock> {
  const inputs = join(folder, "out/inputs");
  const releaseFolder = join(folder, "bundles/openstack-single");
  mkdirSync(releaseFolder, { recursive: true });
  await makeReferenceInputs(inputs);
  const release = readRelease(readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8"));
  if (!release.ok) throw new Error(JSON.stringify(release.issues));
  const store = await openStore(join(folder, "store"));
  const signal = new AbortController().signal;
  const resolved = await resolve({ release: release.value, releaseFolder, store, architecture: "amd64", environment: {}, vmdk: false, progress: () => {}, signal });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.issues));
  const layout = layArchive(payloadEntries(release.value.release, resolved.value.containers), mtimeOf(release.value.release.created));
  for (const path of [payload, broken]) await pipeline(Readable.from(produce(layout, store)), createWriteStream(path));
  truncateSync(broken, Math.floor(layout.size / 2));
  return resolved.value;
}
