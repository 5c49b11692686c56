/** Memory that is used again and again by who reads a blob and hands on what was read. */

/** Gives the memory for the next piece, of which `atMost` so many bytes are still to come. */
export type Ring = (atMost: number) => Buffer;

/**
 * Three pieces: one with the caller, one that is being filled, and the one that the caller may still be busy with. `each` is asked
 * anew for the bytes of every piece; what is larger by then is let go. Nothing is taken before it is needed.
 */
export function ringOf(each: () => number): Ring {
  const pieces: (Buffer | undefined)[] = [undefined, undefined, undefined];
  let turn = 0;
  return (atMost) => {
    turn = (turn + 1) % pieces.length;
    const limit = each();
    const wanted = Math.min(limit, atMost);
    const kept = pieces[turn];
    if (kept !== undefined && kept.byteLength >= wanted && kept.byteLength <= limit) return kept;
    return (pieces[turn] = Buffer.allocUnsafeSlow(wanted));
  };
}
