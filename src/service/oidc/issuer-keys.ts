/** An issuer's public keys: fetched when they are needed, kept while they are good, and asked for again neither by many at once nor at anyone's will. */

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";

/** For so long nobody asks again, unless a token names a key that is not among them. */
export const freshMs = 10 * 60_000;

/** For so long keys go on when the issuer is away; who takes a key back there wants it to be heard of at last. */
export const staleMs = 24 * 3_600_000;

/** Between two times of asking: whoever sends tokens with made-up keys makes the service ask no oftener. */
export const coolDownMs = 30_000;

/** The same after a time that has failed. */
export const retryMs = 10_000;

/** The keys can't be had, so nothing can be said of a token. */
export class KeysAway extends Error {
  override readonly name = "KeysAway";
}

export interface KeySource {
  /** Throws where they can't be had. */
  readonly load: () => Promise<JSONWebKeySet>;
  /** Milliseconds since the Epoch. */
  readonly now: () => number;
  readonly failed: (error: Error) => void;
}

/** For jose: throws KeysAway, or what jose throws where there is no such key. */
export function issuerKeys({ load, now, failed }: KeySource): JWTVerifyGetKey {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let fetched = 0;
  let tried = -Infinity;
  let isAway = false;
  let pending: Promise<void> | undefined;

  const attempt = async (): Promise<void> => {
    tried = now();
    try {
      keys = createLocalJWKSet(await load());
      fetched = now();
      isAway = false;
    } catch (error) {
      isAway = true;
      failed(error as Error);
    }
  };
  /** One at a time, for all who wait; nothing where it is too early. */
  const refresh = async (): Promise<void> => {
    if (pending === undefined && now() - tried < (isAway ? retryMs : coolDownMs)) return;
    pending ??= attempt().finally(() => (pending = undefined));
    await pending;
  };
  const usable = async (): Promise<ReturnType<typeof createLocalJWKSet>> => {
    const age = now() - fetched;
    if (keys === undefined || age >= staleMs) await refresh();
    // Nobody waits for this: the keys that are there are still good.
    else if (age >= freshMs) void refresh();
    if (keys === undefined || now() - fetched >= staleMs) throw new KeysAway("the issuer's keys can't be had");
    return keys;
  };

  return async (header, token) => {
    const before = await usable();
    try {
      return await before(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      const after = await usable();
      if (after !== before) return after(header, token);
      // It may be signed with a key that is newer than what is known here.
      throw isAway ? new KeysAway("the issuer's keys may have changed, and can't be had") : error;
    }
  };
}
