/** The scenarios against OpenStack, each with what it costs, and which of them a run takes. */
export interface Scenario {
    readonly name: string;
    /** Measured on two busy cores. */
    readonly seconds: number;
    /** always: in every run. rotate: one of these, chosen by the commit. full: only with --full. */
    readonly when: "always" | "rotate" | "full";
}
export declare const scenarios: readonly Scenario[];
/** CONFORMANCE_FULL: all; CONFORMANCE_SEED (a commit): which of the rotating ones; CONFORMANCE_ONLY: names, by comma. */
export declare function takes(name: string, environment?: Readonly<Record<string, string | undefined>>): boolean;
