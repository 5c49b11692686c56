/** Pure functions of an object, each asked once for it: of a release, of a static file, of a bundle's texts. */

/**
 * `make`, whose answer is kept with the object as long as that lives; nobody may change either. A copy of the object is
 * another one. Not a WeakMap: V8's quick collection of young objects (13.6) keeps all values of an old WeakMap, so that
 * whatever is known of one bundle would outlive it.
 */
export function oncePer<K extends object, V>(make: (of: K) => V): (of: K) => V {
  const answer = Symbol(make.name);
  return (of) => {
    const known = of as { [answer]?: { readonly value: V } };
    const found = known[answer];
    if (found !== undefined) return found.value;
    const value = make(of);
    // Not enumerable, so that no copy and no comparison sees it.
    Object.defineProperty(of, answer, { value: { value } });
    return value;
  };
}
