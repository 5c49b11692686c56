/** A pool of machines that exist already: one of them becomes the PlatformVM, by SSH or by its own hand. */

import type { Assets } from "../core/assets.ts";
import type { Sourced, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest, Guests } from "../guest/guest.ts";
import type { OwnFile } from "../guest/files.ts";
import { textOfFile } from "../guest/files.ts";
import type { Plan } from "../plan/plan.ts";
import type { Draft, View } from "./draft.ts";
import type { Platform, Requirement } from "./platform.ts";
import { vmpoolIssues } from "./vmpool-check.ts";
import { siteView } from "./site-variables.ts";
import type { PoolMachine } from "./vmpool-parameters.ts";
import { hostKeyAlias, platformMachine, poolMachines } from "./vmpool-parameters.ts";
import { guestFilePath, knownHostsPath, vmpoolVariables } from "./vmpool-site.ts";

export const vmpool: Platform = {
  name: "vmpool",
  startHere: {
    place: "pool of machines",
    access: "See that ssh on this machine can log in to the PlatformVM with a key and without a question; or do all of this on the PlatformVM itself, as root, and add --local.",
  },
  userDataBytes: undefined,
  parameterSchema: "platform-vmpool.schema.json",
  requirements: requirements(),
  check: vmpoolIssues,
  draft,
};

function requirements(): readonly Requirement[] {
  return [
    { what: "a machine of the pool with systemd, which serves the cloudlet alone", why: "the containers are its units, and its firewall lets in only what the spec names" },
    { what: "docker 20 or later, or podman 4.3 or later, on it", why: "install.sh installs no packages" },
    { what: "iptables, and ip6tables where it has IPv6", why: "the machine is its own firewall" },
    { what: "coreutils or BusyBox, awk and journalctl on it", why: "the scripts use nothing else" },
    { what: "root on it by SSH with a key, or a user with sudo that asks for no password", why: "nobody is there to type one" },
    { what: "the public host keys of its SSH server, by a way that can be trusted", why: "an unknown key is never taken" },
    { what: "room for the payload three times", why: "it is sent, loaded, and at an upgrade there beside the former" },
  ];
}

function draft(plan: Plan, [guest]: Guests, assets: Assets): readonly Draft[] {
  const view = poolView(plan, guest);
  const scripts = [...assets.keys()].filter((path) => path.startsWith("vmpool/lib/")).sort();
  const keys = platformMachine(plan).hostKeys;
  return [
    ...guest.files.map(guestFileDraft),
    ...(keys.length === 0 ? [] : [knownHosts(hostKeyAlias(plan), keys)]),
    { kind: "template", path: "site/runbook.md", mode: 0o644, role: "document", template: "vmpool/runbook.md", format: "markdown", view },
    {
      kind: "template",
      path: "site.env",
      mode: 0o644,
      role: "data",
      template: "common/site.env",
      format: "env",
      view: { ...view, variables: vmpoolVariables(plan, guest) },
    },
    ...scripts.map((asset): Draft => ({ kind: "static", path: asset.slice("vmpool/".length), mode: 0o644, role: "script", asset })),
  ];
}

/** A bundle has modes 0644 and 0755 alone; site.env has the one that it gets on the machine. */
function guestFileDraft(file: OwnFile): Draft {
  const { text, spans } = textOfFile(file);
  const isShipped = typeof file.content === "string";
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  return { kind: "text", path: guestFilePath(file), mode: 0o644, role: isShipped ? "script" : "site", source: isShipped ? `templates/guest/${name}` : "guest", text, spans };
}

/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: the name, then type and key without its comment. */
function knownHosts(alias: Val<string>, keys: readonly Val<string>[]): Draft {
  const lines = keys.map((key) => derive([alias, key], (name, text) => `${name} ${text.trim().split(/ +/).slice(0, 2).join(" ")}`));
  return {
    kind: "text",
    path: knownHostsPath,
    mode: 0o644,
    role: "site",
    source: "vmpool",
    text: lines.map((line) => `${line.value}\n`).join(""),
    spans: lines.map(({ value, origins }, index) => ({ line: index + 1, start: 1, end: value.length + 1, origins })),
  };
}

function poolView(plan: Plan, guest: Guest): View {
  const { spec, names } = plan;
  const machine = platformMachine(plan);
  return {
    ...siteView(plan),
    name: names.platformVm,
    host: guest.machine.host,
    pool: spec.vmPool ?? names.platformVm,
    machine: machineView(machine),
    knowsHostKeys: knowsHostKeys(machine),
    machines: poolMachines(plan).map(machineView),
    files: guest.files.map((file) => ({ file: constant(guestFilePath(file)), path: constant(file.path), mode: constant(file.mode.toString(8).padStart(4, "0")) })),
    secrets: guest.machine.slots.map(({ name, description, required, maxBytes, path }) => ({ name, description, required, maxBytes, path })),
    rules: plan.rules
      .filter((rule) => rule.direction.value === "ingress")
      .map(({ protocol, cidr, from, to }) => ({ protocol, cidr, ports: from === undefined || to === undefined ? undefined : { from, to } })),
    containers: guest.machine.containers.map(({ role }) => ({ role })),
  };
}

/** That there are keys is said because of each of them; that there are none, because of the machine. */
function knowsHostKeys({ name, hostKeys }: Sourced<PoolMachine>): Val<boolean> {
  const [first, ...more] = hostKeys;
  return first === undefined ? derive([name], () => false) : derive([first, ...more], () => true);
}

function machineView(machine: Sourced<PoolMachine>): View {
  const { name, internalIp, externalIp, group, role, ssh } = machine;
  return { name, internalIp, externalIp, group, role, user: ssh.user, port: ssh.port };
}

function constant(value: string): Val<string> {
  return val(value, "constant:guest-files");
}
