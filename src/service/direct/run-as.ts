/** The user that install.sh runs as, where the service is root. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { RunAs } from "./run-folder.ts";

/** Throws an EnvironmentError where there is none, or the service may not become somebody else. */
export async function userOf(name: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) throw new EnvironmentError("only root can run programs as another user", { hint: "leave out --run-as: install.sh then runs as the service's own user" });
  const ask = async (what: string): Promise<number> => Number((await promisify(execFile)("id", [what, "--", name])).stdout.trim());
  try {
    const [uid, gid] = [await ask("-u"), await ask("-g")];
    if (uid === 0) throw new Error("it is root");
    return { uid, gid };
  } catch {
    throw new EnvironmentError(`there is no user ${name} without root's rights`, { hint: "make one: useradd --system --shell /usr/sbin/nologin NAME" });
  }
}
