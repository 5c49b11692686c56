/** The way from jump host to machine: a TCP forwarder whose connections can be cut. */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Wire {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Cuts every connection once, as soon as so many bytes more have gone to the machine. */
  readonly cutAfter: (bytes: number) => void;
  /** How often it was cut. */
  readonly cuts: () => number;
  readonly close: () => void;
}

export async function wire(to: number): Promise<Wire> {
  const open = new Set<Socket>();
  let left = Infinity;
  let cuts = 0;
  const cut = (): void => {
    cuts += 1;
    left = Infinity;
    for (const socket of open) socket.resetAndDestroy();
  };
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    near.on("data", (piece: Buffer) => {
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
    cutAfter: (bytes) => (left = bytes),
    cuts: () => cuts,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
