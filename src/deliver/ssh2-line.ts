/** A line by the library ssh2: over jump hosts nested in each other, each with its own host key and login. */

import type { ClientChannel, ParsedKey, AnyAuthMethod, AuthHandlerMiddleware, AuthenticationType, ServerHostKeyAlgorithm } from "ssh2";
import ssh2 from "ssh2";
import type { Duplex } from "node:stream";
import { EnvironmentError } from "../core/environment-error.ts";
import { loginMethods, type Credentials, type LoginMethod } from "./authentication.ts";
import type { HostKeys } from "./host-keys.ts";
import { LineCut, remoteProcess, type Line, type RemoteProcess } from "./line.ts";
import { plainText } from "./plain-text.ts";
import { unreachable } from "./reach.ts";
import { Refused } from "./refused.ts";
import { hostAndPort, showTarget, type Target } from "./target.ts";

export interface Ssh2Way {
  /** The jump hosts in order, and the host itself as the last. */
  readonly hops: readonly Target[];
  readonly hostKeys: HostKeys;
  readonly credentials: (hop: Target) => Credentials;
  /** To the first hop; the library's own where left out. */
  readonly connect?: (hop: Target) => Promise<Duplex>;
  readonly signal: AbortSignal;
}

/** A host that answers nothing for so long, three times, is gone: half-open connections are the usual way in which a line ends. */
const keepaliveMs = 5_000;
const keepaliveCount = 3;
const readyMs = 30_000;
const noMutual = /no matching host key format/;

export async function openSsh2Line(way: Ssh2Way): Promise<Line> {
  const clients: ssh2.Client[] = [];
  const close = (): void => {
    for (const client of [...clients].reverse()) client.end();
    for (const client of clients) client.destroy();
  };
  way.signal.addEventListener("abort", close, { once: true });
  try {
    for (const hop of way.hops) {
      const before = clients.at(-1);
      const { connect } = way;
      clients.push(await connectTo(hop, way, before !== undefined ? () => through(before, hop) : connect === undefined ? undefined : () => connect(hop)));
    }
  } catch (error) {
    close();
    way.signal.throwIfAborted();
    throw error;
  }
  const last = clients.at(-1);
  if (last === undefined) throw new Error("a way has a host at its end");
  let isGone = false;
  const gone = new Promise<void>((resolve) => last.once("close", resolve)).then(() => void (isGone = true));
  return {
    exec: async (command) => {
      if (isGone) throw cut();
      return new Promise<RemoteProcess>((resolve, reject) => {
        last.exec(command, (error, channel) => {
          if (error) return reject(new LineCut(`no command could be started: ${error.message}`, { cause: error }));
          // Here and now: what ends at once tells its status before a promise would have been heard.
          resolve(remoteProcess({ stdin: channel, stdout: channel, stderr: channel.stderr, ended: endOf(channel, gone) }));
        });
        void gone.then(() => reject(cut()));
      });
    },
    close: () => {
      way.signal.removeEventListener("abort", close);
      close();
    },
  };
}

function cut(): LineCut {
  return new LineCut("the line was cut");
}

function endOf(channel: ClientChannel, gone: Promise<void>): Promise<number | undefined> {
  const ended = new Promise<number | undefined>((resolve, reject) => {
    let status: number | undefined | "none" = "none";
    channel.once("exit", (code: number | null) => (status = code ?? undefined));
    channel.once("close", () => (status === "none" ? reject(cut()) : resolve(status)));
    // The library tells the channels of a line that is gone, but not those that wait for their first answer.
    void gone.then(() => (status === "none" ? reject(cut()) : resolve(status)));
  });
  ended.catch(() => undefined);
  return ended;
}

/** One hop: asks for each list of host key algorithms by itself, until the key is the one that is wanted. */
async function connectTo(hop: Target, way: Ssh2Way, socketThrough: (() => Promise<Duplex>) | undefined): Promise<ssh2.Client> {
  let refusal: EnvironmentError | undefined;
  for (const algorithms of way.hostKeys.algorithms(hop)) {
    const made = await connectOnce(hop, way, { algorithms, sock: await socketThrough?.() });
    if (!(made instanceof EnvironmentError)) return made;
    if (refusal === undefined || !noMutual.test(made.message)) refusal = made;
  }
  throw refusal ?? new EnvironmentError(`${hostAndPort(hop)} has no host key of a type that is known here`);
}

interface Attempt {
  readonly algorithms: readonly string[];
  readonly sock: Duplex | undefined;
}

/** Gives why the host key was refused instead of throwing it: another key of the host may be the right one. */
function connectOnce(hop: Target, way: Ssh2Way, { algorithms, sock }: Attempt): Promise<ssh2.Client | EnvironmentError> {
  const client = new ssh2.Client();
  const tried: string[] = [];
  let refusal: EnvironmentError | undefined;
  let failure: unknown;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      client.destroy();
      if (refusal !== undefined) resolve(refusal);
      else reject(failure ?? error);
    };
    client.once("ready", () => resolve(client));
    client.on("error", (error: Error & { readonly level?: string; readonly code?: string }) => {
      // The agent could not be asked; the next method is tried.
      if (error.level === "agent") return;
      if (noMutual.test(error.message)) refusal = new EnvironmentError(`${hostAndPort(hop)}: no matching host key format`, { cause: error });
      fail(meaning(error, hop, tried));
    });
    client.once("close", () => fail(new LineCut(`${hostAndPort(hop)}: the line was cut while it was made`)));
    const handler = authHandlerOf(hop, way.credentials(hop), tried, (error) => {
      failure = error;
      fail(error);
    });
    client.connect({
      ...(sock === undefined ? { host: hop.host, port: hop.port } : { sock }),
      username: hop.user,
      readyTimeout: readyMs,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: keepaliveCount,
      algorithms: { serverHostKey: [...algorithms] as ServerHostKeyAlgorithm[] },
      hostVerifier: (key: Buffer) => {
        refusal = way.hostKeys.refuse(hop, new Uint8Array(key));
        return refusal === undefined;
      },
      authHandler: handler,
    });
  });
}

/** What an error of the library means: worth another try, or not. */
function meaning(error: Error & { readonly level?: string; readonly code?: string }, hop: Target, tried: readonly string[]): Error {
  const name = hostAndPort(hop);
  switch (error.level) {
    case "client-authentication":
      return new Refused("login", `${showTarget(hop)} does not let us in (tried: ${tried.join("; ") || "nothing, for there is no key, no agent and no password"})`, {
        hint: "give a key with --identity, a password with --password-file, or start an agent (ssh-add)",
        cause: error,
      });
    case "client-socket":
    case "client-dns":
      return unreachable(hop, error);
    case "handshake":
      return new EnvironmentError(`${name}: no common ground for SSH: ${error.message}`, { cause: error });
    default:
      if (/too many authentication failures/i.test(error.message)) {
        return new Refused("login", `${showTarget(hop)} does not let us try more logins (tried: ${tried.join("; ")})`, { hint: "name the key with --identity: an agent may hold more than the host lets one try", cause: error });
      }
      return new LineCut(`${name}: ${plainText(error.message)}`, { cause: error });
  }
}

/** ssh2 asks for the next method when one has failed, or was only one of several that the host wants. */
function authHandlerOf(hop: Target, credentials: Credentials, tried: string[], fail: (error: unknown) => void): AuthHandlerMiddleware {
  const methods = loginMethods(credentials, parseKey, tried);
  const waiting: LazyMethod[] = [{ name: "none", make: () => Promise.resolve({ type: "none", username: hop.user }) }];
  const next = async (left: readonly AuthenticationType[] | null): Promise<AnyAuthMethod | false> => {
    for (;;) {
      const lazy = waiting.shift();
      if (lazy === undefined) {
        const { value, done } = await methods.next();
        if (done === true) return false;
        waiting.push(...asSsh2(value, hop, credentials, tried));
      } else if (lazy.name === "none" || left === null || left.includes(lazy.name)) {
        // Only now: nobody is asked for a secret that the host does not take.
        const made = await lazy.make();
        if (made !== undefined) return made;
      }
    }
  };
  return (left, _partial, callback) => {
    next(left).then(callback as (method: AnyAuthMethod | false) => void, fail);
  };
}

interface LazyMethod {
  /** As RFC 4252 calls it; an agent's keys are public keys. */
  readonly name: AuthenticationType;
  readonly make: () => Promise<AnyAuthMethod | undefined>;
}

function asSsh2(method: LoginMethod<ParsedKey>, hop: Target, credentials: Credentials, tried: string[]): readonly LazyMethod[] {
  const username = hop.user;
  switch (method.type) {
    case "agent":
      return [{ name: "publickey", make: () => Promise.resolve({ type: "agent", username, agent: method.socket }) }];
    case "publickey":
      return [{ name: "publickey", make: () => Promise.resolve({ type: "publickey", username, key: method.key }) }];
    case "password": {
      const question = `Password of ${showTarget(hop)}: `;
      const make = async (): Promise<AnyAuthMethod | undefined> => {
        const password = method.password ?? (await credentials.ask(question));
        if (password === undefined) return undefined;
        tried.push("the password");
        return { type: "password", username, password };
      };
      const answer = async (prompt: string, isShown: boolean): Promise<string | undefined> => {
        if (method.password !== undefined) return isShown ? "" : method.password;
        return credentials.ask(/^\s*password:?\s*$/i.test(prompt) ? question : `${showTarget(hop)} asks: ${plainText(prompt).trim()} `);
      };
      return [
        { name: "keyboard-interactive", make: () => Promise.resolve(interactive(username, answer, () => tried.push("what the host asked"))) },
        { name: "password", make },
      ];
    }
  }
}

/** The host's own questions, a second factor among them. Where nobody can answer, the answers are empty and the host says no. */
function interactive(username: string, answer: (prompt: string, isShown: boolean) => Promise<string | undefined>, asked: () => void): AnyAuthMethod {
  return {
    type: "keyboard-interactive",
    username,
    prompt: (_name, _instructions, _lang, prompts, finish) => {
      asked();
      void (async () => {
        const answers: string[] = [];
        for (const each of prompts) answers.push((await answer(each.prompt, each.echo === true).catch(() => undefined)) ?? "");
        finish(answers);
      })();
    },
  };
}

function parseKey(pem: Buffer, passphrase?: string): ParsedKey | Error {
  try {
    const parsed = ssh2.utils.parseKey(pem, passphrase);
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    if (key === undefined || key instanceof Error) return key ?? new Error("no key");
    return key.isPrivateKey() ? key : new Error("this is a public key");
  } catch (error) {
    // Some wrong passphrases make the library read past the end.
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A connection from one host to the next, inside the line to the first. */
function through(client: ssh2.Client, { host, port }: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (error) reject(new LineCut(`${hostAndPort({ host, port })} can't be reached from the jump host: ${error.message}`, { neverThere: true, cause: error }));
      else resolve(channel);
    });
  });
}
