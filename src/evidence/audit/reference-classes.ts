/** What each reference to an outside is to the bundle: the site's, the controller's, its own, or nobody's. */

import type { Span } from "../../core/file.ts";
import type { Json } from "../../core/json.ts";
import { contains, parseCidr, parseIp, type Cidr } from "../../spec/ip.ts";
import { parseRange } from "../../spec/ip-range.ts";
import { below } from "../../core/pointer.ts";
import { partsOf, valueAt } from "../record.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import { writtenIn } from "./input.ts";
import { placesOfHost, plainHostsOf, type PlainHost } from "./plain-hosts.ts";
import { referencesIn, type Reference } from "./references.ts";
import { scannedLines } from "./scanned-lines.ts";

/**
 * `site`: the spec names it. `controller`: the release does. `bundle`: it travels inside. `local`: this machine, its link,
 * or any address. `document`: a word or an address in a text that nothing acts on. `forbidden`: a public source of software.
 */
export type ReferenceClass = "site" | "controller" | "bundle" | "local" | "document" | "forbidden" | "unclassified";

export interface ClassifiedReference {
  readonly kind: Reference["kind"];
  readonly text: string;
  readonly class: ReferenceClass;
  /** Why it is of that class, in words. */
  readonly reason: string;
  /** By file and line. */
  readonly places: readonly { readonly file: string; readonly line: number }[];
}

/**
 * Every reference in every text but the evidence, on which nothing acts; each with all its places, by class and text. What
 * is not of the first five classes would leave the enclave.
 */
export function classifiedReferences(input: AuditInput): readonly ClassifiedReference[] {
  const known = knownOf(input);
  const plain = plainHostsOf(input);
  const found = new Map<string, { readonly reference: Reference; readonly verdict: Verdict; readonly places: { file: string; line: number }[] }>();
  const add = (reference: Reference, verdict: Verdict, file: AuditFile, line: number): void => {
    const key = `${verdict.class} ${reference.kind} ${reference.text}`;
    const entry = found.get(key) ?? { reference, verdict, places: [] };
    found.set(key, entry);
    if (entry.places.at(-1)?.file !== file.path || entry.places.at(-1)?.line !== line) entry.places.push({ file: file.path, line });
  };
  for (const file of input.files) {
    if (file.role === "evidence") continue;
    for (const { line, references } of scannedLines(file)) {
      for (const reference of references) add(reference, knownClass(reference, known) ?? classHere(reference, { input, file, line, words: known.words }), file, line);
    }
    for (const host of plain) for (const { line, ...reference } of placesOfHost(file, host)) add(reference, classOfField(host), file, line);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { reference, verdict, places }]) => ({ kind: reference.kind, text: reference.text, ...verdict, places }));
}

interface Verdict {
  readonly class: ReferenceClass;
  readonly reason: string;
}

interface Known {
  readonly site: Named;
  readonly controller: Named;
  /** What only a text for people names. */
  readonly words: Named;
  /** Images in the payload, and names of the bundle's own files. */
  readonly bundle: ReadonlySet<string>;
  /** By kind and text. */
  readonly verdicts: Map<string, Verdict | undefined>;
}

/** Hosts, addresses and references of a document, lower case. */
type Named = ReadonlySet<string>;

function knownOf({ files, spec, release, lock }: AuditInput): Known {
  const names = files.map((file) => file.path.slice(file.path.lastIndexOf("/") + 1).toLowerCase());
  return {
    site: namedIn(spec as unknown as Json, (pointer) => !isOnlyWords(pointer)),
    controller: namedIn(release.controller as unknown as Json),
    words: namedIn(spec as unknown as Json, isOnlyWords),
    bundle: new Set([...lock.containers.map((each) => each.image), ...names, "sha256sums.pub", "sha256sums.sig"]),
    verdicts: new Map(),
  };
}

/** Fields of the spec that only people read: who is named there is not asked by anything, and may not be asked elsewhere for it. */
function isOnlyWords(pointer: string): boolean {
  return /^\/(?:firewall\/(?:in|e)gress\/\d+\/description|secrets\/\d+\/description|audit\/waivers\/\d+\/reason|platform\/parameters\/eula\/\d+|users\/\d+\/sshAuthorizedKeys\/\d+|trust\/sshUserCaKeys\/\d+|platform\/parameters\/machines\/\d+\/hostKeys\/\d+)$/.test(pointer);
}

function namedIn(document: Json, isAsked: (pointer: string) => boolean = () => true): Named {
  const words = new Set<string>();
  const visit = (node: Json, pointer: string): void => {
    if (typeof node === "string") {
      if (isAsked(pointer)) read(node);
    } else if (typeof node === "object" && node !== null) {
      for (const [key, each] of Object.entries(node)) {
        const own = below(pointer, key);
        if (!Array.isArray(node) && isAsked(own)) read(key);
        visit(each as Json, own);
      }
    }
  };
  const read = (text: string): void => {
    for (const line of text.split("\n")) {
      for (const { text: word, host } of referencesIn(line)) {
        words.add(word.toLowerCase());
        if (host !== "") words.add(host);
      }
    }
  };
  visit(document, "");
  return words;
}

interface Where {
  readonly input: AuditInput;
  readonly file: AuditFile;
  readonly line: number;
  readonly words: Named;
}

/** What the text alone decides. */
function knownClass(reference: Reference, known: Known): Verdict | undefined {
  const key = `${reference.kind} ${reference.text}`;
  if (known.verdicts.has(key)) return known.verdicts.get(key);
  const verdict = decide(reference, known);
  known.verdicts.set(key, verdict);
  return verdict;
}

function decide(reference: Reference, { site, controller, bundle }: Known): Verdict | undefined {
  const { kind, host, text } = reference;
  const word = text.toLowerCase();
  const local = kind === "image" ? undefined : localReason(reference);
  if (local !== undefined) return { class: "local", reason: local };
  if (kind === "image" && bundle.has(text)) return { class: "bundle", reason: "the payload holds this image" };
  // That the spec sends a machine there makes it no part of the site.
  const source = site.has(word) || site.has(host) || controller.has(word) || controller.has(host) ? publicHost(host) : undefined;
  if (source !== undefined) return { class: "forbidden", reason: source };
  if (site.has(word) || site.has(host)) return { class: "site", reason: "the spec names it" };
  if (controller.has(word) || controller.has(host)) return { class: "controller", reason: "the release names it" };
  return bundle.has(host) ? { class: "bundle", reason: "a file of the bundle has this name" } : undefined;
}

/** What the place decides as well. */
function classHere(reference: Reference, where: Where): Verdict {
  const made = madeFrom(reference, where) ?? saidIn(reference, where);
  if (made !== undefined) return made;
  const documented = documentedReason(reference, where);
  if (documented !== undefined) return { class: "document", reason: documented };
  const source = publicSource(reference);
  return source === undefined
    ? { class: "unclassified", reason: "neither spec nor release names it, and it is not in the bundle" }
    : { class: "forbidden", reason: source };
}

function classOfField({ document, host }: PlainHost): Verdict {
  if (host.toLowerCase() === "localhost") return { class: "local", reason: "this machine" };
  return document === "spec" ? { class: "site", reason: "the spec names it" } : { class: "controller", reason: "the release names it" };
}

/** RFC 6890: what never leaves the machine or its link, and the addresses that stand for any. */
function localReason({ host, kind, text }: Reference): string | undefined {
  if (kind === "url" && host === "") return "the URL names no host";
  if (host === "localhost" || host === "localhost.localdomain" || host === "ip6-localhost") return "this machine";
  const ip = parseIp(host);
  if (ip === undefined) return undefined;
  const isIn = (block: string): boolean => contains(parseCidr(block) as Cidr, ip);
  if (ip.value === 0n && /^(0\.0\.0\.0|::)(\/0|$)/.test(text)) return "any address";
  if (isIn("127.0.0.0/8") || isIn("::1/128")) return "this machine";
  if (isIn("169.254.0.0/16") || isIn("fe80::/10")) return "the machine's own link, where an IaaS has its metadata service";
  return undefined;
}

/** A value that was put together of others: it is theirs whose text or whose block of addresses it is. */
function madeFrom({ host, text, start, end }: Reference, { input, file, line }: Where): Verdict | undefined {
  const spans = file.spansAt(line).filter((span: Span) => span.presence !== true && span.start <= start && span.end >= end);
  for (const { origins } of spans) {
    for (const origin of origins) {
      const { kind, name } = partsOf(origin);
      if ((kind !== "spec" && kind !== "release") || (kind === "spec" && isOnlyWords(name))) continue;
      const value = valueAt(writtenIn(input, kind), name);
      if (typeof value !== "string" || !isOf(value, host, text)) continue;
      const source = publicHost(host);
      if (source !== undefined) return { class: "forbidden", reason: source };
      return kind === "spec" ? { class: "site", reason: "it is made of what the spec says" } : { class: "controller", reason: "it is made of what the release says" };
    }
  }
  return undefined;
}

function isOf(value: string, host: string, text: string): boolean {
  const ip = parseIp(host);
  if (ip === undefined) return value.toLowerCase().includes(text.toLowerCase()) || isNamedAfter(value, host);
  const block = parseCidr(value);
  if (block !== undefined && block.prefix > 0) return contains(block, ip);
  const range = parseRange(value);
  return range !== undefined && range.first.family === ip.family && range.first.value <= ip.value && ip.value <= range.last.value;
}

/** A port called `berlin-1-net.example.com-port`, after a network `net.example.com`. */
function isNamedAfter(value: string, name: string): boolean {
  return referencesIn(value).some(({ host }) => {
    const at = host === "" ? -1 : name.lastIndexOf(host);
    return at >= 0 && /^(?:-[\w-]*)?$/.test(name.slice(at + host.length));
  });
}

/** What a text for people names: in the stretch that shows it, or elsewhere on a line that is there because of it. */
function saidIn({ host, text, start, end }: Reference, { file, line, words }: Where): Verdict | undefined {
  const isNamed = words.has(host) || words.has(text.toLowerCase());
  const isSaid = file.spansAt(line).some((span) => {
    const isIn = span.presence !== true && span.start <= start && span.end >= end;
    return (isIn || isNamed) && span.origins.some((origin) => origin.startsWith("spec:") && isOnlyWords(partsOf(origin).name));
  });
  return isSaid ? { class: "document", reason: "a text of the spec names it that only people read" } : undefined;
}

/** Words of the program's own texts; what is a host's name indeed has to stand in a comment. A word that ends in a dot is what names begin with. */
const documented: readonly { readonly word: string; readonly reason: string; readonly isComment?: true; readonly files?: RegExp }[] = [
  { word: "no-color.org", reason: "where the convention of NO_COLOR is written down", isComment: true },
  ...["cinder.vtype", "glance.image", "neutron.network", "nova.flavor", "nova.keypair"].map((word) => ({ word, reason: "a custom constraint of Heat's" })),
  ...["sys.argv", "urllib.request", "r.proxyhandler"].map((word) => ({ word, reason: "a name of Python's" })),
  { word: "m1.large", reason: "a flavor of OpenStack's, as an example" },
  { word: "auth.url", reason: "words of a client's message" },
  { word: "bundle.parameters", reason: "a file that the installer keeps" },
  { word: "firewall.ssh.from", reason: "a field of the spec" },
  ...["com.vmware.guestinfo", "uefi.secureboot.enabled", "vmware.cdrom.remotepassthrough"].map((word) => ({ word, reason: "a name of VMware's, of virtual hardware or of what carries the guest's data" })),
  { word: "guestinfo.", reason: "a key of guestinfo, which VMware keeps with a VM" },
  { word: "cloudlet-bundle.", reason: "a key of this program's among a VM's settings", files: /^lib\/vsphere/ },
  { word: "platform.parameters.version", reason: "a field of the spec" },
  ...["config.", "summary.", "runtime.", "backing.", "info.", "currentsession.", "soapclient."].map((word) => ({ word, reason: "a property of the vSphere API", files: /^lib\/vsphere/ })),
  ...["virtualmachine.", "datastore.", "network.", "resource.", "vapp."].map((word) => ({ word, reason: "a privilege of vSphere", files: /^lib\/vsphere-privileges\.sh$/ })),
  ...["object.", "pool.", "session.", "tags.", "vm."].map((word) => ({ word, reason: "a command of govc", files: /^lib\/vsphere/ })),
  ...["client.timeout", "self.signed"].map((word) => ({ word, reason: "words of a client's message", files: /^lib\/vsphere/ })),
  ...["network.encoding", "s.encoding"].map((word) => ({ word, reason: "a key of guestinfo, which VMware keeps with a VM", files: /^lib\/vsphere/ })),
  { word: "soap.client.", reason: "a name of govmomi's", files: /^lib\/vsphere-tls\.sh$/ },
  { word: "vcloud.", reason: "part of a media type of the vCloud API", files: /^lib\/vcd/ },
  { word: "vcloud://$", reason: "a locator of ovftool, whose host comes from the caller", files: /^lib\/vcd-ovftool\.sh$/ },
  { word: "network.xsd", reason: "a schema of the vCloud API", files: /^lib\/vcd/ },
  { word: "name.headers", reason: "a file that the installer keeps", files: /^lib\/vcd-api\.sh$/ },
  ...["https://HOST", "https://VCENTER/"].map((word) => ({ word, reason: "stands for what the caller knows", files: /^lib\/(vcd|vsphere)/ })),
  { word: "vcenter.example.net", reason: "a name that is kept for examples (RFC 2606)" },
  { word: "openssh.com", reason: "part of an SSH key type's name (RFC 4251 section 6)" },
  ...["http://schemas.dmtf.org/", "http://www.vmware.com/schema/ovf", "http://www.vmware.com/interfaces/specifications/vmdk.html", "http://www.vmware.com/vcloud/v1.5", "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2001/"].map((word) => ({
    word,
    reason: "the name of an XML namespace or of a disk format: it is compared, not asked",
  })),
];

function documentedReason({ host, text }: Reference, { file, line }: Where): string | undefined {
  const words = [host, text.toLowerCase()];
  const isIt = (word: string): boolean => words.includes(word) || (word.includes("://") && text.startsWith(word)) || (word.endsWith(".") && host.startsWith(word));
  const isHere = (files: RegExp | undefined): boolean => files === undefined || files.test(file.path);
  const found = documented.find(({ word, files }) => isIt(word) && isHere(files));
  if (found === undefined) return undefined;
  const isComment = /^\s*#/.test(file.lines[line - 1] ?? "");
  return found.isComment !== true || isComment ? found.reason : undefined;
}

/** Where machines usually fetch software, images and time from: no bundle may send one there. */
const publicSources: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)(docker\.io|docker\.com|quay\.io|ghcr\.io|gcr\.io|k8s\.io|pkg\.dev|mcr\.microsoft\.com|public\.ecr\.aws|registry\.redhat\.io)$/, "a public registry of images"],
  [/(^|\.)(ubuntu\.com|debian\.org|centos\.org|fedoraproject\.org|rockylinux\.org|almalinux\.org|alpinelinux\.org|opensuse\.org|launchpad\.net|snapcraft\.io)$/, "a public archive of packages"],
  [/(^|\.)(pypi\.org|pythonhosted\.org|npmjs\.org|npmjs\.com|rubygems\.org|crates\.io|golang\.org|maven\.org)$/, "a public registry of packages"],
  [/(^|\.)(github\.com|githubusercontent\.com|gitlab\.com|bitbucket\.org)$/, "a public host of source code"],
  [/(^|\.)(ntp\.org|time\.google\.com|time\.cloudflare\.com|time\.windows\.com|time\.apple\.com)$/, "a public time server"],
];

function publicSource({ kind, host }: Reference): string | undefined {
  // An image without a registry's name is Docker Hub's.
  if (kind === "image" && host === "") return "an image that is not in the payload, and so of a public registry";
  if (kind === "repository") return "a repository of packages outside";
  return publicHost(host);
}

function publicHost(host: string): string | undefined {
  return publicSources.find(([pattern]) => pattern.test(host))?.[1];
}
