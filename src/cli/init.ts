/** `init`: writes a commented starter spec. */

import type { Command } from "commander";
import { platforms } from "../platforms/registry.ts";
import { starterSpec } from "../spec/starter.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { writeTextAside } from "./write-aside.ts";

const platformNames = platforms.map((platform) => platform.name);

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description("Write a starter spec with every field explained. It is valid as it is; fit it to your site.")
    .argument("[file]", "where to write it; standard output when left out")
    .option("--platform <name>", `the IaaS: ${platformNames.join(", ")}`, "openstack")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle init --platform openstack berlin-1.yaml")
    .action(async (file: string | undefined, options: { readonly platform: string }) => done(await init(file, options.platform, io)));
}

async function init(file: string | undefined, platform: string, io: Io): Promise<ExitStatus> {
  if (!platformNames.includes(platform)) {
    io.err(`cloudlet-bundle init: no platform named ${platform}; there is ${platformNames.join(", ")}\n`);
    return 2;
  }
  const text = starterSpec(platform);
  if (file === undefined) {
    io.out(text);
    return 0;
  }
  await writeTextAside(absolute(io, file), text, { exclusive: true });
  io.err(`wrote ${file}; next: fit it to your site, then cloudlet-bundle check ${file}\n`);
  return 0;
}
