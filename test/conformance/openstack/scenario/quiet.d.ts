/** From verification to receipt nobody is talked to but the lab: every connect and send of every process is read. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
