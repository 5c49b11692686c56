/** What a bundle tells of its own making: both SBOMs, and the provenance over all of it. */

import type { Digest } from "../core/digest.ts";
import { sha256 } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { sizeOf, textFile } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import { cycloneDxPath, provenancePath, spdxPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { softwareList } from "./components.ts";
import { cycloneDx } from "./cyclonedx.ts";
import { generator } from "./generator.ts";
import type { BuilderId } from "./provenance.ts";
import { provenance } from "./provenance.ts";
import { spdx } from "./spdx.ts";
import type { Documents } from "./texts.ts";

/** Of all that the list is made of: the files, the documents among them, and the program. */
function digestOf(files: readonly File[]): Digest {
  const lines = files.map(({ path, mode, role, body }) => `${bodySha256(body)} ${sizeOf(body)} ${mode.toString(8)} ${role} ${path}\n`);
  return sha256(programText + lines.sort(byCodeUnit).join(""));
}

const programText = canonicalJson(generator as unknown as Json);

/** The three files; `files` are all others of the bundle but the seal's. */
export function softwareFiles(files: readonly File[], documents: Documents, builder: BuilderId): readonly File[] {
  const list = softwareList(files, documents);
  const contentDigest = digestOf(files);
  const sboms = [
    textFile(cycloneDxPath, cycloneDx(list, contentDigest), { role: "evidence", source: "evidence/cyclonedx" }),
    textFile(spdxPath, spdx(list, contentDigest), { role: "evidence", source: "evidence/spdx" }),
  ];
  const statement = provenance([...files, ...sboms], documents, builder);
  return [...sboms, textFile(provenancePath, statement, { role: "evidence", source: "evidence/provenance" })];
}
