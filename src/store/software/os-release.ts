/** Which distribution it is: os-release(5), ID and VERSION_ID. */

import type { LockedSoftware } from "../../spec/lock.ts";

/** In this order: the first that is there counts. */
export const osReleasePaths = ["etc/os-release", "usr/lib/os-release"] as const;

/** Undefined where it has no ID that a lock could hold. */
export function systemOf(osRelease: Uint8Array): LockedSoftware["system"] {
  const text = new TextDecoder().decode(osRelease);
  const value = (name: string): string | undefined => new RegExp(`^${name}=["']?([0-9A-Za-z._-]{1,64})["']?\\s*$`, "m").exec(text)?.[1];
  const id = value("ID");
  const version = value("VERSION_ID");
  return id === undefined ? undefined : { id, ...(version === undefined ? {} : { version }) };
}
