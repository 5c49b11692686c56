/** Rules about networks: what is let in and out, by which ports, and how the guest is reached without them. */

import { everyRef, heatOf, listOf, objectOf, resourcesOf, siteVariables } from "./guest-view.ts";
import type { AuditInput } from "./input.ts";
import { fileAt, placeAt } from "./input.ts";
import type { LetThrough } from "./exposure.ts";
import { allPorts, isEverybody, letThroughOf, reaches } from "./exposure.ts";
import type { Check, Finding } from "./rule.ts";
import { counted, met, notApplicable, unmetAt } from "./rule.ts";

export const networkChecks: readonly Check[] = [
  {
    rule: {
      id: "NET-01",
      title: "Nothing is open to the world that the spec does not name",
      severity: "high",
      sources: ["OpenStack Security Guide, Networking: security groups", "NIST SP 800-53 r5 SC-7, SC-7(5)"],
      why: "A rule that a template brings along is one that nobody has decided about.",
      remedy: "Take the rule out of the template, or name it in `firewall.ingress`.",
    },
    check: (input) => {
      const rules = letThroughOf(input).filter(({ direction }) => direction === "ingress");
      const unnamed = rules.filter((rule) => isEverybody(rule.cidr) && !isNamed(rule, input));
      return unmetAt(unnamed.map(({ place }) => place), "rules that let in the whole world, and which the spec does not name", `${counted(rules.length, "rule")} for what comes in, each from the spec where it lets in everybody`);
    },
  },
  {
    rule: {
      id: "NET-02",
      title: "SSH can't be reached from the whole world",
      severity: "high",
      sources: ["NIST SP 800-53 r5 AC-17, SC-7", "OpenStack Security Guide, Networking: security groups"],
      why: "It is the first port that is tried by everybody.",
      remedy: "List the networks of the operators in `firewall.ssh.from`, and no rule of `firewall.ingress` for port 22 from everybody.",
    },
    check: (input) => {
      const open = letThroughOf(input).filter((rule) => rule.direction === "ingress" && isEverybody(rule.cidr) && reaches(rule, 22));
      return unmetAt(open.map(({ place }) => place), "rules that let the whole world reach port 22", "no rule lets everybody reach port 22");
    },
  },
  {
    rule: {
      id: "NET-03",
      title: "Every port has a named network, and a security group where the IaaS has them",
      severity: "high",
      sources: ["OpenStack Security Guide, Networking: tenant networks", "NIST SP 800-53 r5 SC-7, CM-6"],
      why: "A port on whichever network there is, or with the project's default group, is open to others than was meant.",
      remedy: "Give every port `network` and `security_groups`.",
    },
    check: ports,
  },
  {
    rule: {
      id: "NET-04",
      title: "Nobody lets in the whole world",
      severity: "medium",
      sources: ["NIST SP 800-53 r5 SC-7(5), AC-4"],
      why: "Few services are meant for everybody, also where the spec names them.",
      remedy: "Name the networks in the rule's `cidr`, or waive this with the reason.",
    },
    check: (input) => {
      const open = letThroughOf(input).filter(({ direction, cidr }) => direction === "ingress" && isEverybody(cidr));
      return unmetAt(open.map(({ place }) => place), "rules that let in everybody", "no rule lets in everybody");
    },
  },
  {
    rule: {
      id: "NET-05",
      title: "What goes out is limited to whom it is for",
      severity: "low",
      sources: ["NIST SP 800-53 r5 SC-7(5), CM-7"],
      why: "What gets into the guest can call its master if it may call anybody.",
      remedy: "List controller, DNS, NTP and the IaaS in `firewall.egress`, instead of everybody.",
    },
    check: (input) => {
      const open = letThroughOf(input).filter(({ direction, cidr, protocol }) => direction === "egress" && isEverybody(cidr) && !protocol.includes("icmp"));
      return unmetAt(open.map(({ place }) => place), "the guest may reach everybody", "the guest may reach only whom the spec names");
    },
  },
  {
    rule: {
      id: "NET-06",
      title: "The guest's data comes with a disk, not over the network",
      severity: "low",
      sources: ["OpenStack Security Guide, Compute: config drive", "NIST SP 800-53 r5 SC-8"],
      why: "A metadata service answers whoever asks from the guest, without TLS.",
      remedy: "Keep `config_drive: true`.",
    },
    check: (input) => {
      const heat = heatOf(input);
      if (heat === undefined) return notApplicable("No metadata service takes part: the guest's data lies on a disk or in the hypervisor.");
      const without = resourcesOf(heat, "OS::Nova::Server").filter(({ properties }) => properties["config_drive"] !== true);
      return unmetAt(without.map(({ name }) => heat.placeOf("resources", name, "properties")), "servers without a config drive", "every server has a config drive");
    },
  },
  {
    rule: {
      id: "NET-07",
      title: "The hypervisor offers no console over the network",
      severity: "medium",
      sources: ["NIST SP 800-53 r5 AC-17, CM-7", "OpenStack Security Guide, Compute: remote consoles"],
      why: "A VNC port without TLS is a way to the guest's console for all who reach the host.",
      remedy: "Leave out `graphics`, and serial ports by TCP or UDP.",
    },
    check: (input) => {
      const domains = input.files.filter(({ path }) => /^site\/domain(-|\.xml)/.test(path));
      const descriptor = fileAt(input, "ovf/platformvm.ovf");
      if (domains.length === 0 && descriptor === undefined) return notApplicable("The bundle describes no virtual hardware: it must be true of the IaaS that its consoles ask who is there.");
      const places = [...domains, ...(descriptor === undefined ? [] : [descriptor])].flatMap((file) =>
        file.lines.flatMap((line, index) => (/<graphics\b|<(serial|console|channel|parallel)\b[^>]*type=["'](tcp|udp)["']|RemoteDisplay\.vnc/i.test(line) ? [placeAt(file, index + 1)] : [])),
      );
      return unmetAt(places, "a console that is reached over the network", "no display, and serial ports are the host's own");
    },
  },
  {
    rule: {
      id: "HEAT-01",
      title: "Secrets of the stack are hidden",
      severity: "high",
      sources: ["Heat template guide, parameters: hidden", "NIST SP 800-53 r5 IA-5(7), SC-28"],
      why: "Heat shows every other parameter to all who may look at the stack.",
      remedy: "Keep `hidden: true` and no default but an empty one.",
    },
    check: (input) => {
      const heat = heatOf(input);
      if (heat === undefined) return notApplicable("There is no Heat stack.");
      const parameters = Object.entries(objectOf(objectOf(heat.value)["parameters"])).filter(([name]) => name.startsWith("secret_"));
      const shown = parameters.filter(([, each]) => objectOf(each)["hidden"] !== true || (objectOf(each)["default"] ?? "") !== "");
      return unmetAt(shown.map(([name]) => heat.placeOf("parameters", name)), "parameters with a secret that Heat shows", `${counted(parameters.length, "secret")}, each hidden`);
    },
  },
  {
    rule: {
      id: "POOL-01",
      title: "The installer does not log in as root",
      severity: "medium",
      sources: ["CIS Ubuntu 24.04 5.1.20", "NIST SP 800-53 r5 AC-6(2)"],
      why: "The machine's log tells of a person only where a person logs in.",
      remedy: "Name a user who may use sudo in `ssh.user` of the machine.",
    },
    check: (input) => {
      const user = siteVariables(input).get("CB_VP_USER");
      if (user === undefined) return notApplicable("The installer logs in to no machine.");
      return unmetAt(user.value === "root" ? [user.place] : [], "the installer logs in as root", `the installer logs in as ${user.value}`);
    },
  },
  {
    rule: {
      id: "POOL-02",
      title: "The machine's host key is known beforehand",
      severity: "medium",
      sources: ["RFC 4251 section 4.1", "NIST SP 800-53 r5 IA-3, SC-23"],
      why: "Without it the installer would have to trust whoever answers, or somebody has to look it up.",
      remedy: "List the machine's public host keys in `hostKeys`.",
    },
    check: (input) => {
      const known = siteVariables(input).get("CB_VP_KNOWN_HOSTS");
      if (known === undefined) return notApplicable("The installer logs in to no machine.");
      return unmetAt(known.value === "" ? [known.place] : [], "no host key is given: the site has to give its fingerprint", "the bundle holds the machine's host keys");
    },
  },
];

/** By what the rule says, not by where it stands: a line that came in between has no origin of its own. */
function isNamed({ cidr, protocol, ports: range }: LetThrough, { spec }: AuditInput): boolean {
  return spec.firewall.ingress.some((rule) => {
    const named = rule.ports ?? allPorts;
    return rule.cidr === cidr && rule.protocol === (protocol === "ipv6-icmp" ? "icmp" : protocol) && named.from === range.from && named.to === range.to;
  });
}

function ports(input: AuditInput): Finding {
  const heat = heatOf(input);
  if (heat === undefined) return cards(input);
  const groups = resourcesOf(heat, "OS::Neutron::SecurityGroup").map(({ name }) => name);
  const made = resourcesOf(heat, "OS::Neutron::Port");
  const loose = made.filter(({ properties }) => {
    const refs = listOf(properties["security_groups"]).flatMap(everyRef);
    return properties["network"] === undefined || refs.length === 0 || !refs.every((name) => groups.includes(name));
  });
  const servers = resourcesOf(heat, "OS::Nova::Server").flatMap(({ name, properties }) =>
    listOf(properties["networks"]).flatMap((each, index) => (everyRef(objectOf(each)["port"] ?? null).every((port) => made.some((one) => one.name === port)) && objectOf(each)["port"] !== undefined ? [] : [heat.placeOf("resources", name, "properties", "networks", index)])),
  );
  return unmetAt([...loose.map(({ name }) => heat.placeOf("resources", name, "properties")), ...servers], "ports without a network or a security group of the stack's", `${counted(made.length, "port")}, each with network and security group`);
}

/** Of libvirt: every card says what it hangs on, but for the trial network of QEMU's own. */
function cards(input: AuditInput): Finding {
  const domains = input.files.filter(({ path }) => /^site\/domain(-|\.xml)/.test(path));
  if (domains.length === 0) return notApplicable("The bundle makes no ports: an OVF package's networks are mapped when it is deployed, and a machine that is there has its cards.");
  const loose = domains.flatMap((file) =>
    [...file.text.matchAll(/<interface type="(\w+)">([\s\S]*?)<\/interface>/g)].flatMap((match) =>
      match[1] === "user" || /<source (bridge|network|dev)="[^"]+"/.test(match[2] ?? "") ? [] : [placeAt(file, file.text.slice(0, match.index).split("\n").length)],
    ),
  );
  return loose.length > 0 ? unmetAt(loose, "network cards that hang on nothing", "") : met("every network card names what it hangs on");
}
