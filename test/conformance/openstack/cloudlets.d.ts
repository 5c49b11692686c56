/** Specs of the scenarios, small enough for the lab: 8 vCPUs, 16 GiB, 3 floating IPs, 20 ports. */
import type { BuiltBundle } from "../bundle.ts";
export interface Choice {
    readonly name: string;
    readonly organization?: string;
    readonly flavor?: string;
    /** YAML of networks.external, as flow mappings. */
    readonly networks?: readonly string[];
    /** Number of the release, from 1. */
    readonly sequence?: number;
}
export declare const dhcp = "{name: provider, purpose: management, address: {mode: dhcp}}";
export declare const floating = "{name: cb-own, purpose: ue, address: {mode: floating, pool: public}}";
export declare const fixed = "{name: cb-static, purpose: internet, address: {mode: static, ip: 10.77.0.77, prefix: 24}}";
/** The same choice gives the same bundle; `folder` keeps two of them apart. */
export declare function cloudlet(folder: string, choice: Choice): Promise<BuiltBundle>;
