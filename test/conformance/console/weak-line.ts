/** A line to the service that is cut: once, in the midst of the first download of a bundle. */

import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Test } from "tap";

export interface WeakLine {
  /** Of the service, over the line. */
  readonly url: string;
  /** What the browser has asked for of the bundle, in order: the first byte of each request. */
  readonly downloads: readonly number[];
}

/** Of the first download so many bytes come through. */
export async function weakLine(t: Test, service: string, bytes: number): Promise<WeakLine> {
  const downloads: number[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(service).port), "127.0.0.1");
    let left = Infinity;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      // A browser sends the head of a request that small at once.
      const head = chunk.toString("latin1");
      if (/^GET \/v1\/tickets\/\S+\/download /.test(head)) {
        downloads.push(Number(/^range: bytes=(\d+)-/im.exec(head)?.[1] ?? 0));
        left = downloads.length === 1 ? bytes : Infinity;
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      client.write(chunk.subarray(0, left));
      left -= chunk.byteLength;
      if (left <= 0) client.end(() => upstream.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    open.forEach((socket) => socket.destroy());
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, downloads };
}
