/** What happens during a push, as lines for people or as JSON for programs. */

import { plainText } from "../deliver/plain-text.ts";
import type { Io } from "./io.ts";
import type { Progress } from "./progress.ts";

export type PushEvent =
  | { readonly event: "connected" | "reconnected"; readonly host: string }
  | { readonly event: "cut"; readonly why: string; readonly pauseMs: number }
  | { readonly event: "refused-here"; readonly text: string }
  | { readonly event: "comparing"; readonly from: number; readonly to: number }
  | { readonly event: "damaged"; readonly from: number }
  | { readonly event: "there"; readonly folder: string }
  /** `kept`: bytes that an earlier push had brought. */
  | { readonly event: "sent"; readonly size: number; readonly kept: number; readonly folder: string }
  | { readonly event: "verified"; readonly good: boolean; readonly trust: string; readonly text: string }
  | { readonly event: "started"; readonly folder: string }
  | { readonly event: "log"; readonly text: string }
  | { readonly event: "left"; readonly attach: string; readonly cancel: string }
  | { readonly event: "installed"; readonly status: number; readonly receipt?: string }
  | { readonly event: "cancelled"; readonly result: "cancelled" | "killed" | "not running" }
  | { readonly event: "removed"; readonly folder: string; readonly left: readonly string[] }
  | PlanEvent;

interface PlanEvent {
  readonly event: "plan";
  readonly folder: string;
  readonly size: number;
  readonly arrived: number;
  readonly isThere: boolean;
  readonly free: number | null;
  readonly run: string;
  readonly trust: string;
  readonly install: boolean;
  readonly words: readonly string[];
  readonly secrets: string | null;
}

export type Tell = (event: PushEvent) => void;

export function pushTeller(io: Io, { json, quiet }: { readonly json: boolean; readonly quiet: boolean }, progress: Progress): Tell {
  return (event) => {
    progress.finish();
    if (json) return io.out(`${JSON.stringify(event)}\n`);
    const { out, err, noise } = wordsOf(event);
    if (err !== undefined) io.err(err);
    if (noise !== undefined && !quiet) io.err(noise);
    if (out !== undefined) io.out(out);
  };
}

/** `out`: a result. `err`: what is always said. `noise`: what --quiet leaves out. */
interface Words {
  readonly out?: string;
  readonly err?: string;
  readonly noise?: string;
}

function wordsOf(event: PushEvent): Words {
  switch (event.event) {
    case "connected":
      return { out: `host         ${event.host}\n` };
    case "reconnected":
      return { noise: "the line is up again\n" };
    case "cut":
      return { noise: `${plainText(event.why)}; again in ${(event.pauseMs / 1000).toFixed(1)} s\n` };
    case "refused-here":
      return { err: `${event.text}cloudlet-bundle push: the bundle is refused here already; nothing was sent\n` };
    case "comparing":
      return event.from === 0 && event.to > 67_108_864 ? { noise: `${event.to} bytes are there; comparing them\n` } : {};
    case "damaged":
      return { noise: `what is there is not this bundle from byte ${event.from} on; sending it again from there\n` };
    case "there":
      return { out: `folder       ${plainText(event.folder)}\nsent         nothing: the bundle is there\n` };
    case "sent":
      return { out: `folder       ${plainText(event.folder)}\nsent         ${event.size - event.kept} bytes${event.kept === 0 ? "" : `; ${event.kept} were there`}\n` };
    case "verified":
      if (!event.good) return { err: `on the host:\n${event.text}` };
      return { out: event.trust === "none" ? "verified     whole, there; nobody knows who made it (no --trust)\n" : `verified     there, signed by ${event.trust}\n` };
    case "started":
      return { noise: `the installation has begun; it goes on without this line (log: ${plainText(event.folder)}/run/log)\n` };
    case "log":
      return { noise: event.text };
    case "left":
      return { err: `The installation goes on there.\n  to see it:   ${event.attach}\n  to stop it:  ${event.cancel}\n` };
    case "installed":
      return { out: `install.sh   ended with ${event.status}\n${event.receipt === undefined ? "" : `receipt      ${event.receipt}\n`}` };
    case "cancelled":
      return { out: cancelWords[event.result] };
    case "removed":
      return event.left.length === 0
        ? { out: `removed      ${plainText(event.folder)}: nothing is left there\n` }
        : { err: `what push has put into ${plainText(event.folder)} is gone; this is not its own, and stays:\n${event.left.map((name) => `  ${name}\n`).join("")}` };
    case "plan":
      return { out: planWords(event) };
  }
}

const cancelWords = {
  cancelled: "cancelled    install.sh has noted where it was; the same push goes on from there\n",
  killed: "cancelled    it did not end by itself and was killed; the same push goes on from there\n",
  "not running": "cancelled    nothing: no installation is going on there\n",
};

function planWords({ folder, size, arrived, isThere, free, run, trust, install, words, secrets }: PlanEvent): string {
  const send = isThere ? "nothing: the bundle is there" : `${size - arrived} of ${size} bytes${arrived === 0 ? "" : `, if the ${arrived} that are there are its beginning`}`;
  return [
    `folder       ${plainText(folder)}`,
    `free         ${free === null ? "unknown" : `${free} bytes`}`,
    `send         ${send}`,
    `verify       there, ${trust === "none" ? "without a signature (no --trust)" : `as signed by ${trust}`}`,
    ...(run === "none" ? [] : [`there is     an installation: ${run}`]),
    ...(secrets === null ? [] : [`secrets      ${secrets}, mode 0600 there, removed when install.sh ends`]),
    ...(install ? [`run          install.sh --yes ${words.map((word) => JSON.stringify(word)).join(" ")}`.trimEnd()] : []),
    "",
  ].join("\n");
}
