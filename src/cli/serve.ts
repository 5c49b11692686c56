/** `serve`: runs the service, backs its state up, and restores it. */

import { Option, type Command } from "commander";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import { readReach } from "../deliver/reach.ts";
import { givenSealingKeys } from "../service/direct/credentials-key.ts";
import type { LibvirtHost } from "../service/direct/libvirt-host.ts";
import { userOf } from "../service/direct/run-as.ts";
import type { OidcOptions } from "../service/oidc/open-oidc.ts";
import type { ScaledOut } from "../service/scaled/backing.ts";
import { readDatabaseAddress, shownAddress } from "../service/scaled/database-address.ts";
import { signerOr } from "../service/service-key.ts";
import type { Service, ServiceOptions } from "../service/service.ts";
import { pemSigner, type Signer } from "../seal/sign.ts";
import { commandSigner } from "../store/command-signer.ts";
import { readObjectAddress, secretFile, shownObjects } from "../store/object-address.ts";
import { sendThrough } from "../store/sources/http-send.ts";
import { absolute, load } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { showAside } from "./show-report.ts";

interface Options {
  readonly state?: string;
  readonly database?: string;
  readonly databaseFile?: string;
  readonly objects?: string;
  readonly objectsEndpoint?: string;
  readonly objectsCredentials?: string;
  readonly listen: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly key?: string;
  readonly signCommand?: string;
  readonly publicKey?: string;
  readonly builder?: string;
  readonly drain: string;
  readonly credentialsKey?: string;
  readonly credentialsKeyCommand?: string;
  readonly runAs?: string;
  readonly deliver?: string;
  readonly oidc?: string;
  readonly libvirt?: string;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Run the service: cloudlets, releases and bundles over HTTP. One folder holds all of its state; or, for several processes, PostgreSQL and a bucket do. The first start prints an invitation, with which somebody becomes the administrator: there is no default password. See docs/service.md.",
    )
    .argument("[action]", "run, backup or restore", "run")
    .argument("[file]", "the backup to write or to restore")
    .option("--state <folder>", "the folder that holds all state; made where it is missing")
    .option("--database <url>", "scaled out: postgres://USER@HOST:PORT/DATABASE; the password in PGPASSWORD or ~/.pgpass")
    .option("--database-file <file>", "the same, password and all, in a file that only its owner may read")
    .option("--objects <place>", "scaled out: s3://BUCKET/PREFIX, for what is downloaded; credentials in AWS_*")
    .option("--objects-endpoint <url>", "whose bucket it is; Amazon's when left out")
    .option("--objects-credentials <file>", "AWS_ACCESS_KEY_ID and the others as lines of a file that only its owner may read")
    .option("--listen <address>", "where to listen: ADDRESS:PORT, [ADDRESS]:PORT", "127.0.0.1:8080")
    .option("--tls-cert <file>", "the certificate chain (PEM); with it the service speaks HTTPS only")
    .option("--tls-key <file>", "the certificate's private key (PEM)")
    .addOption(new Option("--key <file>", "sign bundles with this ECDSA P-256 key (PEM); the state folder's own when left out").conflicts("signCommand"))
    .option("--sign-command <command>", "sign with an external command, as build does; needs --public-key")
    .option("--public-key <file>", "the public half (PEM) of the key that --sign-command uses")
    .option("--builder <uri>", "whom provenance names as the builder; whom build names when left out, so that both make the same bytes")
    .option("--drain <seconds>", "how long a download may go on when the service is asked to stop", "10")
    .addOption(new Option("--credentials-key <file>", "seal kept credentials with the keys in this file; the state folder's own when left out").conflicts("credentialsKeyCommand"))
    .option("--credentials-key-command <command>", "the same with what an external command prints")
    .option("--run-as <user>", "run install.sh as this user, where the service is root")
    .option("--deliver <where>", "let people have bundles brought to hosts over SSH: any, or the addresses and networks that may be called, ADDRESS[/BITS],…; not at all when left out")
    .option("--oidc <file>", "take the tokens of these OpenID Connect providers, too (YAML or JSON; docs/service.md)")
    .option("--libvirt <file>", "let this machine be the KVM host of the libvirt cloudlets that the file names; of none when left out")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle serve --state /var/lib/cloudlet-bundle
  cloudlet-bundle serve --state /var/lib/cloudlet-bundle --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem
  cloudlet-bundle serve backup state.backup --state /var/lib/cloudlet-bundle
  cloudlet-bundle serve restore state.backup --state /var/lib/cloudlet-bundle
  cloudlet-bundle serve --database postgres://bundles@db.example.com/bundles --objects s3://bundles --objects-endpoint https://s3.example.com --key signing-key.pem

SIGTERM and SIGINT stop it: it listens no more, downloads come to their end, and a bundle that is being made goes back into the queue.
What it does is logged to standard error, a line of JSON each; what it says to you is on standard output.`,
    )
    .action(async (action: string, file: string | undefined, options: Options) => done(await serve(action, file, options, io)));
}

async function serve(action: string, file: string | undefined, options: Options, io: Io): Promise<ExitStatus> {
  const isScaled = scaledOptions.some((name) => options[name] !== undefined);
  if (isScaled && (action === "backup" || action === "restore")) {
    io.err(`cloudlet-bundle serve: ${action} is of a state folder. Of PostgreSQL pg_dump makes a backup, and pg_restore puts it back; the bucket's own versions or a copy of it are the other half. See docs/service.md.\n`);
    return 2;
  }
  if (action === "run" && file === undefined) return run(options, io);
  if (options.state === undefined) {
    io.err("cloudlet-bundle serve: give --state FOLDER\n");
    return 2;
  }
  const folder = absolute(io, options.state);
  if ((action !== "backup" && action !== "restore") || file === undefined) {
    io.err("cloudlet-bundle serve: there is `serve --state FOLDER`, `serve backup FILE --state FOLDER` and `serve restore FILE --state FOLDER`\n");
    return 2;
  }
  const { backUp, restore } = await import("../service/state/backup.ts");
  const path = absolute(io, file);
  if (action === "backup") io.out(`backup   ${path}\nof       ${folder}, form ${await backUp(folder, path)}\n`);
  else io.out(`restored ${folder}, form ${await restore(folder, path)}\n`);
  return 0;
}

/** What only a service that is scaled out takes. */
const scaledOptions = ["database", "databaseFile", "objects", "objectsEndpoint", "objectsCredentials"] as const;

async function run(options: Options, io: Io): Promise<ExitStatus> {
  const wrong = usage(options);
  const at = addressIn(options.listen);
  const drainMs = Number(options.drain) * 1_000;
  if (wrong !== undefined || at === undefined || !(drainMs >= 0)) {
    io.err(`cloudlet-bundle serve: ${wrong ?? (at === undefined ? `--listen takes ADDRESS:PORT, not ${options.listen}` : `--drain takes seconds, not ${options.drain}`)}\n`);
    return 2;
  }
  const place = placeOf(options, io);
  if (typeof place === "string") {
    io.err(`cloudlet-bundle serve: ${place}\n`);
    return 2;
  }
  const oidc = await oidcOf(options, io);
  if (oidc === "wrong") return 1;
  const libvirt = await hostOf(options, io);
  if (libvirt === "not valid") return 1;
  const { openService } = await import("../service/service.ts");
  const tls = options.tlsCert === undefined ? undefined : { cert: await readFile(absolute(io, options.tlsCert)), key: await readFile(absolute(io, options.tlsKey ?? "")) };
  const signer = await signerOf(options, io);
  const service = await openService({
    ...place.state, packageFolder: io.packageFolder, now: io.now, random: io.random, writeLog: io.err, builder: options.builder, tls,
    ...(signer === undefined ? {} : { signer }),
    installer: { ...(await installerOf(options, io)), libvirt }, oidc,
    deliverer: options.deliver === undefined ? undefined : { reach: readReach(options.deliver) ?? [] },
  });
  try {
    await listen(service, at);
    tell(service, place.shown, tls !== undefined, io);
    await asked(io.signal);
  } finally {
    await service.close(drainMs);
  }
  service.context.log("info", "stopped");
  return 0;
}

function usage(options: Options): string | undefined {
  const { tlsCert, tlsKey, key, signCommand, publicKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) return "--tls-cert and --tls-key go together";
  if ((signCommand === undefined) !== (publicKey === undefined)) return "--sign-command and --public-key go together";
  if (options.deliver !== undefined && readReach(options.deliver) === undefined) return `--deliver takes any, or addresses and networks as 10.20.0.0/16,2001:db8::5, not ${options.deliver}`;
  const scaled = scaledOptions.some((name) => options[name] !== undefined);
  if (scaled && options.deliver !== undefined) return "scaled out, nothing is delivered: that needs a service with a folder (--state)";
  if (!scaled) return options.state === undefined ? "give --state FOLDER; or, scaled out, --database and --objects" : undefined;
  if (options.libvirt !== undefined) return "--libvirt goes with --state: scaled out, the service installs nothing by itself";
  if (options.state !== undefined) return "--state is a service in one folder, --database and --objects are one that is scaled out: give the one or the other";
  if (options.database !== undefined && options.databaseFile !== undefined) return "--database and --database-file are two ways to say one thing: give one";
  if ((options.database ?? options.databaseFile) === undefined || options.objects === undefined) return "scaled out, the service needs both --database and --objects";
  if (key === undefined && signCommand === undefined) return "scaled out, every process signs with the same key: give --key, or --sign-command with --public-key";
  return undefined;
}

interface StatePlace {
  readonly state: { readonly folder: string } | { readonly scaledOut: ScaledOut };
  readonly shown: string;
}

/** A text says what is wrong with the options. */
function placeOf(options: Options, io: Io): StatePlace | string {
  if (options.state !== undefined) {
    const folder = absolute(io, options.state);
    return { state: { folder }, shown: folder };
  }
  const { environment } = io;
  const file = options.databaseFile;
  const text = file === undefined ? (options.database ?? "") : secretFile(absolute(io, file)).trim();
  const database = readDatabaseAddress(text, { isSecret: file !== undefined, password: environment["PGPASSWORD"] });
  if (!database.ok) return database.wrong;
  const credentials = options.objectsCredentials;
  const objects = readObjectAddress(options.objects ?? "", { endpoint: options.objectsEndpoint, environment, file: credentials === undefined ? undefined : absolute(io, credentials) });
  if (!objects.ok) return objects.wrong;
  return { state: { scaledOut: { database: database.address, objects: objects.address } }, shown: `${shownAddress(database.address)}, ${shownObjects(objects.address)}` };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function addressIn(text: string): Address | undefined {
  const [, six, four, digits] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = six ?? four;
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Undefined is the service's own key. */
async function signerOf({ key, signCommand, publicKey }: Options, io: Io): Promise<Signer | undefined> {
  if (key !== undefined) return signerOr(pemSigner(await readFile(absolute(io, key), "utf8")), key);
  if (signCommand === undefined || publicKey === undefined) return undefined;
  const publicKeyPem = await readFile(absolute(io, publicKey), "utf8");
  return signerOr(commandSigner({ command: signCommand, publicKeyPem, environment: io.environment, signal: io.signal }), publicKey);
}

async function installerOf({ credentialsKey, credentialsKeyCommand, runAs }: Options, io: Io): Promise<NonNullable<ServiceOptions["installer"]>> {
  const keys = await givenSealingKeys({ file: credentialsKey === undefined ? undefined : absolute(io, credentialsKey), command: credentialsKeyCommand, environment: io.environment });
  return { clients: io.environment["PATH"], runAs: runAs === undefined ? undefined : await userOf(runAs), ...(keys === undefined ? {} : { sealingKeys: keys }) };
}

/** "wrong" where the document has mistakes, which were shown then. */
async function oidcOf({ oidc: path }: Options, io: Io): Promise<OidcOptions | undefined | "wrong"> {
  if (path === undefined) return undefined;
  const { readOidcConfig } = await import("../service/oidc/read-config.ts");
  const { value, report } = await load(io, path, readOidcConfig);
  showAside(io, [report]);
  if (value === undefined) return "wrong";
  const folder = path === "-" ? io.workingFolder : dirname(absolute(io, path));
  const issuers = value.issuers.map((each) => (each.keysFile === undefined ? each : { ...each, keysFile: resolve(folder, each.keysFile) }));
  return { config: { issuers }, send: sendThrough(io.environment) };
}

/** What the file says that this machine gives; its mistakes are shown. */
async function hostOf({ libvirt }: Options, io: Io): Promise<LibvirtHost | undefined | "not valid"> {
  if (libvirt === undefined) return undefined;
  const { readLibvirtHost } = await import("../service/direct/libvirt-host.ts");
  const { value, report } = await load(io, libvirt, readLibvirtHost);
  showAside(io, [report]);
  if (value === undefined) return "not valid";
  if (process.getuid?.() !== 0) throw new EnvironmentError("only root installs on a KVM host: libvirt lets nobody else read what a VM says", { hint: "start the service as root on that host, or leave out --libvirt" });
  return value;
}

async function listen({ app }: Service, { host, port }: Address): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hints: Readonly<Record<string, string>> = {
      EADDRINUSE: "something listens there already: stop it, or give another --listen",
      EACCES: "ports below 1024 are the system's: give a higher one, or let systemd hand the right down (AmbientCapabilities=CAP_NET_BIND_SERVICE)",
      EADDRNOTAVAIL: "this machine has no such address",
      ENOTFOUND: "there is no such name; an address is safer",
    };
    if (code === undefined || hints[code] === undefined) throw error;
    throw new EnvironmentError(`the service can't listen at ${host}:${port}: ${message}`, { hint: hints[code] ?? "" });
  }
}

function tell({ app, context, invitation }: Service, place: string, isTls: boolean, io: Io): void {
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new Error("the service listens at no address");
  const host = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  const origin = `${isTls ? "https" : "http"}://${host}:${bound.port}`;
  io.out(`listening    ${origin}/v1\nconsole      ${origin}/\nstate        ${place}\nfingerprint  ${context.signer.fingerprint}\n`);
  context.log("info", "listening", { address: host, port: bound.port, tls: isTls, version: context.version, fingerprint: context.signer.fingerprint });
  if (invitation !== undefined) io.out(`\nThere is no administrator yet. Who has this invitation becomes one, within 24 hours (docs/service.md):\n\n  ${invitation}\n\n`);
}

function asked(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
