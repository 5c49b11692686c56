/** Compiles schemas/*.schema.json to the functions in src/spec/generated/, or does nothing when nothing has changed. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson } from "../src/core/json.ts";
import { sha256 } from "../src/core/digest.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "src/spec/generated");
/** Schema by the name of its function. */
const SCHEMAS = {
  cloudlet: "cloudlet.schema.json",
  release: "release.schema.json",
  lock: "lock.schema.json",
  oidc: "oidc.schema.json",
  platformOpenstack: "platform-openstack.schema.json",
  platformLibvirt: "platform-libvirt.schema.json",
  platformVcd: "platform-vcd.schema.json",
  platformVmpool: "platform-vmpool.schema.json",
  platformVsphere: "platform-vsphere.schema.json",
};

const texts = Object.fromEntries(
  Object.values(SCHEMAS).map((file) => [file, readFileSync(join(root, "schemas", file), "utf8")]),
);
const key = keyOfInputs();
if (lastKey() !== key) await generate();

function keyOfInputs(): string {
  return sha256(
    canonicalJson({ texts, script: readFileSync(fileURLToPath(import.meta.url), "utf8"), versions: versions() }),
  );
}

function versions(): Record<string, string> {
  const packages = ["ajv", "esbuild"];
  return Object.fromEntries(
    packages.map((name) => {
      const about = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as {
        version: string;
      };
      return [name, about.version];
    }),
  );
}

function lastKey(): string | undefined {
  try {
    return /^\/\/ key (\S+)$/m.exec(readFileSync(join(folder, "validators.js"), "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** Ahead of time, as ajv takes 100 ms to compile them, and `check` has 160 ms in all. */
/** Descriptions are for people; the validators would carry them along, a third of their size. A property of that name stays. */
function withoutProse(key: string, value: unknown): unknown {
  return key === "description" && typeof value === "string" ? undefined : value;
}

async function generate(): Promise<void> {
  // Loaded only when there is work: the usual run ends within the start of Node.
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const { default: standalone } = await import("ajv/dist/standalone/index.js");
  const { build } = await import("esbuild");
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: true,
    // A discriminator demands its property beside the branches that define it.
    strictRequired: false,
    allErrors: true,
    // The error layer takes its words from the schema beside the failing keyword.
    verbose: true,
    discriminator: true,
    // $data lets a document choose a pattern (CVE-2025-69873).
    $data: false,
    code: { source: true, esm: true },
  });
  ajv.addVocabulary(["x-unit", "x-form", "x-multiline"]);
  const ids: Record<string, string> = {};
  for (const [name, file] of Object.entries(SCHEMAS)) {
    ajv.addSchema(JSON.parse(texts[file] as string, withoutProse) as object, file);
    ids[name] = file;
  }
  const code = (standalone as unknown as { default: (ajv: object, ids: Record<string, string>) => string }).default(
    ajv,
    ids,
  );
  const bundled = await build({
    stdin: { contents: code, resolveDir: root, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    metafile: true,
    charset: "utf8",
    legalComments: "none",
    minify: true,
  });
  const output = bundled.outputFiles[0]?.text ?? "";
  const left = Object.values(bundled.metafile.outputs).flatMap((each) => each.imports.map((one) => one.path));
  if (left.length > 0) throw new Error(`the bundle still imports ${left.join(", ")}`);
  mkdirSync(folder, { recursive: true });
  write("validators.d.ts", declarations(Object.keys(SCHEMAS)));
  write("validators.js", `// Made by scripts/generate-validators.ts; not for editing.\n// key ${key}\n${output}`);
}

function declarations(names: readonly string[]): string {
  const type = `{ (data: unknown): boolean; errors?: readonly import("../schema-issues.ts").SchemaError[] | null }`;
  return `// Made by scripts/generate-validators.ts; not for editing.\n${names.map((name) => `export declare const ${name}: ${type};\n`).join("")}`;
}

function write(name: string, text: string): void {
  const aside = join(folder, `.${name}.${process.pid}`);
  writeFileSync(aside, text);
  renameSync(aside, join(folder, name));
}
