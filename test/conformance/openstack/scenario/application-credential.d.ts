/** Logins by application credential, on a cloud that lets Heat make trusts from them and on one that does not. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
