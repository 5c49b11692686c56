/** Rules about the guest: who logs in, what is asked of them, what is written where. */

import type { Json } from "../../core/json.ts";
import { guestFilesOf, listOf, objectOf, userDataOf } from "./guest-view.ts";
import type { AuditInput, Parsed } from "./input.ts";
import type { AuditPlace, Check, Finding } from "./rule.ts";
import { counted, notApplicable, unmetAt } from "./rule.ts";

/** A finding over every machine's user-data; where there is none, the machines are there already and the site's. */
function inUserData(input: AuditInput, places: (userData: Parsed) => readonly AuditPlace[], message: string, otherwise: string): Finding {
  const all = userDataOf(input);
  if (all.length === 0) return notApplicable("The machines are there already: their own set-up decides it.");
  return unmetAt(all.flatMap(places), message, otherwise);
}

interface GuestUser {
  readonly name: string;
  readonly given: Readonly<Record<string, Json>>;
  readonly placeOf: (...keys: readonly (string | number)[]) => AuditPlace;
}

/** Those that the cloud-config makes; `default`, the image's own, is told by its name alone. */
function usersOf(userData: Parsed): readonly GuestUser[] {
  return listOf(objectOf(userData.value)["users"]).flatMap((each, index): readonly GuestUser[] =>
    typeof each === "string" ? [] : [{ name: String(objectOf(each)["name"]), given: objectOf(each), placeOf: (...keys) => userData.placeOf("users", index, ...keys) }],
  );
}

const sshd = /^\/etc\/ssh\/sshd_config/;

/** Places where sshd's configuration says something of the kind. */
function sshdLines(input: AuditInput, pattern: RegExp): readonly AuditPlace[] {
  return guestFilesOf(input)
    .filter(({ path }) => sshd.test(path))
    .flatMap(({ text, placeOf }) => text.split("\n").flatMap((line, index) => (pattern.test(line) ? [placeOf(index + 1)] : [])));
}

export const guestChecks: readonly Check[] = [
  {
    rule: {
      id: "GUEST-01",
      title: "Nobody logs in as root over SSH",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 5.1.20", "NIST SP 800-53 r5 AC-6(2), AC-17"],
      why: "What root did can't be told from what somebody else did as root.",
      remedy: "Keep `disable_root: true` and give every person a user of their own.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => [
          ...(objectOf(userData.value)["disable_root"] === true ? [] : [userData.placeOf("disable_root")]),
          ...(objectOf(userData.value)["ssh_authorized_keys"] === undefined ? [] : [userData.placeOf("ssh_authorized_keys")]),
          ...usersOf(userData).filter(({ name }) => name === "root").map(({ placeOf }) => placeOf("name")),
          ...sshdLines(input, /^\s*PermitRootLogin\s+(?!no\b)/i),
        ],
        "root may log in over SSH",
        "cloud-init's disable_root is on, and no user is root",
      ),
  },
  {
    rule: {
      id: "GUEST-02",
      title: "No password opens a login",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 5.1.19", "NIST SP 800-53 r5 IA-2, IA-5(1)"],
      why: "A password can be guessed from anywhere that reaches the port; a key can't.",
      remedy: "Keep `ssh_pwauth: false` and `lock_passwd: true`.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => [
          ...(objectOf(userData.value)["ssh_pwauth"] === false ? [] : [userData.placeOf("ssh_pwauth")]),
          ...["chpasswd", "password"].filter((key) => objectOf(userData.value)[key] !== undefined).map((key) => userData.placeOf(key)),
          ...usersOf(userData).filter(({ given }) => given["lock_passwd"] !== true).map(({ placeOf }) => placeOf("name")),
          ...sshdLines(input, /^\s*(PasswordAuthentication|PermitEmptyPasswords)\s+yes\b/i),
        ],
        "a password opens a login",
        "sshd takes no passwords, and every user's is locked",
      ),
  },
  {
    rule: {
      id: "GUEST-03",
      title: "A password that is written is hashed, and strongly",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 5.4.1.4", "NIST SP 800-53 r5 IA-5(1)"],
      why: "User-data can be read by whoever administers the IaaS.",
      remedy: "Write none; or its SHA-512 or yescrypt hash (`$6$…`, `$y$…`).",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => [
          ...(objectOf(userData.value)["password"] === undefined ? [] : [userData.placeOf("password")]),
          ...usersOf(userData).flatMap(({ given, placeOf }) =>
            Object.entries(given).flatMap(([key, value]) => {
              if (key === "plain_text_passwd") return [placeOf(key)];
              return ["passwd", "hashed_passwd"].includes(key) && !/^\$(6|y|gy)\$/.test(String(value)) ? [placeOf(key)] : [];
            }),
          ),
        ],
        "a password is written as it is, or with a weak hash",
        "no password is written",
      ),
  },
  {
    rule: {
      id: "GUEST-04",
      title: "sshd offers strong ciphers only",
      severity: "medium",
      sources: ["CIS Ubuntu 24.04 5.1.6", "NIST SP 800-53 r5 SC-8, SC-13"],
      why: "CBC modes, RC4 and 3DES are broken or nearly so.",
      remedy: "Keep the defaults of OpenSSH 7.6 or later in the VM image.",
    },
    check: (input) => {
      const weak = sshdLines(input, /^\s*Ciphers\s.*(3des|arcfour|blowfish|cast128|-cbc)/i);
      return weak.length > 0
        ? unmetAt(weak, "sshd's configuration names weak ciphers", "")
        : notApplicable("The bundle leaves sshd's ciphers to the VM image: it must be true of the image that sshd -T lists no cipher with cbc, 3des or arcfour.");
    },
  },
  {
    rule: {
      id: "GUEST-05",
      title: "sudo runs in a terminal of its own",
      severity: "low",
      sources: ["CIS Ubuntu 24.04 5.2.2", "NIST SP 800-53 r5 AC-6"],
      why: "A program left running by sudo could go on writing to the terminal of whoever called it.",
      remedy: "Write `Defaults use_pty` into a file of /etc/sudoers.d.",
    },
    check: (input) => {
      const isSet = guestFilesOf(input).some(({ path, text }) => path.startsWith("/etc/sudoers") && /^Defaults\s+(\S+,)*use_pty\b/m.test(text));
      return inUserData(
        input,
        (userData) => (isSet ? [] : usersOf(userData).filter(({ given }) => given["sudo"] !== undefined && given["sudo"] !== null).map(({ placeOf }) => placeOf("sudo"))),
        "people get sudo, and no file of /etc/sudoers.d sets use_pty",
        isSet ? "use_pty is set" : "nobody gets sudo but the image's own default user",
      );
    },
  },
  {
    rule: {
      id: "GUEST-06",
      title: "sudo asks for a password",
      severity: "medium",
      sources: ["CIS Ubuntu 24.04 5.2.4", "NIST SP 800-53 r5 IA-11"],
      why: "Whoever gets at a session that was left open is root without another question.",
      remedy: "Give no `sudo`; or waive this where people have keys and no passwords.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => usersOf(userData).filter(({ given }) => /\bNOPASSWD\b/.test(JSON.stringify(given["sudo"] ?? null))).map(({ placeOf }) => placeOf("sudo")),
        "sudo asks these users for nothing",
        "no user gets sudo without a password",
      ),
  },
  {
    rule: {
      id: "GUEST-12",
      title: "Nothing is installed or upgraded at boot, and no repository is set",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 1.2.1", "NIST SP 800-53 r5 CM-7(5), CM-14"],
      why: "What comes from a repository is in no SBOM, and in an enclave there is none.",
      remedy: "Put the package into the VM image.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => [
          ...["package_update", "package_upgrade"].filter((key) => objectOf(userData.value)[key] !== false).map((key) => userData.placeOf(key)),
          ...installers.filter((key) => objectOf(userData.value)[key] !== undefined).map((key) => userData.placeOf(key)),
          ...guestFilesOf(input).filter(({ path }) => /^\/etc\/(apt\/|yum\.repos\.d\/|yum\.conf|zypp\/|apk\/repositories)/.test(path)).map(({ place }) => place),
        ],
        "packages are installed or upgraded, or a repository is set",
        "updates are off, and nothing names a package or a repository",
      ),
  },
  {
    rule: {
      id: "GUEST-13",
      title: "Every file says its owner and mode, and nobody but its owner may write it",
      severity: "medium",
      sources: ["CIS Ubuntu 24.04 7.1", "NIST SP 800-53 r5 AC-6, CM-6"],
      why: "A mode that is left to a umask, or taken for decimal, is another one on the next image.",
      remedy: "Write `permissions` as four octal digits in quotes, and `owner`.",
    },
    check: (input) => {
      const files = guestFilesOf(input);
      const loose = files.filter(({ mode, owner }) => mode === undefined || owner === undefined || !/^0[0-7][0145][0145]$/.test(mode));
      return unmetAt(loose.map(({ place }) => place), "files without an owner or mode, or which others may write", `${counted(files.length, "file")}, each with owner and mode`);
    },
  },
  {
    rule: {
      id: "GUEST-14",
      title: "Secrets are written for root alone",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 7.1", "NIST SP 800-53 r5 IA-5(6), SC-28"],
      why: "Every process of the guest could read them otherwise.",
      remedy: "Keep mode 0600 and root:root.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) =>
          listOf(objectOf(userData.value)["write_files"]).flatMap((each, index) => {
            const { content, permissions, owner } = objectOf(each);
            if (typeof content !== "string" || !content.includes("@@CLOUDLET-SECRET:")) return [];
            return /^0[46]00$/.test(String(permissions)) && owner === "root:root" ? [] : [userData.placeOf("write_files", index, "path")];
          }),
        "a secret's file can be read by others than root",
        "every file with a secret has mode 0600 and is root's",
      ),
  },
  {
    rule: {
      id: "GUEST-15",
      title: "User-data holds only what is known and needed",
      severity: "medium",
      sources: ["cloud-init, schema of cloud-config", "NIST SP 800-53 r5 CM-6, CM-7"],
      why: "cloud-init passes over a key that it does not know, and follows some that fetch more from outside.",
      remedy: "Leave out what docs/guest.md does not speak of.",
    },
    check: (input) =>
      inUserData(
        input,
        (userData) => {
          const isConfig = userData.file.lines[0] === "#cloud-config" && typeof userData.value === "object" && userData.value !== null && !Array.isArray(userData.value);
          if (!isConfig) return [userData.placeOf()];
          return Object.entries(objectOf(userData.value)).flatMap(([key, value]) => (Object.hasOwn(knownKeys, key) && knownKeys[key]?.(value) === true ? [] : [userData.placeOf(key)]));
        },
        "it is no cloud-config, or has keys or types beyond those that this program writes",
        "a cloud-config with the keys and types that this program writes",
      ),
  },
];

/** Modules of cloud-init that install something or say where from. */
const installers: readonly string[] = ["packages", "apt", "apt_sources", "apt_update", "yum_repos", "yum_repo_dir", "zypper", "apk_repos", "snap", "rpm_packages", "ansible", "chef", "puppet", "salt_minion", "rh_subscription", "ubuntu_advantage", "ubuntu_pro", "landscape", "drivers"];

const isBoolean = (value: Json): boolean => typeof value === "boolean";
const isText = (value: Json): boolean => typeof value === "string";
const isList = (value: Json): boolean => Array.isArray(value);
const isGroup = (value: Json): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
/** A command is a list of words: a text would be read by a shell. */
const isCommands = (value: Json): boolean => listOf(value).length > 0 && listOf(value).every((command) => listOf(command).length > 0 && listOf(command).every(isText));

/** Every key that src/guest/cloud-init-builder.ts writes; stricter than cloud-init's schema, which allows more types. */
const knownKeys: Readonly<Record<string, (value: Json) => boolean>> = {
  bootcmd: isCommands,
  runcmd: isCommands,
  hostname: isText,
  preserve_hostname: isBoolean,
  manage_etc_hosts: isBoolean,
  timezone: isText,
  users: isList,
  ssh_pwauth: isBoolean,
  disable_root: isBoolean,
  package_update: isBoolean,
  package_upgrade: isBoolean,
  growpart: isGroup,
  resize_rootfs: isBoolean,
  ca_certs: isGroup,
  write_files: isList,
  ntp: isGroup,
  power_state: isGroup,
};
