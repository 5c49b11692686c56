/** The paths of a bundle as a tree: folders first told, each with what is in it. */

export interface BundleFile {
  readonly path: string;
  readonly mode: string;
  readonly role: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

export interface Branch {
  /** The same as its path: collections of React Aria tell their items apart by it. */
  readonly id: string;
  /** Its whole path; of a folder with `/` at the end. */
  readonly path: string;
  readonly name: string;
  /** Of a file. */
  readonly file?: BundleFile;
  readonly branches: readonly Branch[];
}

/** In the order of the bundle; a folder stands where its first file does. */
export function treeOf(files: readonly BundleFile[], folder = ""): readonly Branch[] {
  const names = new Map<string, BundleFile[]>();
  for (const file of files) {
    const [name = ""] = file.path.slice(folder.length).split("/");
    const path = file.path === `${folder}${name}` ? file.path : `${folder}${name}/`;
    names.set(path, [...(names.get(path) ?? []), file]);
  }
  return [...names].map(([path, inside]) => {
    const name = path.slice(folder.length);
    const [file] = inside;
    return path.endsWith("/") || file === undefined ? { id: path, path, name, branches: treeOf(inside, path) } : { id: path, path, name, file, branches: [] };
  });
}
