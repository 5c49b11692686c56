/** Who is logged in: the token, in memory and in this tab's storage, and what becomes of it when it ends. */

import type { Session } from "./api.ts";

export interface Me {
  readonly name: string;
  readonly platformRole: "admin" | "auditor" | null;
  readonly memberships: readonly { readonly organization: string; readonly role: "manager" | "contributor" | "viewer" }[];
}

export interface SessionStore extends Session {
  readonly set: (token: string | undefined) => void;
  readonly subscribe: (heard: () => void) => () => void;
  /** True while requests wait for somebody to log in again. */
  readonly isExpired: () => boolean;
  /** Nobody logs in again: what waits is refused. */
  readonly giveUp: () => void;
}

const key = "cloudlet-bundle.session";

export function sessionStore(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">): SessionStore {
  let token = storage.getItem(key) ?? undefined;
  let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((heard) => heard());
  return {
    token: () => token,
    set: (next) => {
      token = next;
      if (next === undefined) storage.removeItem(key);
      else storage.setItem(key, next);
      const resumed = waiting;
      waiting = [];
      if (next !== undefined) resumed.forEach(({ resolve }) => resolve());
      else resumed.forEach(({ reject }) => reject(new Error("signed out")));
      tell();
    },
    // Another request has brought a new one meanwhile: this one goes out again at once.
    renew: (rejected) => (token !== rejected && token !== undefined ? Promise.resolve() : new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      tell();
    })),
    isExpired: () => waiting.length > 0,
    giveUp() {
      this.set(undefined);
    },
    subscribe: (heard) => {
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
  };
}
