/** The bundle gets to the host, if it is not there already, and is verified there by its own verify.sh. */

import type { LastingLine } from "./lasting-line.ts";
import { unpackAndVerify, verifyThere, type RemoteVerdict } from "./remote-bundle.ts";
import { runVerbWell, type RemoteFolder } from "./remote-shell.ts";
import { refuseFullHost, type Survey } from "./survey.ts";
import type { TarSource } from "./tar-source.ts";
import { upload, type UploadWatch } from "./upload.ts";

export interface Bringing {
  readonly lasting: LastingLine;
  readonly remote: RemoteFolder;
  /** What is there. */
  readonly there: Survey;
  readonly source: TarSource;
  /** SHA-256 of the whole tar, hexadecimal. */
  readonly digest: string;
  /** Of this push, so that the host tells its lines from another's. */
  readonly id: string;
  /** A fingerprint, or none. */
  readonly trust: string;
}

export interface BringWatch extends UploadWatch {
  /** All of it is there. `kept`: bytes that were there before; undefined where the bundle was unpacked there already, and nothing was sent. */
  readonly arrived: (kept: number | undefined) => void;
}

/** Throws where the host has no room, or gives none. */
export async function bringBundle({ lasting, remote, there, source, digest, id, trust }: Bringing, watch: BringWatch): Promise<RemoteVerdict> {
  if (there.unpacked === digest) {
    watch.arrived(undefined);
    return verifyThere(lasting, remote, { id, trust });
  }
  refuseFullHost(there, source.size);
  await lasting.use((line) => runVerbWell(line, remote, "prepare"));
  const { kept } = await upload(lasting, remote, { source, id }, watch);
  watch.arrived(kept);
  return unpackAndVerify(lasting, remote, { id, digest, trust });
}
