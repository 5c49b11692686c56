/** Whose keys a bundle carries: who may log in, whom the guest trusts, who may sign. */

import { createHash, X509Certificate } from "node:crypto";
import { trustFolder } from "../../pack/layout.ts";
import type { Spec } from "../../spec/spec.ts";
import type { AuditFile, AuditInput } from "../audit/input.ts";

export interface ReportKeys {
  /** Who may log in to the guest. */
  readonly users: readonly { readonly name: string; readonly sudo: boolean; readonly keys: readonly SshKey[] }[];
  /** Authorities whose certificates let somebody in. */
  readonly sshAuthorities: readonly SshKey[];
  /** Where the IaaS itself can let a key in: the pair that the spec names, if any; null where the IaaS has no such thing. */
  readonly siteKeyPair: { readonly name: string | null } | null;
  /** By which install.sh knows the machines of a pool. */
  readonly hostKeys: readonly { readonly machine: string; readonly key: SshKey }[];
  /** Certificates that the guest trusts besides the image's own. */
  readonly certificates: readonly ReportCertificate[];
  /** Trust policies, from the first to the one in force; none where one key signs. */
  readonly policies: readonly ReportPolicy[];
}

export interface SshKey {
  readonly type: string;
  /** As `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
  readonly comment: string;
}

export interface ReportCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** `SHA256:` and 64 hexadecimal digits, over the DER. */
  readonly fingerprint: string;
}

export interface ReportPolicy {
  readonly version: number;
  /** Of the file; what an operator is given. */
  readonly fingerprint: string;
  readonly threshold: number;
  /** `never`, or a time and `warn` or `refuse`. */
  readonly until: string;
  readonly keys: readonly { readonly name: string; readonly fingerprint: string }[];
}

export function keysOf({ spec, files }: AuditInput): ReportKeys {
  return {
    users: spec.users.map(({ name, sudo, sshAuthorizedKeys }) => ({ name, sudo, keys: sshAuthorizedKeys.map(sshKey) })),
    sshAuthorities: spec.trust.sshUserCaKeys.map(sshKey),
    siteKeyPair: siteKeyPairOf(spec),
    hostKeys: hostKeysOf(spec),
    certificates: certificatesOf(spec),
    policies: files.filter(({ path }) => path.startsWith(trustFolder) && path.endsWith(".policy")).map(policyIn),
  };
}

/** RFC 4253 section 6.6; the digest of the key's blob in base64 without padding, as OpenSSH writes it. */
function sshKey(line: string): SshKey {
  const [type = "", data = "", ...comment] = line.trim().split(/ +/);
  const digest = createHash("sha256").update(Buffer.from(data, "base64")).digest("base64");
  return { type, fingerprint: `SHA256:${digest.replace(/=+$/, "")}`, comment: comment.join(" ") };
}

/** Nova gives the image's default user a pair that the spec names, or the site when it installs (`--parameter key_name=NAME`). */
function siteKeyPairOf({ platform }: Spec): ReportKeys["siteKeyPair"] {
  if (platform.type !== "openstack") return null;
  const { keyName } = platform.parameters as unknown as { readonly keyName?: string };
  return { name: keyName ?? null };
}

function hostKeysOf({ platform }: Spec): ReportKeys["hostKeys"] {
  const { machines = [] } = platform.parameters as unknown as { readonly machines?: readonly { readonly name: string; readonly hostKeys?: readonly string[] }[] };
  return platform.type === "vmpool" ? machines.flatMap(({ name, hostKeys = [] }) => hostKeys.map((line) => ({ machine: name, key: sshKey(line) }))) : [];
}

function certificatesOf({ trust }: Spec): readonly ReportCertificate[] {
  return trust.caCertificates.map((pem) => {
    const { subject, issuer, validFromDate, validToDate, fingerprint256 } = new X509Certificate(pem);
    return {
      subject: subject.replaceAll("\n", ", "),
      issuer: issuer.replaceAll("\n", ", "),
      notBefore: secondsOf(validFromDate),
      notAfter: secondsOf(validToDate),
      fingerprint: `SHA256:${fingerprint256.replaceAll(":", "").toLowerCase()}`,
    };
  });
}

function secondsOf(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}

/** The lines of docs/bundle-format.md section 8; whether they are in order, verify says. */
function policyIn({ lines, sha256 }: AuditFile): ReportPolicy {
  const after = (word: string): string => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? "";
  return {
    version: Number(after("version")),
    fingerprint: `SHA256:${sha256 ?? ""}`,
    threshold: Number(after("threshold")),
    until: after("until"),
    keys: lines.flatMap((line) => {
      const [, fingerprint, name] = /^key (SHA256:[0-9a-f]{64}) \S+ (\S+)$/.exec(line) ?? [];
      return fingerprint === undefined || name === undefined ? [] : [{ name, fingerprint }];
    }),
  };
}
