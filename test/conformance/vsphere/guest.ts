/** The guests of a simulated vCenter: each says that it is well as soon as it runs, and what it was told at its boot is kept. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltBundle } from "../bundle.ts";
import { site } from "./operator.ts";
import type { Simulator, Vm } from "./simulator.ts";

export class Guests {
  /** A VM as it was when it was first seen running, by the bundle's digest. */
  readonly booted = new Map<string, Vm>();
  /** What they say; a guest that has said something says nothing more until it is started again. */
  says: { readonly stage: string; readonly detail: string } = { stage: "healthy", detail: "crmserver,shepherd" };
  readonly #simulator: Simulator;
  readonly #releases: ReadonlyMap<string, string>;
  #running = true;
  readonly #ended: Promise<void>;

  constructor(simulator: Simulator, bundles: readonly BuiltBundle[]) {
    this.#simulator = simulator;
    this.#releases = new Map(bundles.map((bundle) => [digestOf(bundle), `"release":"${site(bundle, "CB_RELEASE")}","sequence":${site(bundle, "CB_RELEASE_SEQUENCE")}`]));
    this.#ended = this.#live();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  async #live(): Promise<void> {
    while (this.#running) {
      // What is deleted or renamed while it is looked at is looked at again.
      await this.#look().catch(() => undefined);
      await sleep(150);
    }
  }

  async #look(): Promise<void> {
    for (const vm of await this.#simulator.vms()) {
      const digest = vm.extra["cloudlet-bundle.bundle"] ?? "";
      const release = this.#releases.get(digest);
      if (!vm.isOn || release === undefined || (vm.extra["guestinfo.cloudlet.status"] ?? "") !== "") continue;
      if (!this.booted.has(digest)) this.booted.set(digest, vm);
      const status = `{"version":1,${release},"uptime":73,"stage":"${this.says.stage}","detail":"${this.says.detail}"}`;
      await this.#simulator.govc("vm.change", "-vm", vm.path.replace(/[[\]*?]/g, "\\$&"), "-e", `guestinfo.cloudlet.status=${status}`);
    }
  }
}

/** As install.sh calls a bundle. */
export function digestOf(bundle: BuiltBundle): string {
  return createHash("sha256").update(readFileSync(join(bundle.folder, "SHA256SUMS"))).digest("hex");
}

export interface Told {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly userdata: string;
  /** network-config as cloud-init hands it to the distribution. */
  readonly network: unknown;
}

/** What cloud-init's own VMware datasource makes of a VM's advanced parameters, asking for them as in a guest. */
export function readByCloudInit(vm: Vm): Told {
  const folder = mkdtempSync(join(tmpdir(), "guestinfo-"));
  try {
    for (const [key, value] of Object.entries(vm.extra)) if (/^guestinfo\.[a-z.]+$/.test(key)) writeFileSync(join(folder, key), value);
    const tool = join(folder, "rpctool");
    writeFileSync(tool, `#!/bin/sh\nkey=\${1#info-get }\n[ -f "${folder}/$key" ] && cat "${folder}/$key"\n`, { mode: 0o755 });
    const code = join(process.env["CLOUD_INIT_LAB_DIR"] ?? "/var/tmp/lab-cloud-init", "root/usr/lib/python3/dist-packages");
    const text = execFileSync("/usr/bin/python3", [join(import.meta.dirname, "read_guestinfo.py"), tool, folder], {
      encoding: "utf8",
      env: { PYTHONPATH: code, PYTHONDONTWRITEBYTECODE: "1", PATH: "/usr/bin:/bin" },
    });
    return JSON.parse(text) as Told;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
