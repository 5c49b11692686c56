/** The line of a push as the command line wants it: transport, jump hosts, host keys, logins. */

import { join } from "node:path";
import { secretIn, type Credentials, type KeyFile } from "../deliver/authentication.ts";
import { hostKeys, readKnownHosts } from "../deliver/host-keys.ts";
import type { Line } from "../deliver/line.ts";
import type { Target } from "../deliver/target.ts";
import { secretAsker } from "./ask-secret.ts";
import type { Io } from "./io.ts";
import type { PushRequest } from "./push-request.ts";

const usualKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];

export async function openerOf(request: PushRequest, io: Io): Promise<() => Promise<Line>> {
  const hops = [...request.jumps, request.target];
  const { signal } = io;
  if (request.transport === "openssh") {
    const { openOpensshLine } = await import("../deliver/openssh-line.ts");
    return () => openOpensshLine({ hops, knownHosts: request.knownHosts, identities: request.identities, environment: io.environment, signal });
  }
  const credentials = await credentialsOf(request, io);
  const keys = hostKeys(await readKnownHosts(request.knownHosts, io.environment["HOME"]), request.pins);
  const { openSsh2Line } = await import("../deliver/ssh2-line.ts");
  return () => openSsh2Line({ hops, hostKeys: keys, credentials, signal });
}

async function credentialsOf(request: PushRequest, io: Io): Promise<(hop: Target) => Credentials> {
  const passphrase = request.passphraseFile === undefined ? {} : { passphrase: await secretIn(request.passphraseFile, "passphrase") };
  const password = request.passwordFile === undefined ? {} : { password: await secretIn(request.passwordFile, "password") };
  const agent = io.environment["SSH_AUTH_SOCK"];
  const shared = { keyFiles: keyFilesOf(request, io), ...passphrase, ask: secretAsker(io), ...(agent ? { agentSocket: agent } : {}) };
  // The password is the host's own: no jump host on the way gets to see it.
  return (hop) => (hop === request.target ? { ...shared, ...password } : shared);
}

function keyFilesOf(request: PushRequest, io: Io): readonly KeyFile[] {
  if (request.identities.length > 0) return request.identities.map((path) => ({ path, isNamed: true }));
  const home = io.environment["HOME"];
  return home === undefined ? [] : usualKeys.map((name) => ({ path: join(home, ".ssh", name), isNamed: false }));
}
