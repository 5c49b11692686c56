/** The same bundle with other secrets or parameters: --upgrade applies them, and can be rolled back. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
