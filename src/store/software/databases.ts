/** The package databases that are known: where each kind lies, and how it is read. */

import type { LockedSoftware } from "../../spec/lock.ts";
import { apkPackages } from "./apk.ts";
import type { DatabaseFile } from "./database-file.ts";
import { dpkgPackages } from "./dpkg.ts";
import type { FoundPackage } from "./package.ts";
import { rpmPackages } from "./rpm.ts";

export interface Database {
  readonly kind: LockedSoftware["databases"][number]["kind"];
  readonly path: RegExp;
  /** Those of whole distributions have some 5 MiB, rpm's some 30. Bytes. */
  readonly most: number;
  /** Throws where it is not readable. Undefined: it is recognised, not read. */
  readonly read: ((file: DatabaseFile) => readonly FoundPackage[]) | undefined;
}

const textLimit = 24 * 1024 * 1024;
const rpmLimit = 96 * 1024 * 1024;

/** RPM's two older forms are recognised, not read. */
export const databases: readonly Database[] = [
  { kind: "dpkg", path: /^var\/lib\/dpkg\/(status|status\.d\/[^/]+(?<!\.md5sums))$/, most: textLimit, read: dpkgPackages },
  { kind: "apk", path: /^(usr\/)?lib\/apk\/db\/installed$/, most: textLimit, read: apkPackages },
  { kind: "rpm", path: /^(var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/rpmdb\.sqlite$/, most: rpmLimit, read: rpmPackages },
  { kind: "rpm", path: /^(var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/Packages(\.db)?$/, most: rpmLimit, read: undefined },
];
