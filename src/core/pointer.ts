/** RFC 6901 JSON pointers. */

/** The pointer to `key` below `pointer`; RFC 6901 section 3: `~` and `/` are escaped. */
export function below(pointer: string, ...keys: readonly (string | number)[]): string {
  let path = pointer;
  for (const key of keys) path += `/${typeof key === "number" || !/[~/]/.test(key) ? key : key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return path;
}

/** The keys of a pointer, unescaped; [] for "". */
export function keysOf(pointer: string): readonly string[] {
  return pointer === ""
    ? []
    : pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}
