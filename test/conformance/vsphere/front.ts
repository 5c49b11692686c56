/**
 * A door before the simulator: TLS with a certificate of a CA of its own, so that verification is tried too; what is said
 * changed where the simulator can't be what a test needs (its vCenter is 6.5, its hosts have 4 GiB, it
 * knows no serial port); and what was asked, written down.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What stands in an answer, and what takes its place. */
export type Change = readonly [RegExp, string];

/** A vCenter and hosts of a version and size that the tests' bundles take. */
const usual: readonly Change[] = [
  [/<version>6\.5\.0<\/version>/g, "<version>7.0.3</version>"],
  [/<apiVersion>6\.5<\/apiVersion>/g, "<apiVersion>7.0</apiVersion>"],
  [/>4294430720</g, ">68719476736<"],
  [/(<name>summary\.config\.product\.version<\/name>(?:<op>\w+<\/op>)?<val[^>]*>)6\.5\.0/g, "$17.0.3"],
];

export class Front {
  readonly url: string;
  /** PEM of the CA. */
  readonly authority: string;
  /** Methods of the API that were called, in order. */
  readonly calls: string[] = [];
  changes: readonly Change[] = [];
  /** Bytes of a disk that pass in a second; unlimited by default. */
  diskBytesPerSecond = Infinity;
  readonly #server: Server;

  private constructor(server: Server, authority: string) {
    this.#server = server;
    this.authority = authority;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/sdk`;
  }

  /** In front of the simulator at `upstream`, with keys and certificates in `folder`. */
  static async open(upstream: string, folder: string): Promise<Front> {
    const certificate = certify(folder);
    let front: Front | undefined;
    const server = createServer({ key: readFileSync(certificate.key), cert: readFileSync(certificate.chain) }, (incoming, outgoing) => {
      pass(front as Front, upstream, incoming, outgoing).catch(() => outgoing.destroy());
    });
    // A client that takes an idle connection up again just as it is closed would see a reset.
    server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    front = new Front(server, certificate.authority);
    return front;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A CA, and a certificate of it for 127.0.0.1. */
function certify(folder: string): { readonly authority: string; readonly key: string; readonly chain: string } {
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  const openssl = (...words: readonly string[]): unknown => execFileSync("openssl", words, { stdio: "pipe" });
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=site CA", "-days", "2", "-keyout", file("ca.key"), "-out", file("ca.pem"));
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=vcenter", "-keyout", file("vc.key"), "-out", file("vc.csr"));
  writeFileSync(file("vc.ext"), "subjectAltName=IP:127.0.0.1\n");
  openssl("x509", "-req", "-in", file("vc.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", file("vc.ext"), "-out", file("vc.pem"));
  return { authority: file("ca.pem"), key: file("vc.key"), chain: file("vc.pem") };
}

async function pass(front: Front, upstream: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", upstream);
  const disk = url.pathname.startsWith("/nfc/");
  const body = disk ? undefined : simulable(await whole(incoming));
  const { host: _host, ...headers } = incoming.headers;
  if (body !== undefined && headers["content-length"] !== undefined) headers["content-length"] = String(body.length);
  const asked = request(url, { method: incoming.method ?? "GET", headers, rejectUnauthorized: false });
  const answered = new Promise<IncomingMessage>((resolve, reject) => asked.on("response", resolve).on("error", reject));
  // A client that is killed takes its request along; nobody may be waiting for the answer yet.
  answered.catch(() => undefined);
  outgoing.on("close", () => asked.destroy());
  if (body !== undefined) {
    const method = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body.toString("utf8"))?.[1];
    if (method !== undefined) front.calls.push(method);
    asked.write(body);
  } else {
    for await (const part of incoming as AsyncIterable<Buffer>) {
      asked.write(part);
      if (front.diskBytesPerSecond !== Infinity) await sleep((part.length / front.diskBytesPerSecond) * 1000);
    }
  }
  asked.end();
  const answer = await answered;
  const bytes = await whole(answer);
  const text = /xml/.test(answer.headers["content-type"] ?? "");
  const changed = text ? Buffer.from([...usual, ...front.changes].reduce((now, [what, to]) => now.replace(what, to), bytes.toString("utf8"))) : bytes;
  const { "content-length": _length, "transfer-encoding": _encoding, ...others } = answer.headers;
  outgoing.writeHead(answer.statusCode ?? 502, { ...others, "content-length": changed.length });
  outgoing.end(changed);
}

/** The simulator knows no serial port (resource type 21), and takes nothing of a package that has one. */
function simulable(body: Buffer): Buffer {
  const text = body.toString("utf8");
  if (!text.includes("<CreateImportSpec")) return body;
  return Buffer.from(text.replace(/&lt;Item(?:(?!&lt;\/Item).)*ResourceType&gt;21&lt;(?:(?!&lt;\/Item).)*&lt;\/Item&gt;/gs, ""));
}

async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
