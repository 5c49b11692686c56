/** The state directory is gone: what is installed is known by name and mark. A half-sent image is sent again. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
