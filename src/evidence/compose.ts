/** Spec, release and lock to all files of a bundle: the texts, and the blobs by digest. */

import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { payloadPath, vmImagePath } from "../pack/layout.ts";
import { payloadBody, payloadEntries } from "../pack/payload.ts";
import { archiveSize } from "../pack/stream.ts";
import type { Platform } from "../platforms/platform.ts";
import { platformNamed } from "../platforms/registry.ts";
import type { Lock } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { BuilderId } from "./provenance.ts";
import { commandLineBuilder } from "./provenance.ts";
import { softwareFiles } from "./software.ts";
import type { Composition, Documents } from "./texts.ts";
import { composeTexts } from "./texts.ts";

/** Everything but what the seal adds; `builder` is who is said to have run the program. Issues: those of `composeTexts`. */
export function compose(documents: Documents, assets: Assets, builder: BuilderId = commandLineBuilder): Outcome<Composition> {
  const texts = composeTexts(documents, assets);
  if (!texts.ok) return texts;
  const { files, plan } = texts.value;
  const { release } = documents.release;
  const { lock } = documents.lock;
  const size = archiveSize(payloadEntries(release, lock.containers));
  if (size !== lock.payload.size) {
    const message = `the lock does not answer this release: its containers come to ${size} bytes, its payload has ${lock.payload.size}`;
    const hint = "Make the lock again with `cloudlet-bundle lock`.";
    return { ok: false, issues: [...texts.issues, { code: "plan/lock-differs", severity: "error", pointer: "", message, hint }] };
  }
  const all = [...files, ...blobs(release, lock, platformNamed(documents.spec.spec.platform.type))];
  return { ...texts, value: { plan, files: [...all, ...softwareFiles(all, documents, builder)] } };
}

/** A platform whose VMs are there already needs no image of one. */
function blobs(release: Release, lock: Lock, { usesVmImage }: Platform): readonly File[] {
  const { digest, size, format } = lock.vmImage;
  const plain = { mode: 0o644, spans: [] } as const;
  const vmImage: File = { ...plain, path: vmImagePath(format), role: "vm-image", body: { kind: "blob", digest, size }, source: "release:/vmImage" };
  return [
    ...(usesVmImage ? [vmImage] : []),
    { ...plain, path: payloadPath, role: "payload", body: payloadBody(lock, release), source: "release:/containers" },
  ];
}
