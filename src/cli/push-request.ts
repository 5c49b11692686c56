/** What the command line of `push` asks for, read and checked before anybody is called. */

import type { Command } from "commander";
import { userInfo } from "node:os";
import { shWord } from "../core/sh-word.ts";
import { readPin, type Pins } from "../deliver/host-keys.ts";
import { defaultFolder, readTarget, showTarget, type Target } from "../deliver/target.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import { trustOf } from "./verify.ts";

export interface PushOptions {
  readonly jump?: readonly string[];
  readonly trust?: string;
  readonly folder?: string;
  readonly install?: true;
  readonly source?: string;
  readonly receipt?: string;
  readonly attach?: true;
  readonly cancel?: true;
  readonly remove?: true;
  readonly removeAfter?: true;
  readonly plan?: true;
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
  readonly passwordFile?: string;
  readonly knownHosts?: string;
  readonly hostKey?: readonly string[];
  readonly transport: string;
  readonly tries: string;
  readonly json?: true;
  readonly quiet?: true;
}

export interface PushRequest {
  readonly mode: "push" | "plan" | "attach" | "cancel" | "remove";
  /** Absolute. */
  readonly bundle: string;
  readonly target: Target;
  readonly jumps: readonly Target[];
  readonly folder: string;
  /** A fingerprint, or none. */
  readonly trust: `SHA256:${string}` | "none";
  readonly install: boolean;
  /** Of install.sh, without what push gives itself. */
  readonly words: readonly string[];
  /** The secrets file on this machine. */
  readonly secrets: string | undefined;
  readonly source: string;
  readonly receipt: string | undefined;
  readonly removeAfter: boolean;
  readonly transport: "ssh2" | "openssh";
  readonly identities: readonly string[];
  readonly passphraseFile: string | undefined;
  readonly passwordFile: string | undefined;
  readonly knownHosts: string | undefined;
  readonly pins: Pins;
  readonly tries: number;
  readonly json: boolean;
  readonly quiet: boolean;
  /** The words that lead to the same place again. */
  readonly again: string;
}

export function addPushOptions(command: Command): Command {
  const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  return command
    .description(
      "Bring a bundle to a jump host over SSH, have it verified there, and install it from there. A line that is cut is made again: the upload goes on at the byte, an installation goes on without the line. Host keys are strict.",
    )
    .argument("<bundle>", "the bundle's tar")
    .argument("<host>", "[user@]host[:port]")
    .argument("[words...]", "after --: words for install.sh; the FILE of --secrets is on this machine, and goes along")
    .option("--trust <key>", "the signer's public key (PEM file), a trust policy (file), the fingerprint of either (SHA256:…), or none; needed to install")
    .option("--install", "run the bundle's install.sh there, detached from the line, and show it until it ends")
    .option("--receipt <file>", "where the installation's receipt is written here")
    .option("--attach", "show an installation that goes on, or has ended, there")
    .option("--cancel", "stop it")
    .option("--remove", "remove all that push has put there, and prove it")
    .option("--remove-after", "the same when the installation has ended well")
    .option("--plan", "say what would be done; nothing is changed there")
    .option("--folder <folder>", "where on the host, from its home folder or absolute (default: cloudlet-bundle/NAME)")
    .option("--source <file>", "a file on the host that its shell reads before install.sh, such as an openrc")
    .option("--jump <host>", "go through [user@]host[:port]; repeatable, the first is the nearest", many)
    .option("--identity <file>", "a private key; repeatable (default: ~/.ssh/id_ed25519, id_ecdsa, id_rsa)", many)
    .option("--passphrase-file <file>", "its passphrase (mode 0600); else it is asked for on the terminal")
    .option("--password-file <file>", "the password of <host> (mode 0600); else it is asked for on the terminal")
    .option("--known-hosts <file>", "the host keys that count, instead of ~/.ssh/known_hosts and the system's")
    .option("--host-key <key>", "the fingerprint of the host's key, [HOST[:PORT]=]SHA256:…; repeatable", many)
    .option("--transport <name>", "ssh2, built in; or openssh, the system's ssh with its configuration", "ssh2")
    .option("--tries <count>", "tries in a row that bring nothing before it is given up", "10")
    .option("--json", "print events, one JSON object a line")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle push munich-tdg-2026.11.cloudlet.tar ops@jump.example --trust SHA256:d8bc…
  cloudlet-bundle push bundle.tar ops@10.0.0.5:2222 --jump me@bastion --trust key.pub.pem --install --receipt receipt.json -- --secrets site.secrets --parameter flavor=m4.large
  cloudlet-bundle push bundle.tar ops@jump.example --attach
  cloudlet-bundle push bundle.tar ops@jump.example --remove

Exit status: 0 done, 1 the bundle is refused, or the installation's findings, 2 usage, 3 environment (host, line, disk); of an installation its own.`,
    );
}

interface Given {
  readonly bundle: string;
  readonly host: string;
  readonly words: readonly string[];
  readonly options: PushOptions;
}

/** Undefined where it can't be done, which has been said. */
export async function readPushRequest(given: Given, io: Io): Promise<PushRequest | undefined> {
  const no = (message: string): undefined => void io.err(`cloudlet-bundle push: ${message}\n`);
  const { options } = given;
  const wrong = clashIn(given);
  if (wrong !== undefined) return no(wrong);
  const user = io.environment["USER"] || io.environment["LOGNAME"] || userInfo().username;
  const targets: Target[] = [];
  for (const text of [...(options.jump ?? []), given.host]) {
    const reading = readTarget(text, user);
    if (!reading.ok) return no(reading.message);
    targets.push(reading.value);
  }
  const target = targets.pop() as Target;
  const pins = new Map<string, string>();
  for (const text of options.hostKey ?? []) {
    const pin = readPin(text, target);
    if (pin === undefined) return no(`--host-key is [HOST[:PORT]=]SHA256: and 43 characters, as ssh-keygen -l shows it, not ${JSON.stringify(text)}`);
    pins.set(...pin);
  }
  const folder = (options.folder ?? defaultFolder(given.bundle)).replace(/(?<=.)\/+$/, "");
  if (folder === "" || folder === "/" || /[\u0000-\u001f\u007f]/.test(folder)) return no("--folder can't be that");
  const taken = takeSecrets(given.words);
  if (taken.wrong !== undefined) return no(taken.wrong);
  const trust = await trustOf(io, options.trust, "push");
  if (trust === "wrong") return undefined;
  return {
    mode: modeOf(options),
    bundle: absolute(io, given.bundle),
    target,
    jumps: targets,
    folder,
    trust: trust ?? "none",
    install: options.install === true,
    words: taken.words,
    secrets: taken.secrets === undefined ? undefined : absolute(io, taken.secrets),
    source: options.source ?? "",
    receipt: options.receipt === undefined ? undefined : absolute(io, options.receipt),
    removeAfter: options.removeAfter === true,
    transport: options.transport as "ssh2" | "openssh",
    identities: (options.identity ?? []).map((path) => absolute(io, path)),
    passphraseFile: options.passphraseFile === undefined ? undefined : absolute(io, options.passphraseFile),
    passwordFile: options.passwordFile === undefined ? undefined : absolute(io, options.passwordFile),
    knownHosts: options.knownHosts === undefined ? undefined : absolute(io, options.knownHosts),
    pins,
    tries: Number(options.tries),
    json: options.json === true,
    quiet: options.quiet === true,
    again: againWords(given, target, folder),
  };
}

function modeOf({ plan, attach, cancel, remove }: PushOptions): PushRequest["mode"] {
  return plan ? "plan" : attach ? "attach" : cancel ? "cancel" : remove ? "remove" : "push";
}

/** What does not go together. */
function clashIn({ options, words }: Given): string | undefined {
  const { install, attach, cancel, remove, plan, removeAfter, receipt, source, transport, trust } = options;
  const alone = (["attach", "cancel", "remove"] as const).filter((name) => options[name] === true);
  if (alone.length > 1 || (alone.length === 1 && (install || plan))) return `--${alone.join(" and --")} ${alone.length > 1 ? "exclude each other" : "goes with neither --install nor --plan"}`;
  if (install && trust === undefined) return "--install needs --trust: the signer's key, or its fingerprint, that you got by another channel than the bundle";
  if (words.length > 0 && !install) return `words for install.sh (${words[0]}) need --install`;
  if (source !== undefined && !install) return "--source needs --install";
  if (removeAfter && !install && !attach) return "--remove-after needs --install or --attach";
  if (removeAfter && receipt === undefined) return "--remove-after needs --receipt FILE: the receipt is among what is removed";
  if (receipt !== undefined && !install && !attach) return "--receipt needs --install or --attach";
  if (transport !== "ssh2" && transport !== "openssh") return "--transport is ssh2 or openssh";
  const not = (["hostKey", "passphraseFile", "passwordFile"] as const).filter((name) => options[name] !== undefined);
  if (transport === "openssh" && not.length > 0) return "with --transport openssh there is no --host-key, --passphrase-file or --password-file: give --known-hosts, and use an agent";
  if (!/^[1-9]\d{0,3}$/.test(options.tries)) return "--tries is a number from 1 to 9999";
  if (remove === true && cancel === true) return "--remove and --cancel exclude each other";
  return undefined;
}

/** The words of install.sh without the secrets file, which is here, and what only push itself may give. */
function takeSecrets(words: readonly string[]): { readonly words: readonly string[]; readonly secrets?: string; readonly wrong?: string } {
  const rest: string[] = [];
  let secrets: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    const [, name = word, value] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (name === "--trust" || name === "--receipt") return { words, wrong: `${name} is given to push, before --` };
    if (name === "--yes") continue;
    if (name !== "--secrets") {
      rest.push(word);
      // The word of an option is no option, whatever it looks like.
      if (value === undefined && ["--parameter", "--parts", "--state", "--ova"].includes(name) && at + 1 < words.length) rest.push(words[(at += 1)] as string);
      continue;
    }
    secrets = value ?? words[(at += 1)];
    if (secrets === undefined || secrets === "") return { words, wrong: "--secrets needs a file" };
  }
  return { words: rest, ...(secrets === undefined ? {} : { secrets }) };
}

/** Ready to be pasted into a shell. */
function againWords({ bundle, options }: Given, target: Target, folder: string): string {
  const plain = (word: string): string => (/^[A-Za-z0-9_@%+:,./=-]+$/.test(word) ? word : shWord(word));
  const all = [
    bundle,
    showTarget(target),
    ...(options.folder === undefined ? [] : ["--folder", folder]),
    ...(options.jump ?? []).flatMap((each) => ["--jump", each]),
    ...(options.identity ?? []).flatMap((each) => ["--identity", each]),
    ...(options.knownHosts === undefined ? [] : ["--known-hosts", options.knownHosts]),
    ...(options.hostKey ?? []).flatMap((each) => ["--host-key", each]),
    ...(options.passphraseFile === undefined ? [] : ["--passphrase-file", options.passphraseFile]),
    ...(options.passwordFile === undefined ? [] : ["--password-file", options.passwordFile]),
    ...(options.transport === "ssh2" ? [] : ["--transport", options.transport]),
    ...(options.receipt === undefined ? [] : ["--receipt", options.receipt]),
  ];
  return all.map(plain).join(" ");
}
