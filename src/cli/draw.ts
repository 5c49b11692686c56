/** Spec and resolved release to the tree of a bundle. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../core/assets.ts";
import { compose } from "../evidence/compose.ts";
import { secretsTemplatePath } from "../pack/layout.ts";
import { pack, type Tree } from "../pack/tree.ts";
import { platforms } from "../platforms/registry.ts";
import { readSpec, type SpecDocument } from "../spec/read-spec.ts";
import { load } from "./documents.ts";
import type { Resolved } from "./inputs.ts";
import type { Io } from "./io.ts";
import { version } from "./version.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface Drawn {
  /** Everything but what the seal adds. */
  readonly tree: Tree;
  /** `<cloudlet>-<organization>-<release>.cloudlet.tar` */
  readonly fileName: string;
  /** The lines of a secrets file, to be filled in. */
  readonly secretsTemplate: Uint8Array;
}

/** Reads the spec and draws its bundle; `drawn` is undefined where an issue stands in the way. */
export async function drawBundle(
  io: Io,
  specPath: string,
  resolved: Resolved,
): Promise<{ readonly drawn: Drawn | undefined; readonly reports: readonly ReportedDocument[] }> {
  const spec = await load(io, specPath, (text) => readSpec(text, { platforms: platforms.map((platform) => platform.name) }));
  if (spec.value === undefined) return { drawn: undefined, reports: [spec.report] };
  const composed = compose({ spec: spec.value, release: resolved.release, lock: resolved }, assetsOf(io.packageFolder));
  const report = { ...spec.report, issues: [...spec.report.issues, ...composed.issues] };
  if (!composed.ok) return { drawn: undefined, reports: [report] };
  const tree = pack(composed.value.files, {
    cloudlet: { name: spec.value.spec.name, organization: spec.value.spec.organization, region: spec.value.spec.region },
    platform: spec.value.spec.platform.type,
    release: { name: resolved.release.release.name, sequence: resolved.release.release.sequence, created: resolved.release.release.created },
    spec: { digest: spec.value.digest },
    lock: { digest: resolved.digest },
    generator: { name: "cloudlet-bundle", version: version(io) },
  });
  return { drawn: { tree, fileName: fileNameOf(spec.value, resolved.release.release.name), secretsTemplate: bytesOf(tree, secretsTemplatePath) }, reports: [report] };
}

/** Every text of `templates/`, by its path below it. */
export function assetsOf(packageFolder: string): Assets {
  const folder = join(packageFolder, "templates");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

/** Names may hold spaces and `& , !`; in a file's name they would need quoting everywhere. */
function fileNameOf({ spec }: SpecDocument, release: string): string {
  const plain = (name: string): string => name.replace(/[^0-9A-Za-z._-]+/g, "_");
  return `${plain(spec.name)}-${plain(spec.organization)}-${release}.cloudlet.tar`;
}

function bytesOf(tree: Tree, path: string): Uint8Array {
  const body = tree.files.find((file) => file.path === path)?.body;
  if (body?.kind !== "bytes") throw new Error(`the bundle has no ${path}`);
  return body.bytes;
}
