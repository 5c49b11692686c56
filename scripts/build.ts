/** Makes `dist/`: the command line as one program in lazily loaded parts, and the cloud-init builder as a library of its own. */

import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { buildConsole } from "./build-console.ts";
import "./generate-validators.ts";

const root = join(import.meta.dirname, "..");

rmSync(join(root, "dist"), { recursive: true, force: true });

/** Worker threads and processes are files of their own: every `*-worker.ts` is an entry. */
const workers = ["src/store", "src/service/jobs", "src/service/delivery"].flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith("-worker.ts")).map((name) => `${folder}/${name}`));

await build({
  absWorkingDir: root,
  entryPoints: {
    cli: "src/cli/start.ts",
    "cloud-init-builder": "src/guest/cloud-init-builder.ts",
    ...Object.fromEntries(workers.map((path) => [basename(path, ".ts"), path])),
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // Half of the time of a short command is the reading of its own text.
  minify: true,
  chunkNames: "parts/[name]-[hash]",
  // CommonJS that looks for files beside itself, and native parts that may be missing: they stay packages of their own.
  external: ["koffi", "ssh2"],
  legalComments: "none",
  // CommonJS packages inside an ES module still call require() for Node's own modules.
  banner: { js: 'import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);' },
  logLevel: "warning",
});

await buildConsole();

execFileSync(process.execPath, [typescriptCompiler(), "--project", join(root, "tsconfig.build.json")], { cwd: root, stdio: "inherit" });

function typescriptCompiler(): string {
  const path = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(path)) throw new Error("typescript is not installed: run npm ci");
  return path;
}
