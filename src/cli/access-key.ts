/** `access-key`: makes the one-time access key of a CRM, where the controller did not hand one out. */

import type { Command } from "commander";
import { accessKey } from "../seal/access-key.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options {
  readonly out: string;
  readonly secrets?: string;
  readonly secondary?: true;
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Make the access key with which a CRM first meets its controller: Ed25519, private half PKCS#8 PEM, public half PKIX PEM. It is good for one use; the controller must be told the public half.",
    )
    .option("--out <file>", "the private key's file; the public one gets .pub.pem", "accesskey.pem")
    .option("--secrets <file>", "also write a secrets file for install.sh that holds the private key (refused where it exists)")
    .option("--secondary", "for high availability: make a second key for the second PlatformVM; its files end in -secondary")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle access-key --out berlin-1.pem --secrets berlin-1.secrets\n  cloudlet-bundle access-key --secondary --out berlin-1.pem --secrets berlin-1.secrets")
    .action(async (options: Options) => done(await makeAccessKey(options, io)));
}

async function makeAccessKey(options: Options, io: Io): Promise<ExitStatus> {
  const keys = [await writeKey("ACCESS_KEY", absolute(io, options.out), io)];
  if (options.secondary) keys.push(await writeKey("ACCESS_KEY_SECONDARY", absolute(io, secondaryPath(options.out)), io));
  const secrets = options.secrets === undefined ? undefined : absolute(io, options.secrets);
  if (secrets !== undefined) {
    const lines = keys.map(({ slot, pem }) => `${slot}=base64:${Buffer.from(pem).toString("base64")}\n`);
    await writeTextAside(secrets, lines.join(""), { mode: 0o600, exclusive: true });
  }
  if (options.json) {
    const [first, second] = keys.map(({ path, publicPath }) => ({ privateKey: path, publicKey: publicPath }));
    const result = { ...first, ...(second === undefined ? {} : { secondary: second }), ...(secrets === undefined ? {} : { secrets }) };
    io.out(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    for (const { path, publicPath } of keys) io.out(`private key  ${path}\npublic key   ${publicPath}\n`);
    if (secrets !== undefined) io.out(`secrets      ${secrets}\n`);
    io.err("Register each public half with the controller before the CRM starts; keep the private half out of mail and tickets.\n");
  }
  return 0;
}

async function writeKey(slot: string, path: string, io: Io): Promise<WrittenKey> {
  const publicPath = path.endsWith(".pem") ? path.replace(/\.pem$/, ".pub.pem") : `${path}.pub.pem`;
  const { privateKeyPem, publicKeyPem } = accessKey(io.random(32));
  await writeTextAside(path, privateKeyPem, { mode: 0o600, exclusive: true });
  await writeTextAside(publicPath, publicKeyPem, { mode: 0o644 });
  return { slot, path, publicPath, pem: privateKeyPem };
}

interface WrittenKey {
  /** Whose value it is in the secrets file. */
  readonly slot: string;
  readonly path: string;
  readonly publicPath: string;
  readonly pem: string;
}

function secondaryPath(path: string): string {
  return path.endsWith(".pem") ? path.replace(/\.pem$/, "-secondary.pem") : `${path}-secondary`;
}
