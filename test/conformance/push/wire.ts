/** The way to the jump host: a TCP forwarder whose connections are cut again and again. */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Wire {
  /** On 127.0.0.1. */
  readonly port: number;
  /** From now on each connection is cut after so many bytes to the host, or so many milliseconds; 0 for never. */
  readonly cutEach: (limit: { readonly bytes?: number; readonly ms?: number }) => void;
  /** Cuts those that are open. */
  readonly cut: () => void;
  /** Takes no connection until it is called again. */
  readonly refuse: (isRefused: boolean) => void;
  readonly cuts: () => number;
  /** Bytes to the host so far. */
  readonly sent: () => number;
  readonly close: () => void;
}

export async function wire(to: { readonly address: string; readonly port: number }): Promise<Wire> {
  const open = new Set<() => void>();
  let limit = { bytes: Infinity, ms: Infinity };
  let [cuts, sent, isRefused] = [0, 0, false];
  const server = createServer((near) => {
    if (isRefused) return void near.resetAndDestroy();
    const far = connect(to.port, to.address);
    let left = limit.bytes;
    const cut = (): void => {
      if (!open.delete(cut)) return;
      cuts += 1;
      for (const socket of [near, far]) socket.resetAndDestroy();
    };
    open.add(cut);
    const timer = Number.isFinite(limit.ms) ? setTimeout(cut, limit.ms) : undefined;
    const end = (): void => {
      clearTimeout(timer);
      open.delete(cut);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far] as readonly Socket[]) socket.on("error", () => undefined).on("close", end);
    far.pipe(near);
    near.on("data", (piece: Buffer) => {
      sent += piece.byteLength;
      left -= piece.byteLength;
      if (left <= 0) return cut();
      if (!far.write(piece)) near.pause();
    });
    far.on("drain", () => near.resume());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cutEach: ({ bytes = 0, ms = 0 }) => (limit = { bytes: bytes || Infinity, ms: ms || Infinity }),
    cut: () => [...open].forEach((cut) => cut()),
    refuse: (is) => (isRefused = is),
    cuts: () => cuts,
    sent: () => sent,
    close: () => {
      server.close();
      for (const cut of [...open]) cut();
    },
  };
}
