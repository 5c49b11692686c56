/** A floating IP that the site has given by id outlives the stack; hostile names go through unchanged. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
