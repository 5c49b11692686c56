/** What the service and its courier, the process that holds the line to a host, tell each other. */

import type { Target } from "../../deliver/target.ts";
import type { Reach } from "../../deliver/reach.ts";
import type { Refused } from "../../deliver/refused.ts";
import type { DeliveryAction } from "../state/tables.ts";

/** With which one logs in to a host; of one run, and never written down. */
export interface GivenLogin {
  readonly privateKey?: string;
  readonly passphrase?: string;
  readonly password?: string;
}

export interface TarFile {
  readonly path: string;
  /** Of its first byte in the tar. */
  readonly start: number;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface Order {
  readonly action: DeliveryAction;
  /** The jump hosts in order, and the host itself as the last; and a login for each. */
  readonly hops: readonly Target[];
  readonly logins: readonly GivenLogin[];
  readonly knownHosts: string;
  readonly pins: readonly (readonly [string, string])[];
  readonly reach: Reach;
  /** In a row that bring nothing. */
  readonly tries: number;
  /** `templates/push/host.sh`, and the folder on the host. */
  readonly script: string;
  readonly folder: string;
  /** Of the tar. */
  readonly size: number;
  readonly files: readonly TarFile[];
  /** A fingerprint. */
  readonly trust: string;
  /** Of install.sh, without what the courier gives itself. */
  readonly words: readonly string[];
  readonly secrets: string | undefined;
  readonly source: string;
  readonly removeAfter: boolean;
  /** What runs of this delivery are called begins with it; `run` is the one that would be begun now. */
  readonly own: string;
  readonly run: string;
  /** The one whose end is not known yet, and how many bytes of its log are. */
  readonly awaited: string | undefined;
  readonly logAt: number;
}

export type Phase = "connecting" | "checking" | "comparing" | "sending" | "verifying" | "running" | "removing";

export type CarryEnd =
  /** The bundle is there, verified; or all is taken away. */
  | { readonly kind: "done"; readonly message: string }
  /** What stays there, which is not ours. */
  | { readonly kind: "left"; readonly names: readonly string[] }
  | { readonly kind: "ended"; readonly status: number; readonly receipt: string | undefined; readonly left: readonly string[] }
  /** install.sh was killed, or the host was restarted. */
  | { readonly kind: "died" }
  | { readonly kind: "failed"; readonly message: string; readonly about: Refused["about"] | undefined }
  | { readonly kind: "stopped" };

export type ToCourier =
  | { readonly type: "carry"; readonly order: Order }
  /** The bytes that were asked for; undefined where they can't be had. */
  | { readonly type: "bytes"; readonly number: number; readonly bytes: Uint8Array | undefined }
  /** It is written down that the run begins. */
  | { readonly type: "noted" }
  | { readonly type: "cancel" };

export type FromCourier =
  | { readonly type: "ready" }
  | { readonly type: "read"; readonly number: number; readonly from: number; readonly to: number }
  | { readonly type: "phase"; readonly phase: Phase; readonly done: number; readonly total: number }
  /** Of the delivery itself. */
  | { readonly type: "said"; readonly text: string }
  | { readonly type: "begins"; readonly run: string }
  /** A line of install.sh, which ends before this byte of its log. */
  | { readonly type: "line"; readonly text: string; readonly at: number }
  | { readonly type: "end"; readonly end: CarryEnd };

/** So many bytes are asked for at a time, at most. */
export const readBytes = 524_288;
