/** `import`: turns a MobiledgeX cloudlet object into a spec, and names what it can't carry over. */

import type { Command } from "commander";
import { importCloudlet } from "../spec/import-mobiledgex.ts";
import { absolute, load } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options {
  readonly out?: string;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Read a MobiledgeX cloudlet object (mcctl data file or REST body, YAML or JSON) and write it as a spec. What can't be carried over is named; the values of access variables are dropped, and secret slots take their place.",
    )
    .argument("<file>", "the object; - is standard input")
    .option("--out <file>", "where to write the spec; standard output when left out (refused where it exists)")
    .addHelpText("after", "\nExample:\n  mcctl cloudlet show cloudlet=berlin-1 | cloudlet-bundle import - --out berlin-1.yaml")
    .action(async (file: string, options: Options) => done(await importFile(file, options, io)));
}

async function importFile(file: string, options: Options, io: Io): Promise<ExitStatus> {
  const { value, report } = await load(io, file, importCloudlet);
  showAside(io, [report]);
  if (value === undefined || hasErrors([report])) return 1;
  if (options.out === undefined) io.out(value.text);
  else await writeTextAside(absolute(io, options.out), value.text, { exclusive: true });
  return 0;
}
