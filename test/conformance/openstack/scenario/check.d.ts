/** --check finds what stands in the way, all at once, and changes nothing. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
