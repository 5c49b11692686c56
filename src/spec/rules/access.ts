/** Who may log in to the guest, and whom it trusts. */

import { X509Certificate } from "node:crypto";
import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { entries } from "../draft.ts";
import { sshKeyFault } from "../ssh-key.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

/** Users that Debian and Ubuntu always have (base-passwd), and those of the services in the image. */
const systemUsers: ReadonlySet<string> = new Set(
  ("daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody _apt messagebus sshd syslog uuidd " +
    "tcpdump landscape pollinate systemd-network systemd-resolve systemd-timesync systemd-coredump dnsmasq _chrony").split(" "),
);

export const users: Rule = ({ users: all }) => {
  const names = new Set<string>();
  return entries(all).flatMap(([index, user]) => {
    const pointer = below("/users", index);
    const issues: Issue[] = entries(user.sshAuthorizedKeys).flatMap(([at, key]) =>
      sshKeyIssues(key, below(pointer, "sshAuthorizedKeys", at)),
    );
    if (user.name === "root") {
      issues.push(
        error(
          "spec/user-root",
          below(pointer, "name"),
          "root does not log in",
          "give the person a name and sudo: true",
        ),
      );
    }
    if (user.name !== undefined && systemUsers.has(user.name)) {
      issues.push(
        error(
          "spec/user-taken",
          below(pointer, "name"),
          `${user.name} is a user of the system's own in the guest`,
          "give the person another name",
        ),
      );
    }
    if (user.name !== undefined && names.has(user.name)) {
      issues.push(
        error("spec/user-twice", below(pointer, "name"), `there is another user ${user.name}`, "give all keys to one"),
      );
    }
    if (user.name !== undefined) names.add(user.name);
    return issues;
  });
};

export const trust: Rule = ({ trust: group }) => [
  ...entries(group?.sshUserCaKeys).flatMap(([index, key]) => sshKeyIssues(key, below("/trust/sshUserCaKeys", index))),
  ...entries(group?.caCertificates).flatMap(([index, pem]) =>
    certificateIssues(pem, below("/trust/caCertificates", index)),
  ),
];

function sshKeyIssues(key: string, pointer: string): readonly Issue[] {
  const fault = sshKeyFault(key);
  return fault === undefined
    ? []
    : [error("spec/ssh-key", pointer, `this SSH public key ${fault}`, "copy the whole line of the .pub file")];
}

function certificateIssues(pem: string, pointer: string): readonly Issue[] {
  const blocks = pem.match(/-----BEGIN [^-\n]*-----/g) ?? [];
  const hint =
    "give one block from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, as `key: |` and the lines below it";
  if (blocks.length !== 1 || blocks[0] !== "-----BEGIN CERTIFICATE-----") {
    return [
      error(
        "spec/certificate",
        pointer,
        blocks.length > 1 ? "this holds several PEM blocks" : "this is no PEM certificate",
        hint,
      ),
    ];
  }
  try {
    new X509Certificate(pem);
    return [];
  } catch {
    return [error("spec/certificate", pointer, "this certificate can't be read; is it whole?", hint)];
  }
}
