/** What a bundle tells of its own making: the SBOMs, what the audit rules find, the report, and the provenance over all of it. */

import type { Digest } from "../core/digest.ts";
import { sha256 } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { sizeOf, textFile } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import type { Json } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import { auditPath, cycloneDxPath, provenancePath, spdxPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { audit, auditIssues } from "./audit/audit.ts";
import { auditText } from "./audit/audit-file.ts";
import { inputOfFiles } from "./audit/input.ts";
import { softwareList } from "./components.ts";
import { cycloneDx } from "./cyclonedx.ts";
import { generator } from "./generator.ts";
import type { BuilderId } from "./provenance.ts";
import { provenance } from "./provenance.ts";
import { reportFiles } from "./report/report-files.ts";
import { spdx } from "./spdx.ts";
import type { Documents } from "./texts.ts";

/** Of all that the list is made of: the files, the documents among them, and the program. */
function digestOf(files: readonly File[]): Digest {
  const lines = files.map(({ path, mode, role, body }) => `${bodySha256(body)} ${sizeOf(body)} ${mode.toString(8)} ${role} ${path}\n`);
  return sha256(programText + lines.sort(byCodeUnit).join(""));
}

const programText = canonicalJson(generator as unknown as Json);

/** The six files; `files` are all others of the bundle but the seal's. Issues: `audit/…`. */
export function softwareFiles(files: readonly File[], documents: Documents, builder: BuilderId): Outcome<readonly File[]> {
  const list = softwareList(files, documents);
  const contentDigest = digestOf(files);
  const sboms = [
    textFile(cycloneDxPath, cycloneDx(list, contentDigest), { role: "evidence", source: "evidence/cyclonedx" }),
    textFile(spdxPath, spdx(list, contentDigest), { role: "evidence", source: "evidence/spdx" }),
  ];
  const { spec, release, lock } = documents;
  const input = inputOfFiles([...files, ...sboms], { spec: spec.spec, release: release.release, lock: lock.lock });
  const results = audit(input);
  const audited = textFile(auditPath, auditText(input, results), { role: "evidence", source: "evidence/audit" });
  const made = [...sboms, audited, ...reportFiles(input, results)];
  return outcome(auditIssues(input, results), () => [
    ...made,
    textFile(provenancePath, provenance([...files, ...made], documents, builder), { role: "evidence", source: "evidence/provenance" }),
  ]);
}
