/** Rules about the guest as a system: firewall, clock, journal, what watches it, and the keys that open it. */

import { Buffer } from "node:buffer";
import { readPurl } from "../../core/purl.ts";
import { traitsOf } from "../../plan/traits.ts";
import { guestFilesOf, listOf, objectOf, userDataOf } from "./guest-view.ts";
import type { AuditInput, Parsed } from "./input.ts";
import type { AuditPlace, Check, Finding } from "./rule.ts";
import { counted, met, notApplicable, unmet, unmetAt } from "./rule.ts";

export const guestSystemChecks: readonly Check[] = [
  {
    rule: {
      id: "GUEST-07",
      title: "One firewall, which lets nothing in by default and loopback through",
      severity: "high",
      sources: ["CIS Ubuntu 24.04 4.1 to 4.4", "NIST SP 800-53 r5 SC-7(5)"],
      why: "What listens by mistake must not be reachable.",
      remedy: "Keep the chains that src/guest/firewall.ts writes, for IPv4 and for IPv6.",
    },
    check: firewall,
  },
  {
    rule: {
      id: "GUEST-08",
      title: "One time daemon, with a server of the site's",
      severity: "medium",
      sources: ["CIS Ubuntu 24.04 2.3.1.1", "NIST SP 800-53 r5 AU-8, SC-45"],
      why: "Certificates, logs and the controller need the right time, and public servers can't be reached from an enclave.",
      remedy: "List the site's servers in `networks.ntp`.",
    },
    check: (input) => {
      const all = userDataOf(input);
      if (all.length === 0) return notApplicable("The machines are there already: it must be true of them that one time daemon runs and asks a server of the site's.");
      const without = all.filter(({ value }) => !asksSomebody(value));
      if (without.length > 0) return unmet("no time server is set, so the guest asks whichever its image names", without.map((userData) => userData.placeOf("timezone")));
      const clients = all.flatMap((userData) => (typeof objectOf(objectOf(userData.value)["ntp"])["ntp_client"] === "string" ? [] : [userData.placeOf("ntp")]));
      return unmetAt(clients, "the time daemon is left to the image, which may have several", "one time daemon, and it asks the servers that the spec names");
    },
  },
  {
    rule: {
      id: "GUEST-09",
      title: "The journal is kept over a reboot, and limited",
      severity: "low",
      sources: ["CIS Ubuntu 24.04 6.1.1", "NIST SP 800-53 r5 AU-4, AU-11"],
      why: "Without it nobody can tell why a machine was started again, or the disk fills.",
      remedy: "Write `Storage=persistent` and `SystemMaxUse=` into a file of /etc/systemd/journald.conf.d.",
    },
    check: (input) => {
      const files = guestFilesOf(input).filter(({ path }) => path.startsWith("/etc/systemd/journald.conf"));
      if (userDataOf(input).length === 0) return notApplicable("The machines are there already: it must be true of them that journald keeps what it writes, and limits it.");
      const lacking = userDataOf(input).filter(({ file }) => !files.some(({ text, place }) => place.file === file.path && /^Storage=persistent$/m.test(text) && /^SystemMaxUse=\S+$/m.test(text)));
      return unmetAt(lacking.map((userData) => files.find(({ place }) => place.file === userData.file.path)?.place ?? userData.placeOf()), "journald is not told to keep the journal, and within a limit", "journald keeps the journal, within a limit");
    },
  },
  {
    rule: {
      id: "GUEST-10",
      title: "auditd is there",
      severity: "low",
      sources: ["CIS Ubuntu 24.04 6.2.1", "NIST SP 800-53 r5 AU-2, AU-12"],
      why: "It tells who did what with privileges.",
      remedy: "Put auditd into the VM image, and give the release its list of packages (vmImage.packageList).",
    },
    check: (input) => inImage(input, ["auditd", "audit"], "auditd"),
  },
  {
    rule: {
      id: "GUEST-11",
      title: "A tool that watches files is there",
      severity: "low",
      sources: ["CIS Ubuntu 24.04 6.3", "NIST SP 800-53 r5 SI-7"],
      why: "It tells that a program of the guest was replaced.",
      remedy: "Put aide into the VM image, and give the release its list of packages (vmImage.packageList).",
    },
    check: (input) => inImage(input, ["aide", "aide-common", "tripwire", "samhain", "wazuh-agent"], "a tool such as aide"),
  },
  {
    rule: {
      id: "GUEST-16",
      title: "The keys that open a login are strong",
      severity: "medium",
      sources: ["BSI TR-02102-1 (RSA of 3000 bits or more since 2024)", "NIST SP 800-53 r5 IA-5(2), SC-12"],
      why: "An RSA key of 2048 bits is no longer advised for what has to last beyond a few years.",
      remedy: "Use Ed25519, ECDSA, or RSA of 3072 bits.",
    },
    check: (input) => {
      const keys = userDataOf(input).flatMap(keysOf);
      const weak = keys.filter(({ line }) => rsaBits(line) < 3_000);
      return unmetAt(weak.map(({ place }) => place), "RSA keys of fewer than 3000 bits", keys.length === 0 ? "no key opens a login" : `${counted(keys.length, "key")}, each strong`);
    },
  },
  {
    rule: {
      id: "GUEST-17",
      title: "No key opens two people's logins",
      severity: "low",
      sources: ["NIST SP 800-53 r5 AC-2, IA-2"],
      why: "A log then can't tell which of them it was.",
      remedy: "Give each person a key of their own.",
    },
    check: (input) => {
      const shared = userDataOf(input).flatMap((userData) => {
        const owners = Map.groupBy(keysOf(userData).filter(({ user }) => user !== undefined), ({ line }) => line.split(/\s+/)[1] ?? "");
        return [...owners.values()].filter((keys) => new Set(keys.map(({ user }) => user)).size > 1).flatMap((keys) => keys.map(({ place }) => place));
      });
      return unmetAt(shared, "one key opens the logins of several people", "every key is one person's");
    },
  },
];

function firewall(input: AuditInput): Finding {
  const name = input.spec.platform.type;
  if (traitsOf(name).firewall === "iaas") return notApplicable("The IaaS's security group is the firewall (NET-01 to NET-05); the guest has none of its own.");
  const files = guestFilesOf(input);
  const machines = new Set(userDataOf(input).map(({ file }) => file.path));
  const places: AuditPlace[] = [];
  for (const machine of machines.size === 0 ? ["site/guest/"] : machines) {
    for (const family of ["4", "6"]) {
      const found = files.find(({ path, placeOf }) => path.endsWith(`/firewall.v${family}`) && (placeOf(1).file === machine || placeOf(1).file.startsWith("site/guest/")));
      if (found === undefined) places.push({ file: machine });
      else if (!isClosed(found.text)) places.push(found.placeOf(1));
    }
  }
  const others = files.filter(({ path }) => /^\/etc\/(ufw\/|nftables\.conf|iptables\/)/.test(path)).map(({ place }) => place);
  return unmetAt([...places, ...others], "a firewall is missing, lets in what no rule names, or is not the only one", "for IPv4 and IPv6 each chain ends in DROP or REJECT, and loopback passes");
}

/** As iptables-restore reads it: the last rule of each chain is for all that no rule before it took. */
function isClosed(text: string): boolean {
  const rules = text.split("\n").filter((line) => line.startsWith("-A "));
  const of = (chain: string): readonly string[] => rules.filter((line) => line.startsWith(`-A ${chain} `));
  return (
    of("CLOUDLET-IN").at(-1) === "-A CLOUDLET-IN -j DROP" &&
    /^-A CLOUDLET-OUT -j (REJECT|DROP)$/.test(of("CLOUDLET-OUT").at(-1) ?? "") &&
    of("CLOUDLET-IN").includes("-A CLOUDLET-IN -i lo -j ACCEPT") &&
    // Nothing before it may take everything.
    !of("CLOUDLET-IN").includes("-A CLOUDLET-IN -j ACCEPT")
  );
}

function asksSomebody(userData: Parsed["value"]): boolean {
  const { enabled, servers, pools } = objectOf(objectOf(userData)["ntp"]);
  return enabled === true && (listOf(servers).length > 0 || listOf(pools).length > 0);
}

/** What the image must have, where its list of packages is known. */
function inImage({ lock, spec }: AuditInput, names: readonly string[], what: string): Finding {
  if (!traitsOf(spec.platform.type).makesVms) return notApplicable(`The machines are there already: it must be true of them that ${what} runs.`);
  const { software } = lock.vmImage;
  if (software === undefined) return notApplicable(`Nobody has said what is in the VM image: it must be true of it that ${what} runs.`);
  const found = software.packages.map(({ purl }) => readPurl(purl)?.name ?? "").filter((name) => names.includes(name));
  return found.length > 0 ? met(`the VM image has ${found.join(", ")}`) : unmet(`${software.from === "image" ? "the package databases of the VM image have" : "the VM image's list of packages has"} none of ${names.join(", ")}`);
}

interface GuestKey {
  readonly line: string;
  /** Undefined for an authority's. */
  readonly user: string | undefined;
  readonly place: AuditPlace;
}

function keysOf(userData: Parsed): readonly GuestKey[] {
  const config = objectOf(userData.value);
  const own = listOf(config["users"]).flatMap((each, index) =>
    listOf(objectOf(each)["ssh_authorized_keys"]).map((line, at): GuestKey => ({ line: String(line), user: String(objectOf(each)["name"]), place: userData.placeOf("users", index, "ssh_authorized_keys", at) })),
  );
  const authorities = listOf(config["write_files"]).flatMap((each, index) => {
    const { path, content } = objectOf(each);
    if (path !== "/etc/ssh/trusted-user-ca-keys.pem") return [];
    return String(content).split("\n").filter((line) => line !== "").map((line): GuestKey => ({ line, user: undefined, place: userData.placeOf("write_files", index, "path") }));
  });
  return [...own, ...authorities];
}

/** Infinity for a key that is no RSA key. RFC 4253 section 6.6: type, exponent, modulus, each behind its length. */
function rsaBits(line: string): number {
  const [type, data = ""] = line.trim().split(/\s+/);
  if (type !== "ssh-rsa") return Infinity;
  const bytes = Buffer.from(data, "base64");
  let at = 0;
  let field: Buffer = bytes.subarray(0, 0);
  for (let index = 0; index < 3 && at + 4 <= bytes.length; index += 1) {
    const length = bytes.readUInt32BE(at);
    field = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  const hex = field.toString("hex").replace(/^0+/, "");
  return hex === "" ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.slice(0, 1), 16)));
}
