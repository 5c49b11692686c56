/** Where an S3-compatible object store is, and as whom it is asked. */

import { readFileSync, statSync } from "node:fs";
import { EnvironmentError } from "../core/environment-error.ts";

export interface ObjectAddress {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** Undefined is Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly credentials: ObjectCredentials;
}

export interface ObjectCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export type ReadObjects = { readonly ok: true; readonly address: ObjectAddress } | { readonly ok: false; readonly wrong: string };

/** `s3://BUCKET/PREFIX`. Credentials are those of AWS_*, in the environment or in lines of `file`; nobody else is asked for any. */
export function readObjectAddress(text: string, { endpoint, environment, file }: { readonly endpoint: string | undefined; readonly environment: Environment; readonly file: string | undefined }): ReadObjects {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined || !/^([A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*)?\/?$/.test(prefix)) return { ok: false, wrong: `--objects takes s3://BUCKET or s3://BUCKET/PREFIX, not ${text}` };
  const url = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (endpoint !== undefined && (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "" || url.search !== "")) return { ok: false, wrong: "--objects-endpoint takes https://HOST:PORT or http://HOST:PORT" };
  const given = file === undefined ? environment : linesOf(file);
  const accessKeyId = given["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = given["AWS_SECRET_ACCESS_KEY"] ?? "";
  const sessionToken = given["AWS_SESSION_TOKEN"] ?? "";
  if (accessKeyId === "" || secretAccessKey === "") {
    return { ok: false, wrong: `${file === undefined ? "the environment" : file} has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; they are given there, or in lines of --objects-credentials FILE` };
  }
  const region = given["AWS_REGION"] ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  return { ok: true, address: { bucket, prefix: prefix.replace(/\/$/, ""), endpoint, region, credentials: { accessKeyId, secretAccessKey, ...(sessionToken === "" ? {} : { sessionToken }) } } };
}

/** For messages. */
export function shownObjects({ bucket, prefix }: ObjectAddress): string {
  return `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
}

/** The text of a file with a secret in it. Throws an EnvironmentError where others may read it. */
export function secretFile(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw new EnvironmentError(`${path} may be read by others`, { hint: `if nobody has: chmod 600 ${path}; else change what is in it` });
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    throw new EnvironmentError(`${path} can't be read: ${(error as Error).message}`, { cause: error });
  }
}

/** As systemd's EnvironmentFile and env_file of containers have them. */
function linesOf(path: string): Environment {
  return Object.fromEntries(
    secretFile(path).split("\n").flatMap((line) => {
      const [, name, value] = /^\s*(?:export\s+)?(AWS_[A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value.replace(/^"(.*)"$|^'(.*)'$/, "$1$2")]];
    }),
  );
}
