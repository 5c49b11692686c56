/** Makes `dist/console/`: the web console as one page, hashed assets, and the licences of what is bundled into it. */

import { build, type Plugin } from "esbuild";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const out = join(root, "dist/console");

/** React Aria brings its few words in thirty languages; the console speaks English. */
const englishOnly: Plugin = {
  name: "english-only",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](react-aria|react-aria-components|react-stately)[\\/].*[\\/]intl[\\/].*[\\/][a-z]{2}-[A-Z]{2}\.m?js$/ }, ({ path }) =>
      /en-US\.m?js$/.test(path) ? undefined : { contents: "export default {};", loader: "js" });
  },
};

export async function buildConsole(): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { console: "console/main.tsx", icon: "console/icon.svg" },
    outdir: "dist/console",
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    publicPath: "/",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    minify: true,
    legalComments: "none",
    loader: { ".svg": "copy" },
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [englishOnly],
    metafile: true,
    logLevel: "warning",
  });
  const named = (pattern: RegExp): string => {
    const path = Object.keys(metafile.outputs).find((each) => pattern.test(each));
    if (path === undefined) throw new Error(`the console has no ${pattern.source}`);
    return path.slice("dist/console".length);
  };
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "index.html"), page(named(/assets\/console-\w+\.js$/), named(/assets\/console-\w+\.css$/), named(/assets\/icon-\w+\.svg$/)));
  writeFileSync(join(out, "licences.txt"), licences(Object.keys(metafile.inputs)));
}

/**
 * The style has the id under which React Aria looks for one of its own, so that it adds none to the page, where the policy
 * would refuse it (react-aria 3.52, usePress); its one rule is in theme.css.
 */
function page(script: string, style: string, icon: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>cloudlet-bundle</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
<link rel="stylesheet" href="${style}" id="react-aria-pressable-style">
<script type="module" src="${script}"></script>
</head>
<body>
<noscript>This console is a program in JavaScript, which is switched off here. The API under /v1 does without.</noscript>
<div id="console"></div>
</body>
</html>
`;
}

/** Name, version and licence text of each package of which a file went in. */
function licences(inputs: readonly string[]): string {
  const folders = [...new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))].sort();
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { readonly name: string; readonly version: string; readonly license?: string };
    const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e(\.\w+)?$/i.test(each));
    if (file === undefined && license === undefined) throw new Error(`${folder} tells no licence`);
    return `${name} ${version}\n${license ?? ""}\n\n${file === undefined ? "The package has no licence text of its own.\n" : readFileSync(join(root, folder, file), "utf8")}`;
  });
  return `The web console has these packages in it. The map is of Natural Earth, which is in the public domain.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
