/** A load balancer on loopback: each connection goes to the next process that takes it. */

import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Balancer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const via = (left: number): void => {
      const port = ports[(turn += 1) % ports.length] ?? 0;
      const behind = connect(port, "127.0.0.1");
      open.add(client).add(behind);
      const refused = (): void => {
        if (left > 1) via(left - 1);
        else client.destroy();
      };
      behind.once("error", refused);
      behind.once("connect", () => {
        behind.off("error", refused);
        client.pipe(behind).pipe(client);
        for (const [one, other] of [[client, behind], [behind, client]] as const) {
          one.on("error", () => other.destroy());
          one.on("close", () => {
            open.delete(one);
            other.destroy();
          });
        }
      });
    };
    client.on("error", () => undefined);
    via(ports.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => {
      for (const socket of open) socket.destroy();
      server.close(() => resolve());
    }),
  };
}
