/** VMware's guestinfo: keys and values that host and guest share. The guest's side is test/labs/vm/guest/usr/bin/vmware-rpctool. */

import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** VMware refuses a longer one (vm-operator #148). Characters. */
const longest = 65_536;

export interface GuestInfo {
  /** As vSphere's ExtraConfig has them: without a value there is no key. */
  readonly set: (values: Readonly<Record<string, string>>) => void;
  readonly get: (key: string) => string | undefined;
  /** What the guest has set since it was switched on, in order. */
  readonly told: () => readonly { readonly key: string; readonly value: string }[];
  /** Answers the guest at the other end of this socket until it is gone. */
  readonly serve: (port: string, isDown: () => boolean) => Promise<void>;
}

export function guestInfo(): GuestInfo {
  const values = new Map<string, string>();
  let told: { readonly key: string; readonly value: string }[] = [];
  const set = (key: string, value: string): void => {
    if (value.length > longest) throw new Error(`${key}: ${value.length} characters`);
    if (value === "") values.delete(key);
    else values.set(key, value);
  };
  /** Status and text as vmware-rpctool gives them. */
  const answer = (command: string): readonly [number, string] => {
    const [, verb, key = "", value = ""] = /^(info-get|info-set) (guestinfo\.\S+)(?: (.*))?$/.exec(command) ?? [];
    if (verb === undefined) return [1, "Unknown command"];
    if (verb === "info-get") return values.has(key) ? [0, values.get(key) as string] : [1, "No value found"];
    set(key, value);
    told.push({ key, value });
    return [0, ""];
  };
  return {
    set: (all) => {
      for (const [key, value] of Object.entries(all)) set(key, value);
    },
    get: (key) => values.get(key),
    told: () => told,
    serve: async (port, isDown) => {
      told = [];
      const socket = await connected(port, isDown);
      if (socket === undefined) return;
      let received = "";
      socket.setEncoding("latin1").on("data", (piece: string) => {
        received += piece;
        for (let end = received.indexOf("\n"); end >= 0; end = received.indexOf("\n")) {
          const [status, text] = answer(received.slice(0, end));
          received = received.slice(end + 1);
          socket.write(`${status} ${text.length}\n${text}`, "latin1");
        }
      });
    },
  };
}

/** QEMU makes the socket a moment before it listens. Undefined when it ends instead. */
async function connected(port: string, isDown: () => boolean): Promise<Socket | undefined> {
  for (; !isDown(); await setTimeout(10)) {
    const socket = createConnection(port);
    const outcome = await new Promise((resolve) => socket.once("connect", () => resolve("connected")).on("error", resolve));
    if (outcome === "connected") return socket;
  }
  return undefined;
}
