/** A delivery as the API has it, and the words for what it does and how far it is. */

import { actionWords as installWords, takesInputs as installTakes, type Installation, type InstallationAction, type InstallationState } from "../installations/installation.ts";
import { sizeText } from "../parts/words.tsx";

export type DeliveryAction = InstallationAction | "deliver" | "status" | "remove";

export interface Progress {
  readonly phase: "connecting" | "checking" | "comparing" | "sending" | "verifying" | "running" | "removing";
  /** Bytes; a total of 0 is not known. */
  readonly done: number;
  readonly total: number;
}

export interface Delivery extends Omit<Installation, "action" | "credential"> {
  readonly action: DeliveryAction;
  readonly host: string;
  readonly jumps: readonly string[];
  readonly hostKeys: string;
  readonly folder: string;
  readonly source: string;
  readonly removeAfter: boolean;
  readonly progress: Progress | null;
}

interface ActionWords {
  readonly name: string;
  readonly noun: string;
  readonly does: string;
}

export const actionWords: Readonly<Record<DeliveryAction, ActionWords>> = {
  ...installWords,
  deliver: { name: "Bring it only", noun: "Delivery of", does: "Brings the bundle to the host, and has it verified there. Nothing of it is run." },
  status: { name: "Ask how it is", noun: "Status of", does: "Asks install.sh there how what it has installed is. Nothing is changed." },
  remove: { name: "Take away what was brought", noun: "Clearing up of", does: "Removes the bundle and the log from the host, and looks whether they are gone. What install.sh has installed stays, and so does its journal." },
};

export const actionsInOrder: readonly DeliveryAction[] = ["deliver", "check", "install", "upgrade", "rollback", "status", "uninstall", "remove"];

export function isAction(text: string | null): text is DeliveryAction {
  return actionsInOrder.some((action) => action === text);
}

/** What install.sh does itself, as against what is done with the bundle. */
export function isRun(action: DeliveryAction): action is InstallationAction | "status" {
  return action !== "deliver" && action !== "remove";
}

/** Whether it takes parameters and secrets. */
export function takesInputs(action: DeliveryAction): action is InstallationAction {
  return isRun(action) && action !== "status" && installTakes(action);
}

/** The class of a tag, and what a state means in words. */
export const stateWords: Readonly<Record<InstallationState, readonly [tag: string, word: string, means: string]>> = {
  queued: ["", "queued", "It waits for its turn."],
  running: ["look", "running", "It is at work."],
  done: ["good", "done", "It has ended well."],
  findings: ["look", "findings", "Something stands in the way."],
  failed: ["bad", "failed", "It did not come to its end."],
  cancelled: ["look", "cancelled", "Somebody has stopped it. What has arrived stays, and a retry goes on."],
  interrupted: ["look", "interrupted", "The service was stopped, or died. An installation that was begun at the host goes on, and a retry shows it."],
};

/** As a sentence without its end. */
export function progressText({ phase, done, total }: Progress): string {
  const far = total === 0 ? "" : `: ${sizeText(done)} of ${sizeText(total)}`;
  return `${phaseWords[phase]}${far}`;
}

const phaseWords: Readonly<Record<Progress["phase"], string>> = {
  connecting: "connecting", checking: "looking whether the service's own copy is whole", comparing: "comparing what is there already", sending: "sending",
  verifying: "the host verifies the bundle", running: "install.sh is at work there", removing: "taking away what was brought",
};
