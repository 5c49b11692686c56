/** The lab as a test sees it: as the project's user, as the administrator, and what is left in the project. */
export declare const labDir: string;
export type Environment = Readonly<Record<string, string>>;
/** The variables of an openrc file, with nothing else of this process's environment. */
export declare function login(file: "openrc" | "openrc-admin"): Environment;
export declare const member: Readonly<Record<string, string>>;
export declare const administrator: Readonly<Record<string, string>>;
/** What the client prints, without the last newline. Throws with its error. */
export declare function openstack(words: readonly string[], environment?: Environment): string;
export declare function openstackJson(words: readonly string[], environment?: Environment): unknown;
export declare function projectId(): string;
export interface Inventory {
    readonly [kind: string]: readonly string[];
}
/** Everything of the project that a bundle can make, by kind: ids, sorted. */
export declare function inventory(): Inventory;
/** The stack and its server as Heat and Nova date them: equal before and after, nothing was touched. */
export declare function stamp(stack: string): unknown;
