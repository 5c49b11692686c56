/** --yes ends with a complete stack and an active server; once more changes nothing; no secret shows anywhere. */
import type { Test } from "tap";
export declare function run(t: Test): Promise<void>;
/** Values as given, and as base64. */
export declare function secretsOf(file: string): readonly string[];
/** Looks at all arguments of all processes as long as `alive`; gives those that hold one of the texts. */
export declare function watchProcesses(alive: () => boolean, texts: readonly string[]): Promise<readonly string[]>;
