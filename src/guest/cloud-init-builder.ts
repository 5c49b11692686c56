/** A typed, composable builder of cloud-init user-data, usable by itself.
 *
 * Each function makes one part of a cloud-config, `cloudConfig` merges the parts and writes the text. Keys and types are
 * those of cloud-init 22.4 and later.
 *
 *     const { text } = cloudConfig([
 *       hostname("berlin-1"),
 *       users([{ name: "ops", sshAuthorizedKeys: ["ssh-ed25519 AAAA… ops"], sudo: true }]),
 *       writeFiles([{ path: "/etc/motd", content: "edge\n", mode: 0o644 }]),
 *     ]);
 */

import { sha256, hexOf } from "../core/digest.ts";
import { novaUserDataBytes } from "../core/limits.ts";
import type { Val } from "../core/origin.ts";
import type { Lines, Node, NodeMap, Text } from "./cloud-config.ts";
import { isLines, isVal, plainText } from "./cloud-config.ts";
import type { YamlText } from "./yaml-text.ts";
import { yamlText } from "./yaml-text.ts";

export type { Lines, Node, NodeMap, Text } from "./cloud-config.ts";
export type { YamlText } from "./yaml-text.ts";

/** A part of a cloud-config: top-level keys as cloud-init's modules name them. */
export type CloudConfig = NodeMap;

export interface User {
  readonly name: Text;
  readonly sshAuthorizedKeys: readonly Text[];
  /** Root without a password; else no sudo at all. There are no passwords to ask for. */
  readonly sudo: boolean | Val<boolean>;
  readonly shell?: string;
}

export interface GuestFile {
  readonly path: Text;
  /** Text as it will stand in the file, or bytes. */
  readonly content: Text | Lines | Uint8Array;
  /** Permission bits; always said. */
  readonly mode: number;
  /** Default root:root. */
  readonly owner?: string;
  /**
   * `b64` and `gz+b64` say that `content` is so encoded already (text), or is to be encoded (bytes; for `gz+b64` bytes
   * that are gzip's). We don't compress: what zlib makes of the same bytes depends on its version.
   */
  readonly encoding?: "b64" | "gz+b64";
  readonly append?: boolean;
}

/**
 * Merges the parts and writes the text. Lists of the same key are joined in order, objects merged key by key. Throws when
 * two parts give one key different scalars, or when two files have one path: a part would be lost without a word.
 */
export function cloudConfig(parts: readonly CloudConfig[], comment: readonly string[] = []): YamlText {
  const config = parts.reduce<NodeMap>((all, part) => mergeMaps(all, part, ""), {});
  const paths = ((config["write_files"] ?? []) as readonly NodeMap[])
    .filter((file) => file["append"] !== true)
    .map((file) => plainText(file["path"] as Text));
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw new Error(`two files at ${twice}`);
  if (comment.some((line) => /[^\u0020-\u007e]/.test(line))) throw new Error("a comment is one line of ASCII");
  // The first line picks the reader. `## template: jinja` there would make every {{ }} below a program.
  return yamlText(["#cloud-config", ...comment.map((line) => `# ${line}`.trimEnd()), ""].join("\n"), config);
}

/** Host name, also in /etc/hosts, so that looking it up needs no DNS server. */
export function hostname(name: Text): CloudConfig {
  return { hostname: name, preserve_hostname: false, manage_etc_hosts: true };
}

export function timezone(name: string): CloudConfig {
  return { timezone: name };
}

/** People with keys. The image's own default user stays, for it gets the key pair that the IaaS gives. */
export function users(people: readonly User[]): CloudConfig {
  return {
    users: [
      "default",
      ...people.map((person) => ({
        name: person.name,
        // Without it, useradd wants a group of the same name to be free, and Debian has groups such as operator.
        no_user_group: true,
        lock_passwd: true,
        shell: person.shell ?? "/bin/bash",
        ...sudoers(person.sudo),
        ssh_authorized_keys: [...person.sshAuthorizedKeys],
      })),
    ],
  };
}

function sudoers(sudo: boolean | Val<boolean>): NodeMap {
  const rule = "ALL=(ALL) NOPASSWD:ALL";
  if (typeof sudo === "boolean") return sudo ? { sudo: rule } : {};
  return sudo.value ? { sudo: { value: rule, origins: sudo.origins } } : {};
}

/** Nobody logs in with a password, and root not at all. */
export function keysOnly(): CloudConfig {
  return { ssh_pwauth: false, disable_root: true };
}

/** Certificates that the guest trusts besides those of its image; each one PEM block. */
export function caCertificates(certificates: readonly Text[]): CloudConfig {
  return certificates.length === 0 ? {} : { ca_certs: { trusted: [...certificates] } };
}

/** Whoever holds a certificate signed by one of these SSH authorities may log in (sshd's TrustedUserCAKeys). */
export function sshUserAuthorities(keys: readonly Text[]): CloudConfig {
  if (keys.length === 0) return {};
  const path = "/etc/ssh/trusted-user-ca-keys.pem";
  // OpenSSH before 8.2 knows no sshd_config.d, and the images of MobiledgeX have 7.6.
  const line = `TrustedUserCAKeys ${path}`;
  return {
    ...writeFiles([{ path, content: { lines: keys }, mode: 0o644 }]),
    bootcmd: [["sh", "-c", causedBy(keys, `grep -qxF '${line}' /etc/ssh/sshd_config || printf '%s\\n' '${line}' >>/etc/ssh/sshd_config`)]],
  };
}

/** DNS servers for every name, by systemd-resolved, instead of those that DHCP gives. */
export function nameServers(addresses: readonly Text[]): CloudConfig {
  if (addresses.length === 0) return {};
  return {
    ...writeFiles([
      {
        path: "/etc/systemd/resolved.conf.d/50-cloudlet.conf",
        content: { lines: ["[Resolve]", ...addresses.map((address) => withText(address, (text) => `DNS=${text}`)), "Domains=~."] },
        mode: 0o644,
      },
    ]),
    runcmd: [["systemctl", "try-restart", causedBy(addresses, "systemd-resolved.service")]],
  };
}

/** Time servers, by systemd-timesyncd, which is in the image: nothing is installed. */
export function timeServers(servers: readonly Text[]): CloudConfig {
  if (servers.length === 0) return {};
  return { ntp: { enabled: true, ntp_client: "systemd-timesyncd", servers: [...servers] } };
}

/** sudo runs what it runs in a terminal of its own, which nothing can go on writing to afterwards (sudoers(5), use_pty). */
export function sudoTerminal(): CloudConfig {
  return writeFiles([{ path: "/etc/sudoers.d/50-cloudlet", content: "Defaults use_pty\n", mode: 0o440 }]);
}

/** The journal is kept over a reboot; its share of the disk at most, in systemd's notation, such as 500M. */
export function journalLimit(size: string): CloudConfig {
  const path = "/etc/systemd/journald.conf.d/50-cloudlet.conf";
  return {
    ...writeFiles([{ path, content: `[Journal]\nStorage=persistent\nSystemMaxUse=${size}\n`, mode: 0o644 }]),
    runcmd: [["systemctl", "try-restart", "systemd-journald.service"]],
  };
}

export function writeFiles(files: readonly GuestFile[]): CloudConfig {
  return {
    write_files: files.map((file) => ({
      path: file.path,
      owner: file.owner ?? "root:root",
      permissions: octal(file.mode),
      ...(file.append ? { append: true } : {}),
      ...contentOf(file),
    })),
  };
}

function contentOf(file: GuestFile): NodeMap {
  const { content, encoding } = file;
  if (!(content instanceof Uint8Array)) return { ...(encoding === undefined ? {} : { encoding }), content };
  if (encoding === "gz+b64" && !(content[0] === 0x1f && content[1] === 0x8b)) throw new Error("gz+b64 of bytes that are not gzip's");
  return { encoding: encoding ?? "b64", content: Buffer.from(content).toString("base64") };
}

/** Four digits in text; a number would be read as decimal by some and as octal by others. */
function octal(mode: number): string {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) throw new Error(`not a mode: ${mode}`);
  return mode.toString(8).padStart(4, "0");
}

/**
 * What cloud-init does once for each instance is done again until all of it has reached the disk: it notes a module as done
 * before the files that the module wrote are there, and a power cut between the two would lose them for good. `mark` is a
 * file of the guest that says so; these have to be the first of all commands. What was written before them is brought to the
 * disk at once: before 23.1 cloud-init ends at every boot where a power cut has left data/set-hostname empty (canonical/cloud-init
 * pull request 1967).
 */
export function againUntilOnDisk(mark: string): CloudConfig {
  const folder = mark.slice(0, mark.lastIndexOf("/"));
  return {
    ...bootCommands([["sh", "-c", `[ -e ${mark} ] || { sync; rm -f /var/lib/cloud/instance/sem/config_*; }`]]),
    ...runCommands([["sh", "-c", `mkdir -p -m 0700 ${folder} && sync && : >${mark} && sync`]]),
  };
}

/** Commands at every boot, before most of the rest. Each a list of words, so no shell looks at them. */
export function bootCommands(commands: readonly (readonly Text[])[]): CloudConfig {
  return { bootcmd: commands.map((command) => [...command]) };
}

/** Commands once, at the end of the first boot. */
export function runCommands(commands: readonly (readonly Text[])[]): CloudConfig {
  return { runcmd: commands.map((command) => [...command]) };
}

/** The root file system takes the whole disk. */
export function growRoot(): CloudConfig {
  return { growpart: { mode: "auto", devices: ["/"], ignore_growroot_disabled: false }, resize_rootfs: true };
}

/** No package is fetched at boot, and none upgraded: the site has no internet. */
export function noPackages(): CloudConfig {
  return { package_update: false, package_upgrade: false };
}

/** What the machine does when cloud-init is done. */
export function powerState(mode: "reboot" | "poweroff" | "halt", message: string, timeoutSeconds = 30): CloudConfig {
  return { power_state: { mode, message, timeout: timeoutSeconds, condition: true } };
}

export interface MimePart {
  readonly fileName: string;
  readonly type: "text/cloud-config" | "text/x-shellscript" | "text/cloud-boothook" | "text/part-handler" | "text/jinja2";
  readonly text: string;
}

/**
 * Several parts as one user-data: MIME multi-part as cloud-init reads it (RFC 2046), every part in base64, so that no
 * line of it can look like a boundary. The boundary is the digest of the parts: the same parts give the same bytes.
 */
export function multipart(parts: readonly MimePart[]): string {
  const boundary = `=cloudlet-${hexOf(sha256(JSON.stringify(parts))).slice(0, 32)}=`;
  const bodies = parts.map((part) => {
    if (!/^[A-Za-z0-9._-]+$/.test(part.fileName)) throw new Error(`not a plain file name: ${part.fileName}`);
    const base64 = Buffer.from(part.text, "utf8").toString("base64").replace(/.{76}/g, "$&\n").trimEnd();
    return [
      `--${boundary}`,
      `Content-Type: ${part.type}; charset="utf-8"`,
      "MIME-Version: 1.0",
      "Content-Transfer-Encoding: base64",
      `Content-Disposition: attachment; filename="${part.fileName}"`,
      "",
      base64,
      "",
    ].join("\n");
  });
  return [`Content-Type: multipart/mixed; boundary="${boundary}"`, "MIME-Version: 1.0", "", ...bodies, `--${boundary}--`, ""].join("\n");
}

/** How many bytes user-data is above what Nova takes; 0 or less is well. `growth` is what placeholders grow by. */
export function bytesAboveNova(userData: string, growth = 0): number {
  return Buffer.byteLength(userData, "utf8") + growth - novaUserDataBytes;
}

/** A text made from another, with its origins. */
export function withText(text: Text, make: (text: string) => string): Text {
  return typeof text === "string" ? make(text) : { value: make(text.value), origins: text.origins };
}

/** A text that is there because of others, with their origins. */
function causedBy(causes: readonly Text[], text: string): Text {
  const [first, ...rest] = [...new Set(causes.flatMap((cause) => (typeof cause === "string" ? [] : cause.origins)))].sort();
  return first === undefined ? text : { value: text, origins: [first, ...rest] };
}

function mergeMaps(left: NodeMap, right: NodeMap, path: string): NodeMap {
  const merged: { [key: string]: Node } = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const known = Object.hasOwn(merged, key) ? merged[key] : undefined;
    merged[key] = known === undefined ? value : mergeNodes(known, value, `${path}/${key}`);
  }
  return merged;
}

function mergeNodes(left: Node, right: Node, path: string): Node {
  if (Array.isArray(left) && Array.isArray(right)) return [...(left as readonly Node[]), ...(right as readonly Node[])];
  if (isMap(left) && isMap(right)) return mergeMaps(left, right, path);
  if (JSON.stringify(left) === JSON.stringify(right)) return left;
  throw new Error(`two parts disagree about ${path}`);
}

function isMap(node: Node): node is NodeMap {
  return typeof node === "object" && !Array.isArray(node) && !isVal(node) && !isLines(node);
}
