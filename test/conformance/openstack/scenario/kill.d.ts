/** SIGKILL at every line of the journal in turn; what install.sh had started goes on by itself. The next run completes. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
