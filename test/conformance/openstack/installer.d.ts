/** Runs install.sh of an unpacked bundle as an operator would, and watches it. */
import type { ChildProcess } from "node:child_process";
import type { BuiltBundle } from "../bundle.ts";
import type { Environment } from "./cloud.ts";
export interface Result {
    readonly status: number | null;
    readonly signal: string | null;
    readonly stdout: string;
    readonly stderr: string;
    /** Both, for a test's message. */
    readonly text: string;
    readonly seconds: number;
}
export interface Run {
    /** Default: dash. */
    readonly shell?: readonly string[];
    readonly environment?: Environment;
    /** What install.sh is started under, such as strace. */
    readonly under?: readonly string[];
}
/** One operator's state directory below out/conformance, empty at first. */
export declare class Operator {
    readonly state: string;
    readonly home: string;
    constructor(name: string);
    start(bundle: BuiltBundle, words: readonly string[], run?: Run): ChildProcess;
    run(bundle: BuiltBundle, words: readonly string[], run?: Run): Promise<Result>;
    /** As most runs want it: with the trusted key and the secrets. */
    install(bundle: BuiltBundle, words?: readonly string[], run?: Run): Promise<Result>;
    uninstall(bundle: BuiltBundle, run?: Run): Promise<Result>;
    journal(): string;
    receipt(): {
        readonly [name: string]: unknown;
    };
    /** Starts, and kills install.sh (not what it has started) as soon as the journal has the line. */
    killAt(bundle: BuiltBundle, line: RegExp, words?: readonly string[]): Promise<Result>;
    /** Every byte that a run has left on this machine. */
    traces(): string;
}
export declare function ended(child: ChildProcess): Promise<Result>;
/** Values of site.env. */
export declare function site(bundle: BuiltBundle): (name: string) => string;
