/** What is being written, kept in this tab's storage until it is sent or thrown away: no step aside and no reload loses it. */

import { useState } from "react";

export interface Draft {
  readonly value: string;
  /** It was there already when the page opened. */
  readonly isOld: boolean;
  /** The version that it was begun with: a draft of yesterday's must not pass for one of today's. */
  readonly base: string;
  readonly set: (value: string) => void;
  readonly forget: () => void;
}

export function useDraft(name: string, initial: string, version = ""): Draft {
  const key = `${prefix}${name}`;
  const [isOld, setOld] = useState(() => (sessionStorage.getItem(key) ?? initial) !== initial);
  const [value, setValue] = useState(() => sessionStorage.getItem(key) ?? initial);
  const [base] = useState(() => (isOld ? (sessionStorage.getItem(`${key}.base`) ?? version) : version));
  return {
    value,
    isOld,
    base,
    set: (next) => {
      setValue(next);
      try {
        if (next === initial) sessionStorage.removeItem(key);
        else {
          sessionStorage.setItem(key, next);
          sessionStorage.setItem(`${key}.base`, base);
        }
      } catch {
        // The storage is full: then the draft is on the page alone.
      }
    },
    forget: () => {
      sessionStorage.removeItem(key);
      sessionStorage.removeItem(`${key}.base`);
      setOld(false);
      setValue(initial);
    },
  };
}

const prefix = "cloudlet-bundle.draft.";
const ownerKey = "cloudlet-bundle.drafts-of";

/** Drafts are their writer's: whoever signs in next in the same tab finds none of them. */
export function keepDraftsOf(name: string): void {
  if (sessionStorage.getItem(ownerKey) !== name) dropDrafts();
  sessionStorage.setItem(ownerKey, name);
}

export function dropDrafts(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
}
