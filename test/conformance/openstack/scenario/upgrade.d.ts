/** --upgrade to a second release keeps port and floating IP; --rollback goes back; --uninstall leaves nothing. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
