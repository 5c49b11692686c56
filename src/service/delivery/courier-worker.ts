/**
 * The courier: a process of its own, so that whatever a host sends can at most end it. It has no file of the service's, writes
 * none, starts nothing, and ends with the service; an installation at the host does not.
 */

import { askedTar, type AskedTar } from "./asked-tar.ts";
import { carry, type Carrying } from "./carry.ts";
import type { FromCourier, Order, ToCourier } from "./courier-messages.ts";

/** How far it is, a few times a second. */
const phaseMs = 200;

let tar: AskedTar | undefined;
let carrying: Carrying | undefined;
let isNoted: () => void = () => undefined;
let lastPhase: { readonly name: string; readonly at: number } = { name: "", at: 0 };

process.on("disconnect", () => process.exit(1));
process.on("message", (message: ToCourier) => {
  switch (message.type) {
    case "carry":
      return void begin(message.order);
    case "bytes":
      return tar?.take(message);
    case "noted":
      return isNoted();
    case "cancel":
      return carrying?.cancel();
  }
});
send({ type: "ready" });

async function begin(order: Order): Promise<void> {
  tar = askedTar(order.size, send);
  carrying = carry(order, { tar, tell, begins: (run) => new Promise((resolve) => {
    isNoted = resolve;
    send({ type: "begins", run });
  }) });
  const end = await carrying.ended;
  process.send?.({ type: "end", end } satisfies FromCourier, undefined, {}, () => process.exit(0));
}

function tell(message: FromCourier): void {
  if (message.type === "phase") {
    const now = performance.now();
    // The end of a phase is the beginning of the next.
    if (message.phase === lastPhase.name && now - lastPhase.at < phaseMs) return;
    lastPhase = { name: message.phase, at: now };
  }
  send(message);
}

function send(message: FromCourier): void {
  if (process.connected) process.send?.(message);
}
