/** `access-key`: makes the one-time access key of a CRM, where the controller did not hand one out. */

import type { Command } from "commander";
import { accessKey } from "../seal/access-key.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options {
  readonly out: string;
  readonly secrets?: string;
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Make the access key with which a CRM first meets its controller: Ed25519, private half PKCS#8 PEM, public half PKIX PEM. It is good for one use; the controller must be told the public half.",
    )
    .option("--out <file>", "the private key's file; the public one gets .pub.pem", "accesskey.pem")
    .option("--secrets <file>", "also write a secrets file for install.sh that holds the private key (refused where it exists)")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle access-key --out berlin-1.pem --secrets berlin-1.secrets")
    .action(async (options: Options) => done(await makeAccessKey(options, io)));
}

async function makeAccessKey(options: Options, io: Io): Promise<ExitStatus> {
  const path = absolute(io, options.out);
  const publicPath = path.endsWith(".pem") ? path.replace(/\.pem$/, ".pub.pem") : `${path}.pub.pem`;
  const { privateKeyPem, publicKeyPem } = accessKey(io.random(32));
  await writeTextAside(path, privateKeyPem, { mode: 0o600, exclusive: true });
  await writeTextAside(publicPath, publicKeyPem, { mode: 0o644 });
  const secrets = options.secrets === undefined ? undefined : absolute(io, options.secrets);
  if (secrets !== undefined) {
    const line = `ACCESS_KEY=base64:${Buffer.from(privateKeyPem).toString("base64")}\n`;
    await writeTextAside(secrets, line, { mode: 0o600, exclusive: true });
  }
  if (options.json) {
    io.out(`${JSON.stringify({ privateKey: path, publicKey: publicPath, ...(secrets === undefined ? {} : { secrets }) }, null, 2)}\n`);
  } else {
    io.out(`private key  ${path}\npublic key   ${publicPath}\n${secrets === undefined ? "" : `secrets      ${secrets}\n`}`);
    io.err("Register the public half with the controller before the CRM starts; keep the private half out of mail and tickets.\n");
  }
  return 0;
}
