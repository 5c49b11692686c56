/** What a bundle tells of its own making: both SBOMs, and the provenance over all of it. */

import { sha256 } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import { cycloneDxPath, provenancePath, spdxPath } from "../pack/layout.ts";
import { softwareList } from "./components.ts";
import { cycloneDx } from "./cyclonedx.ts";
import type { BuilderId } from "./provenance.ts";
import { provenance } from "./provenance.ts";
import { spdx } from "./spdx.ts";
import type { Documents } from "./texts.ts";

/** The three files; `files` are all others of the bundle but the seal's. */
export function softwareFiles(files: readonly File[], documents: Documents, builder: BuilderId): readonly File[] {
  const list = softwareList(files, documents);
  // Canonical, so that the order in which somebody wrote the keys of a document plays no part.
  const contentDigest = sha256(canonicalJson(list as unknown as Json));
  const sboms = [
    textFile(cycloneDxPath, cycloneDx(list, contentDigest), { role: "evidence", source: "evidence/cyclonedx" }),
    textFile(spdxPath, spdx(list, contentDigest), { role: "evidence", source: "evidence/spdx" }),
  ];
  const statement = provenance([...files, ...sboms], documents, builder);
  return [...sboms, textFile(provenancePath, statement, { role: "evidence", source: "evidence/provenance" })];
}
