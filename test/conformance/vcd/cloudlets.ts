/** Bundles of the scenarios, and the server that they are installed into. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";
import { VcdServer } from "./server.ts";
import type { Options } from "./server.ts";

const folder = join(import.meta.dirname, "../../../out/conformance/vcd");

export interface Choice {
  readonly name: string;
  /** Number of the release, from 1. */
  readonly sequence: number;
  /** YAML of networks.external, as flow mappings. */
  readonly networks?: readonly string[];
  /** YAML of platform.parameters. */
  readonly parameters?: readonly string[];
}

const cards = [
  "{name: ue, purpose: ue, address: {mode: static, ip: 203.0.113.10, prefix: 24, gateway: 203.0.113.1}}",
  "{name: mgmt, purpose: management, address: {mode: dhcp}}",
];
const placed = ["catalog: cloudlets", "nsxType: NSX-T", 'storageProfile: gold', 'networks: {ue: {network: "ue <routed> & co"}}'];

export async function cloudlet({ name, sequence, networks = cards, parameters = placed }: Choice): Promise<BuiltBundle> {
  const spec = [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${name}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 38.72, longitude: -9.14}",
    "access: restricted",
    "dynamicIps: 8",
    `platform: {type: vcd, parameters: {${parameters.join(", ")}}}`,
    "compute: {flavor: m4.medium}",
    "networks:",
    "  external:",
    ...networks.map((network) => `    - ${network}`),
    "",
  ].join("\n");
  return buildBundle(`vcd-${name}-${sequence}`, spec, {
    release: (text) => text.replace(/^name: .*$/m, `name: "conformance.${sequence}"`).replace(/^sequence: .*$/m, `sequence: ${sequence}`),
  });
}

export const login = { org: "ExampleTel", user: "operator", password: `p"a\\ss'w$(x) & <ö>`, token: "kJ7mAPITOKENkJ7m" };

/** A server that serves, with a certificate of its own CA. */
export async function openServer(options: Partial<Options> = {}): Promise<VcdServer> {
  const { key, certificate } = certificateFiles();
  const server = new VcdServer({
    key: readFileSync(key, "utf8"),
    certificate: readFileSync(certificate, "utf8"),
    login,
    versions: ["32.0", "33.0", "36.3", "41.0"],
    prefix: "",
    networks: ["ue <routed> & co", "mgmt"],
    storage: { limitMiB: 500_000, usedMiB: 1000 },
    memory: { limitMiB: 0, usedMiB: 0 },
    ...options,
  });
  await server.listen();
  return server;
}

/** Of 127.0.0.1, signed by itself; made once. */
export function certificateFiles(): { readonly key: string; readonly certificate: string } {
  mkdirSync(folder, { recursive: true });
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  if (!existsSync(certificate)) {
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=vcd", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];
    execFileSync("openssl", words, { stdio: "ignore" });
  }
  return { key, certificate };
}

/** The operator's environment. */
export function loginTo(server: VcdServer): Readonly<Record<string, string>> {
  return { VCD_URL: server.url, VCD_ORG: login.org, VCD_USER: login.user, VCD_PASSWORD: login.password, VDC_NAME: "edge & vdc", VCD_CACERT: certificateFiles().certificate };
}

/** Values of site.env. */
export function site(bundle: BuiltBundle, name: string): string {
  const line = readFileSync(join(bundle.folder, "site.env"), "utf8").split("\n").find((each) => each.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`site.env has no ${name}`);
  return line.slice(name.length + 2, -1).replaceAll("'\\''", "'");
}
