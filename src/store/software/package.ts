/** A package as a database of a container's files names it, before it has its package URL. */

export interface FoundPackage {
  readonly type: "apk" | "deb" | "rpm";
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The source package that it was built from, where it has another name. */
  readonly source?: string;
  /** As the package states it: an SPDX expression for apk and newer rpm, Debian's short names for deb. */
  readonly licence?: string;
  /** Who maintains it, as the package states it. */
  readonly supplier?: string;
}

/** No lock takes more of one image, and no distribution's has as many. */
const mostPackages = 20_000;

/** All of them. Throws where they are more than any image has. */
export function atMost(packages: Iterable<FoundPackage>): readonly FoundPackage[] {
  const found: FoundPackage[] = [];
  for (const each of packages) if (found.push(each) > mostPackages) throw new Error(`more than ${mostPackages} packages`);
  return found;
}
