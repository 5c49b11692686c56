/** The same plan from four shells, and an install and an uninstall by two of them. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
