/** An installation as the API has it, and the words for what it does and how far it is. */

export type InstallationState = "queued" | "running" | "done" | "findings" | "failed" | "cancelled" | "interrupted";
export type InstallationAction = "check" | "install" | "upgrade" | "rollback" | "uninstall";

export interface Installation {
  readonly id: string;
  readonly cloudlet: string;
  readonly bundle: string;
  readonly organization: string;
  readonly action: InstallationAction;
  readonly parameters: Readonly<Record<string, string>>;
  readonly allowOlder: boolean;
  readonly state: InstallationState;
  readonly attempts: number;
  /** The kept credentials that it used; null where they were given for one run, or none are needed. */
  readonly credential: string | null;
  readonly exitStatus: number | null;
  readonly receipt: string | null;
  readonly requested: string;
  readonly requestedBy: string;
  readonly started: string | null;
  readonly finished: string | null;
}

export interface LoginVariable {
  readonly name: string;
  readonly description: string;
  readonly needed: boolean;
  readonly secret: boolean;
  /** Of several lines. */
  readonly text: boolean;
}

/** What the service says of installing on a platform, for one cloudlet. */
export interface InstallationPlatform {
  readonly platform: string;
  readonly login: "variables" | "none";
  readonly variables: readonly LoginVariable[];
  readonly available: boolean;
  readonly reason: string | null;
}

interface ActionWords {
  /** On a button. */
  readonly name: string;
  readonly does: string;
  /** As a title of what is being done, or was. */
  readonly noun: string;
}

export const actionWords: Readonly<Record<InstallationAction, ActionWords>> = {
  check: { name: "Look only", noun: "Look at", does: "Verifies the bundle, and looks whether the site has what it needs. Nothing is changed." },
  install: { name: "Install", noun: "Installation of", does: "Verifies the bundle, looks at the site, makes the PlatformVM and whatever it needs, and waits until it is well. What is there already from the same bundle stays as it is." },
  upgrade: { name: "Upgrade", noun: "Upgrade of", does: "Puts this bundle into the place of the one that is installed. The PlatformVM is made anew, and is away until it is well; one can go back afterwards." },
  rollback: { name: "Go back", noun: "Going back of", does: "Goes back to what was installed before the last upgrade, with its parameters and secrets. The PlatformVM is away until it is well." },
  uninstall: { name: "Uninstall", noun: "Removal of", does: "Removes everything that was made at the site, the PlatformVM with all that is on it, and proves that nothing is left." },
};

export const actionsInOrder: readonly InstallationAction[] = ["check", "install", "upgrade", "rollback", "uninstall"];

export function isAction(text: string | null): text is InstallationAction {
  return actionsInOrder.some((action) => action === text);
}

/** What is as it was takes neither parameters nor secrets. */
export function takesInputs(action: InstallationAction): boolean {
  return action !== "rollback" && action !== "uninstall";
}

export function isOver(state: string): boolean {
  return state !== "queued" && state !== "running";
}

/** The class of a tag, and what a state means in words. */
export const stateWords: Readonly<Record<InstallationState, readonly [tag: string, word: string, means: string]>> = {
  queued: ["", "queued", "It waits for its turn."],
  running: ["look", "running", "install.sh is at work."],
  done: ["good", "done", "install.sh has ended well."],
  findings: ["look", "findings", "Something stands in the way."],
  failed: ["bad", "failed", "It did not come to its end."],
  cancelled: ["look", "cancelled", "Somebody has stopped it. What was done stays, and is recorded."],
  interrupted: ["look", "interrupted", "The service was stopped, or died, while it ran. What was done stays, and is recorded."],
};
