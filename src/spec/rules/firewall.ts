/** The PlatformVM's security group. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import type { Draft } from "../draft.ts";
import { entries } from "../draft.ts";
import { parseCidr } from "../ip.ts";
import type { FirewallRule } from "../spec.ts";
import { cidrIssues } from "./networks.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

export const firewall: Rule = ({ firewall: group }) => {
  const ssh = entries(group?.ssh?.from).flatMap(([index, cidr]) => {
    const pointer = below("/firewall/ssh/from", index);
    return isWorld(cidr) ? [sshOpen(pointer)] : cidrIssues(cidr, pointer);
  });
  const ingress = entries(group?.ingress).flatMap(([index, rule]) => {
    const pointer = below("/firewall/ingress", index);
    return isWorld(rule.cidr) && coversSsh(rule) ? [sshOpen(pointer)] : ruleIssues(rule, pointer);
  });
  const egress = entries(group?.egress).flatMap(([index, rule]) => ruleIssues(rule, below("/firewall/egress", index)));
  return [...ssh, ...ingress, ...egress];
};

function ruleIssues(rule: Draft<FirewallRule>, pointer: string): readonly Issue[] {
  const issues = rule.cidr === undefined ? [] : [...cidrIssues(rule.cidr, below(pointer, "cidr"))];
  const { from, to } = rule.ports ?? {};
  if (rule.ports !== undefined && (rule.protocol === "icmp" || rule.protocol === "any")) {
    issues.push(
      error(
        "spec/ports",
        below(pointer, "ports"),
        `${rule.protocol === "any" ? "a rule for any protocol" : "ICMP"} has no ports`,
        "delete them, or use tcp or udp",
      ),
    );
  } else if (from !== undefined && to !== undefined && from > to) {
    issues.push(
      error(
        "spec/ports",
        below(pointer, "ports"),
        `the range ${from} to ${to} is empty`,
        "the smaller port comes first",
      ),
    );
  }
  return issues;
}

function isWorld(cidr: string | undefined): boolean {
  return cidr !== undefined && parseCidr(cidr)?.prefix === 0;
}

function coversSsh(rule: Draft<FirewallRule>): boolean {
  if (rule.protocol === "any") return true;
  return rule.protocol === "tcp" && (rule.ports?.from ?? 1) <= 22 && (rule.ports?.to ?? 65_535) >= 22;
}

function sshOpen(pointer: string): Issue {
  return error(
    "spec/ssh-open",
    pointer,
    "SSH would be open to the whole world, where it is tried within minutes",
    "name the networks that administrators come from",
  );
}
