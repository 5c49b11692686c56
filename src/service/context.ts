/** What every part of the service is given: state, stores, signer, clock and randomness. Nothing here is reached for, all is handed in. */

import { EventEmitter } from "node:events";
import type { BuilderId } from "../evidence/provenance.ts";
import type { Signer } from "../seal/sign.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Passwords } from "./access/passwords.ts";
import type { Drawing } from "./jobs/drawing.ts";
import type { Queue } from "./jobs/queue.ts";
import type { Oidc } from "./oidc/open-oidc.ts";
import type { Log } from "./log.ts";
import type { Database } from "./state/database.ts";

export interface Context {
  readonly db: Database;
  /** Inputs: VM images, layers. */
  readonly blobs: Blobs;
  /** The small files of each bundle that was made. */
  readonly drawn: Blobs;
  readonly queue: Queue;
  readonly signer: Signer;
  readonly drawing: Drawing;
  /** Of the program. */
  readonly version: string;
  /** Of the program's version and templates: with another one the same documents make another bundle. */
  readonly programDigest: string;
  readonly builder: BuilderId | undefined;
  readonly passwords: Passwords;
  /** Undefined where no provider's tokens are taken. */
  readonly oidc: Oidc | undefined;
  /** Milliseconds since the Epoch. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
  readonly news: News;
  /** Aborted when the service is asked to stop. */
  readonly stopping: AbortSignal;
  /** The folder with `schemas/`. */
  readonly packageFolder: string;
  readonly limits: Limits;
}

export interface Limits {
  /** Of one person or address. */
  readonly requestsPerMinute: number;
  /** Bundles that are on their way at the same time; each takes a megabyte of memory. */
  readonly downloads: number;
  readonly sessionMs: number;
}

export const usualLimits: Limits = { requestsPerMinute: 600, downloads: 64, sessionMs: 12 * 3_600_000 };

/** An unpredictable name for a row: 128 bits, letters, digits, - and _. */
export function newId({ random }: Pick<Context, "random">): string {
  return Buffer.from(random(16)).toString("base64url");
}

/** There may be a job. */
export const queueTopic = "queue";

/** Tells that something happened, so that nobody has to ask again and again. What it was, the database has. */
export interface News {
  readonly tell: (topic: string) => void;
  /** Calls back until the function that comes back is called. */
  readonly listen: (topic: string, heard: () => void) => () => void;
}

export function newsOf(): News {
  const emitter = new EventEmitter();
  // One listener for each open stream of events.
  emitter.setMaxListeners(0);
  return {
    tell: (topic) => void emitter.emit(topic),
    listen: (topic, heard) => {
      emitter.on(topic, heard);
      return () => void emitter.off(topic, heard);
    },
  };
}
