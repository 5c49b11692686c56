/** RFC 6901 JSON pointers. */

/** The pointer to `key` below `pointer`; RFC 6901 section 3: `~` and `/` are escaped. */
export function below(pointer: string, ...keys: readonly (string | number)[]): string {
  return keys.reduce<string>(
    (path, key) => `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`,
    pointer,
  );
}

/** The keys of a pointer, unescaped; [] for "". */
export function keysOf(pointer: string): readonly string[] {
  return pointer === ""
    ? []
    : pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}
