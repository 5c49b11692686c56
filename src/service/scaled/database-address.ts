/** Where the database is: `postgres://USER@HOST:PORT/DATABASE`, with the password from elsewhere. */

import { readFileSync } from "node:fs";
import { EnvironmentError } from "../../core/environment-error.ts";

export interface DatabaseAddress {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Undefined is what ~/.pgpass says, or none. */
  readonly password: string | undefined;
  readonly database: string;
  /** Undefined is none. */
  readonly tls: { readonly verify: boolean; readonly ca?: string } | undefined;
}

export type ReadAddress = { readonly ok: true; readonly address: DatabaseAddress } | { readonly ok: false; readonly wrong: string };

const form = "postgres://USER@HOST:PORT/DATABASE";
const parameters: ReadonlySet<string> = new Set(["host", "sslmode", "sslrootcert"]);

/** `isSecret` where the text comes out of a file that only its owner may read: it may hold the password then. */
export function readDatabaseAddress(text: string, { isSecret, password }: { readonly isSecret: boolean; readonly password: string | undefined }): ReadAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What can't be read may be a password: it is not shown.
  if (url === undefined || (url.protocol !== "postgres:" && url.protocol !== "postgresql:")) return wrong(`the database is given as ${form}`);
  if (url.password !== "" && !isSecret) return wrong("a password in --database can be seen by everyone on this machine: give it in PGPASSWORD, in ~/.pgpass, or the whole address in a file, --database-file");
  const unknown = [...url.searchParams.keys()].find((key) => !parameters.has(key));
  if (unknown !== undefined) return wrong(`the database's address may have host, sslmode and sslrootcert, not ${unknown}`);
  const user = decoded(url.username);
  const database = decoded(url.pathname.slice(1));
  const host = url.searchParams.get("host") ?? decoded(url.hostname.replace(/^\[(.*)\]$/, "$1"));
  if (user === undefined || user === "" || database === undefined || database === "" || database.includes("/") || host === undefined || host === "") return wrong(`the database is given as ${form}: user, host and database are all needed`);
  const tls = tlsOf(url.searchParams.get("sslmode"), url.searchParams.get("sslrootcert"), host);
  if (typeof tls === "string") return wrong(tls);
  const own = url.password === "" ? password : decoded(url.password);
  return { ok: true, address: { host, port: url.port === "" ? 5_432 : Number(url.port), user, password: own, database, tls: tls.tls } };
}

function wrong(text: string): ReadAddress {
  return { ok: false, wrong: text };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Over a network the certificate is checked unless somebody says otherwise; libpq would take any, or none. */
function tlsOf(mode: string | null, rootCertificate: string | null, host: string): string | { readonly tls: DatabaseAddress["tls"] } {
  const isHere = host.startsWith("/") || host === "localhost" || host === "::1" || host.startsWith("127.");
  switch (mode ?? (isHere ? "disable" : "verify-full")) {
    case "disable":
      return { tls: undefined };
    case "require":
      return { tls: { verify: false } };
    case "verify-full":
      return { tls: { verify: true, ...(rootCertificate === null ? {} : { ca: certificate(rootCertificate) }) } };
    default:
      return `sslmode is disable, require or verify-full, not ${mode ?? ""}`;
  }
}

function certificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new EnvironmentError(`sslrootcert can't be read: ${(error as Error).message}`, { cause: error });
  }
}

/** For messages: never the password. */
export function shownAddress({ host, port, user, database }: DatabaseAddress): string {
  return `postgres://${user}@${host.includes(":") ? `[${host}]` : host.startsWith("/") ? "" : host}:${port}/${database}${host.startsWith("/") ? `?host=${host}` : ""}`;
}
