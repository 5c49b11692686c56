/** One HTTP or HTTPS request: through the site's proxy, trusting the site's CA, following no redirect. */

import { readFileSync } from "node:fs";
import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import { EnvironmentError } from "../../core/environment-error.ts";

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** By its name in lower case; one that came several times is joined by commas. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Whoever does not read the body says so. */
  discard(): void;
}

export interface Asking {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Makes it a POST of this form. */
  readonly form?: URLSearchParams;
}

/** Throws what Node throws where the network fails; an EnvironmentError where another try can't help. */
export type Send = (url: URL, asking: Asking) => Promise<Answer>;

/** Of a body that nobody has taken yet; the connection waits then. Bytes. */
const mostHeld = 262_144;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A body of so few bytes is read to its end, so that the connection can be used again. */
const shortBody = 65_536;

/**
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY are followed as Node's own agents do (24.5 and later; the names in lower case go
 * first), but nothing that goes to this very machine passes a proxy. SSL_CERT_FILE is trusted besides what Node trusts (NODE_EXTRA_CA_CERTS).
 */
export function sendThrough(environment: Environment): Send {
  const agents = new Map<string, PlainAgent | TlsAgent>();
  return async (url, asking) => {
    const isOwn = isLoopback(url.hostname);
    const key = `${url.protocol} ${isOwn}`;
    const agent = agents.get(key) ?? agentFor(url.protocol, isOwn ? undefined : environment, environment["SSL_CERT_FILE"]);
    agents.set(key, agent);
    return send(url, asking, agent);
  };
}

/** This machine itself, as RFC 6761 6.3, RFC 1122 3.2.1.3 and RFC 4291 2.5.3 name it. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function agentFor(protocol: string, proxies: Environment | undefined, caFile: string | undefined): PlainAgent | TlsAgent {
  const options = { keepAlive: true, ...(proxies === undefined ? {} : { proxyEnv: proxyNames(proxies) }) };
  if (protocol !== "https:") return new PlainAgent(options);
  return new TlsAgent({ ...options, ...(caFile ? { ca: trusted(caFile) } : {}) });
}

/** As curl takes them, `proxy.example:3128` is an HTTP proxy; Node would pass over a value that it can't use, in silence. */
function proxyNames(environment: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ["http_proxy", "https_proxy"]) {
    const value = environment[name] || environment[name.toUpperCase()] || "";
    if (value === "") continue;
    const url = URL.parse(value.includes("://") ? value : `http://${value}`);
    if (url === null || !["http:", "https:"].includes(url.protocol)) {
      // The value may hold a password.
      throw new EnvironmentError(`the proxy that ${name.toUpperCase()} names can't be used`, { hint: "it is a URL, such as http://proxy.example:3128" });
    }
    found[name] = url.href;
  }
  const none = environment["no_proxy"] || environment["NO_PROXY"];
  return none ? { ...found, no_proxy: none } : found;
}

function trusted(caFile: string): string[] {
  try {
    return [...getCACertificates("default"), readFileSync(caFile, "utf8")];
  } catch (error) {
    throw new EnvironmentError(`SSL_CERT_FILE can't be read: ${caFile}`, { hint: "it names a file of PEM certificates", cause: error });
  }
}

function send(url: URL, { headers, signal, form }: Asking, agent: PlainAgent | TlsAgent): Promise<Answer> {
  const text = form?.toString();
  const all: Record<string, string> = { "user-agent": "cloudlet-bundle", ...headers };
  if (text !== undefined) {
    all["content-type"] = "application/x-www-form-urlencoded";
    all["content-length"] = String(Buffer.byteLength(text));
  }
  const request = url.protocol === "https:" ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(url, { agent, method: text === undefined ? "GET" : "POST", headers: all, signal });
    asked.once("response", (answer: IncomingMessage) => resolve(answerOf(answer)));
    asked.on("error", (error) => reject(orHopeless(error, url)));
    asked.end(text);
  });
}

function answerOf(message: IncomingMessage): Answer {
  const { body, forget } = received(message);
  return {
    status: message.statusCode ?? 0,
    statusText: message.statusMessage ?? "",
    header(name) {
      const values = message.headersDistinct[name];
      return values === undefined ? undefined : values.join(", ");
    },
    body,
    discard() {
      forget();
      if (Number(message.headers["content-length"] ?? Infinity) > shortBody) message.destroy();
    },
  };
}

/**
 * What a connection has brought, until it ends or breaks. Node's own iterator throws away what it holds when the connection
 * breaks, and a line that brings little at a time would never bring all.
 */
function received(message: IncomingMessage): { readonly body: AsyncIterable<Uint8Array>; readonly forget: () => void } {
  const queue: Uint8Array[] = [];
  let held = 0;
  let state: "open" | "ended" | "forgotten" | Error = "open";
  let wake = (): void => undefined;
  const become = (next: typeof state): void => {
    if (state === "open") state = next;
    wake();
  };
  message.on("data", (chunk: Buffer) => {
    if (state === "forgotten") return;
    queue.push(chunk);
    held += chunk.byteLength;
    if (held >= mostHeld) message.pause();
    wake();
  });
  message.once("end", () => become("ended"));
  message.on("error", become);
  message.once("close", () => become(new Error("the connection was closed")));
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = queue.shift();
        if (chunk !== undefined) {
          yield chunk;
          held -= chunk.byteLength;
          if (held < mostHeld) message.resume();
        } else if (state === "open") {
          await new Promise<void>((resolve) => (wake = resolve));
        } else {
          if (state instanceof Error) throw state;
          return;
        }
      }
    } finally {
      if (state !== "ended") message.destroy();
    }
  }
  const forget = (): void => {
    become("forgotten");
    queue.length = 0;
    message.resume();
  };
  return { body: body(), forget };
}

/** Certificates don't become better by trying again. */
function orHopeless(error: NodeJS.ErrnoException, url: URL): Error {
  const code = error.code ?? "";
  if (/CERT|^UNABLE_TO_|SELF_SIGNED/.test(code)) {
    return new EnvironmentError(`the certificate of ${url.host} is not trusted: ${error.message}`, {
      hint: "where the site has a CA of its own, name its PEM file: SSL_CERT_FILE=FILE",
      cause: error,
    });
  }
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return new EnvironmentError(`${url.host} does not speak TLS`, { hint: "a registry without TLS is used on this machine only (localhost)", cause: error });
  }
  return error;
}
