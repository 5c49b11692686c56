/** Which addresses may be called, and the calling: a name counts by what it stands for at that moment. */

import { lookup } from "node:dns/promises";
import { BlockList, connect, isIP, type Socket } from "node:net";
import { EnvironmentError } from "../core/environment-error.ts";
import { LineCut } from "./line.ts";
import { hostAndPort, type Target } from "./target.ts";

/** Networks as ADDRESS/BITS, or every address. */
export type Reach = "any" | readonly string[];

const connectMs = 30_000;

/** Reads `any`, or addresses and networks separated by commas; undefined where it is neither. */
export function readReach(text: string): Reach | undefined {
  if (text === "any") return "any";
  const networks = text.split(",").map((each) => each.trim());
  return networks.every((each) => networkIn(each) !== undefined) ? networks : undefined;
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

function networkIn(text: string): Network | undefined {
  const [, address = "", bitsText] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const bits = Number(bitsText ?? most);
  return version === 0 || bits > most ? undefined : { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
}

export function mayReach(reach: Reach, address: string): boolean {
  if (reach === "any") return true;
  const list = new BlockList();
  for (const each of reach) {
    const network = networkIn(each);
    if (network !== undefined) list.addSubnet(network.address, network.bits, network.family);
  }
  const [plain = ""] = address.split("%");
  return list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

/** A connection to the first of its addresses that answers. Throws an EnvironmentError where it may not be called, and a LineCut where it can't be. */
export async function connectWithin(reach: Reach, hop: Pick<Target, "host" | "port">, signal: AbortSignal): Promise<Socket> {
  const addresses = isIP(hop.host) === 0 ? (await lookup(hop.host, { all: true }).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(hop, error);
  })).map(({ address }) => address) : [hop.host];
  const allowed = addresses.filter((address) => mayReach(reach, address));
  if (allowed.length === 0) throw new EnvironmentError(`${hostAndPort(hop)} is not among the addresses that may be called from here`);
  let last: unknown;
  for (const address of allowed) {
    signal.throwIfAborted();
    try {
      return await connected(address, hop.port, signal);
    } catch (error) {
      last = error;
    }
  }
  signal.throwIfAborted();
  throw unreachable(hop, last as NodeJS.ErrnoException);
}

function connected(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    const late = setTimeout(() => socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })), connectMs);
    const end = (): void => clearTimeout(late);
    socket.once("error", (error) => {
      end();
      reject(error);
    });
    socket.once("connect", () => {
      end();
      socket.removeAllListeners("error");
      // Until somebody else listens.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

const neverThere: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EADDRNOTAVAIL"]);

const reachWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  EHOSTUNREACH: "there is no route",
  ENETUNREACH: "there is no route",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "names can't be looked up",
  ETIMEDOUT: "no answer",
  ECONNRESET: "the connection was reset",
};

/** What an error of the network means: worth another try, or nobody was ever there. */
export function unreachable(hop: Pick<Target, "host" | "port">, error: NodeJS.ErrnoException): LineCut {
  const code = error.code ?? "";
  return new LineCut(`${hostAndPort(hop)} can't be reached: ${reachWords[code] ?? error.message}`, { neverThere: neverThere.has(code), cause: error });
}
