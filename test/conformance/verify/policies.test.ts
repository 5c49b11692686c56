/**
 * Bundles under trust policies, good and bad, judged by the three verifiers alike: thresholds, rotations, ends, and everything
 * that somebody might put in the place of a signature.
 */

import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, sign as signWith, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { p256 } from "@noble/curves/nist.js";
import { textFile } from "../../../src/core/file.ts";
import { policyPath, policySignaturesPath, publicKeyPath, signaturePath, signaturesPath, sumsPath } from "../../../src/pack/layout.ts";
import { bodySha256 } from "../../../src/pack/manifest.ts";
import { pack, type Tree } from "../../../src/pack/tree.ts";
import { preAuthenticationEncoding } from "../../../src/seal/dsse.ts";
import { generateKey, type Fingerprint } from "../../../src/seal/keys.ts";
import { policyDigest, policyText, type Policy } from "../../../src/seal/policy.ts";
import { seal } from "../../../src/seal/seal.ts";
import { signaturesText } from "../../../src/seal/signature-lines.ts";
import { pemSigner, type Signer } from "../../../src/seal/sign.ts";
import { inTwos, judge, operatorsCopy, referenceCloudlet, run, shells, type Asked } from "../../verify/judges.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-policies-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(600_000);
const verifySh = operatorsCopy(work);
const { draw, tar } = await referenceCloudlet(work);

const names = ["alice", "bob", "carol", "dora", "eve"] as const;
type Name = (typeof names)[number];
const pems = new Map(names.map((name, index) => [name, generateKey((bytes) => new Uint8Array(bytes).fill(index + 11))]));
const signers = new Map(names.map((name) => [name, signerOf(pems.get(name) ?? "")]));

function signerOf(pem: string): Signer {
  const made = pemSigner(pem);
  if (!made.ok) throw new Error("no key");
  return made.value;
}

const of = (name: Name): Signer => signers.get(name) as Signer;
const print = (name: Name): Fingerprint => of(name).fingerprint;

/** A policy of a case. Texts are edited before they are signed, or after. */
interface Link {
  readonly keys: readonly Name[];
  readonly threshold: number;
  readonly end?: Policy["end"];
  readonly by: readonly Name[];
  readonly edit?: (text: string) => string;
  readonly signatures?: (text: string) => string;
}

interface Case extends Partial<Asked> {
  readonly what: string;
  readonly chain?: readonly Link[];
  /** Who signs the sums. */
  readonly by?: readonly Name[];
  /** What becomes of SHA256SUMS.signatures; undefined: it goes away. */
  readonly signatures?: (text: string, sums: Uint8Array) => string | undefined | Promise<string | undefined>;
  /** Files that are there, too: of the seal, or below trust/. */
  readonly more?: Readonly<Record<string, string | Uint8Array>>;
  /** The operator trusts this: a person's key, or the policy of this number; the first one when left out. */
  readonly anchor?: Name | number | Fingerprint | "none";
}

const twoOfThree: Link = { keys: ["alice", "bob", "carol"], threshold: 2, by: ["alice", "bob"] };
const next: Link = { keys: ["bob", "carol", "dora"], threshold: 2, by: ["bob", "carol", "dora"] };
const other: Link = { keys: ["dora", "eve"], threshold: 2, by: ["alice", "bob", "dora", "eve"] };

interface Made {
  readonly files: ReturnType<typeof textFile>[];
  readonly digests: readonly Fingerprint[];
}

async function policies(chain: readonly Link[], more: Case["more"]): Promise<Made> {
  const files: ReturnType<typeof textFile>[] = [];
  const digests: Fingerprint[] = [];
  for (const [index, link] of chain.entries()) {
    const keys = link.keys.map((name) => ({ name, fingerprint: print(name), publicKeyPem: of(name).publicKeyPem }));
    const whole = policyText({ version: index + 1, previous: digests.at(-1), threshold: link.threshold, end: link.end, keys });
    const text = link.edit?.(whole) ?? whole;
    const bytes = Buffer.from(text, "latin1");
    digests.push(policyDigest(bytes));
    const lines = signaturesText(new Map(await Promise.all(link.by.map(async (name) => [print(name), await of(name).sign(bytes)] as const))));
    files.push(fileOf(policyPath(index + 1), bytes), fileOf(policySignaturesPath(index + 1), link.signatures?.(lines) ?? lines));
  }
  files.push(...Object.entries(more ?? {}).filter(([path]) => path.startsWith("trust/")).map(([path, content]) => fileOf(path, content)));
  return { files, digests };
}

function fileOf(path: string, content: string | Uint8Array): ReturnType<typeof textFile> {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  return { ...textFile(path, "", { role: "data", source: "test" }), body: { kind: "bytes", bytes } };
}

function bytesAt(tree: Tree, path: string): Uint8Array {
  const body = tree.files.find((file) => file.path === path)?.body;
  if (body?.kind !== "bytes") throw new Error(`no ${path}`);
  return body.bytes;
}

const drawn = new Map<string, Tree>();

/** Sealed by nobody. Many cases have the same policies. */
async function treeOf(files: Made["files"]): Promise<Tree> {
  const key = JSON.stringify(files.map(({ path, body }) => [path, bodySha256(body)]));
  const tree = drawn.get(key) ?? (await seal(await draw(files), []));
  drawn.set(key, tree);
  return tree;
}

async function bundleOf(each: Case): Promise<{ readonly bytes: Buffer; readonly digests: readonly Fingerprint[] }> {
  const { files, digests } = await policies(each.chain ?? [twoOfThree], each.more);
  const sealed = await treeOf(files);
  const sums = bytesAt(sealed, sumsPath);
  const lines = signaturesText(new Map(await Promise.all((each.by ?? ["alice", "bob"]).map(async (name) => [print(name), await of(name).sign(sums)] as const))));
  const text = each.signatures === undefined ? lines : await each.signatures(lines, sums);
  const seals = Object.entries(each.more ?? {}).filter(([path]) => !path.startsWith("trust/")).map(([path, content]) => fileOf(path, content));
  return { bytes: await tar(pack([...sealed.files, ...(text === undefined ? [] : [fileOf(signaturesPath, text)]), ...seals], sealed.about)), digests };
}

let turn = 0;

/** As a tar and as a folder by turns: a folder is quicker for the shell. */
async function judgeCase(t: Test, each: Case, expected: boolean): Promise<void> {
  const { bytes, digests } = await bundleOf(each);
  const path = (turn += 1) % 4 === 0 ? join(work, `${turn}.tar`) : unpacked(bytes);
  if (path.endsWith(".tar")) writeFileSync(path, bytes);
  const { anchor = 1 } = each;
  const trust = typeof anchor === "number" ? digests[anchor - 1] : (names as readonly string[]).includes(anchor) ? print(anchor as Name) : (anchor as Fingerprint);
  await judge(t, each.what, path, verifySh, { trust, expected, time: each.time ?? "2026-12-01T00:00:00Z", ...(each.codes === undefined ? {} : { codes: each.codes }) });
  rmSync(path, { recursive: true });
}

function unpacked(bytes: Buffer): string {
  const folder = mkdtempSync(join(work, "f"));
  execFileSync("tar", ["-xf", "-", "-C", folder], { input: bytes });
  return folder;
}

/** The release of the reference cloudlet is of 2026-11-24T00:00:00Z. */
const until = (time: string, afterwards: "warn" | "refuse"): readonly Link[] => [{ ...twoOfThree, end: { time, afterwards } }];

const good: readonly Case[] = [
  { what: "two of three, trusted by the policy" },
  { what: "two of three, trusted by one of the keys that signed the policy", anchor: "bob" },
  { what: "all three", by: ["alice", "bob", "carol"] },
  { what: "another two", by: ["bob", "carol"] },
  { what: "one of one", chain: [{ keys: ["alice"], threshold: 1, by: ["alice"] }], by: ["alice"], anchor: "alice" },
  { what: "all of five keys", chain: [{ keys: [...names], threshold: 5, by: [...names] }], by: [...names] },
  { what: "a rotation, trusted by the policy before", chain: [twoOfThree, next], by: ["bob", "dora"] },
  { what: "a rotation, trusted by the policy after", chain: [twoOfThree, next], by: ["bob", "dora"], anchor: 2 },
  { what: "a rotation, trusted by a key that went", chain: [twoOfThree, next], by: ["bob", "dora"], anchor: "alice" },
  { what: "a rotation, trusted by a key that came", chain: [twoOfThree, next], by: ["bob", "dora"], anchor: "dora" },
  { what: "a rotation to keys that are all new", chain: [twoOfThree, other], by: ["dora", "eve"] },
  { what: "from one key to two of three", chain: [{ keys: ["alice"], threshold: 1, by: ["alice"] }, twoOfThree], by: ["alice", "carol"], anchor: "alice" },
  { what: "two rotations", chain: [twoOfThree, next, { keys: ["alice"], threshold: 1, by: ["alice", "bob", "carol"] }], by: ["alice"] },
  { what: "the policy before has ended, the one in force has not", chain: [...until("2026-11-25T00:00:00Z", "refuse"), next], by: ["bob", "dora"], time: "2026-12-01T00:00:00Z" },
  { what: "nobody asks", by: ["alice"], anchor: "none" },
  { what: "before the end", chain: until("2027-01-01T00:00:00Z", "refuse"), time: "2026-12-31T23:59:59Z" },
  { what: "after the end, with a warning", chain: until("2027-01-01T00:00:00Z", "warn"), time: "2027-01-01T00:00:00Z" },
  { what: "a clock of 1970, with a warning", chain: until("2027-01-01T00:00:00Z", "warn"), time: "1970-01-01T00:00:00Z" },
  { what: "a clock of 1970 and a policy without an end", time: "1970-01-01T00:00:00Z" },
  { what: "the very second of the release", chain: until("2027-01-01T00:00:00Z", "refuse"), time: "2026-11-24T00:00:00Z" },
];

const swap = (from: string | RegExp, to: string) => (text: string): string => {
  const after = text.replace(from, to);
  if (after === text) throw new Error(`nothing to edit: ${String(from)}`);
  return after;
};
const policy = (edit: (text: string) => string): readonly Link[] => [{ ...twoOfThree, edit }];
const twice = (text: string): string => text.replace(/^.*\n/, (line) => line + line);

/** Form of a policy, of its signatures, and of those over the sums. */
const malformed: readonly Case[] = [
  { what: "another version of the format", chain: policy(swap("policy v1", "policy v2")) },
  { what: "version 0", chain: policy(swap("version 1", "version 0")) },
  { what: "version 01", chain: policy(swap("version 1", "version 01")) },
  { what: "a version that its name does not have", chain: [twoOfThree, { ...next, edit: swap("version 2", "version 3") }] },
  { what: "a first policy that follows one", chain: policy(swap("previous none", `previous SHA256:${"0".repeat(64)}`)) },
  { what: "a second policy that follows none", chain: [twoOfThree, { ...next, edit: swap(/previous .*/, "previous none") }] },
  { what: "a threshold of 0", chain: policy(swap("threshold 2", "threshold 0")) },
  { what: "a threshold of four of three", chain: policy(swap("threshold 2", "threshold 4")) },
  { what: "no threshold", chain: policy(swap("threshold 2\n", "")) },
  { what: "no keys", chain: policy(swap(/^key .*\n/gm, "")) },
  { what: "a key twice under two names", chain: policy((text) => text.replace(/^(key .*) (\w+)\n/m, "$1 $2\n$1 twin\n")) },
  { what: "a name twice", chain: policy(swap(/ bob\n/, " alice\n")) },
  { what: "a name that is none", chain: policy(swap(" bob\n", " -bob\n")) },
  { what: "a name with a space", chain: policy(swap(" bob\n", " bob smith\n")) },
  { what: "a name too long", chain: policy(swap(" bob\n", ` ${"b".repeat(41)}\n`)) },
  { what: "keys out of order", chain: policy((text) => text.replace(/(key .*\n)(key .*\n)/, "$2$1")) },
  { what: "a fingerprint of another key", chain: policy((text) => text.replace(print("bob"), `SHA256:${print("bob").slice(7, -1)}${print("bob").endsWith("0") ? "1" : "0"}`)) },
  { what: "a key in another text of base64", chain: policy(swap(/==( \w+)/, "=A$1")) },
  { what: "a key whose point is not on the curve", chain: policy((text) => withKeyOfBob(text, Buffer.concat([derOf("bob").subarray(0, 90), Buffer.from([(derOf("bob")[90] ?? 0) ^ 1])]))) },
  { what: "a key with a byte of another algorithm", chain: policy((text) => withKeyOfBob(text, Buffer.concat([derOf("bob").subarray(0, 22), Buffer.from([8]), derOf("bob").subarray(23)]))) },
  { what: "a key of another kind", chain: policy((text) => keyLineOf(text, "ed25519")) },
  { what: "a key on another curve", chain: policy((text) => keyLineOf(text, "P-384")) },
  { what: "an RSA key", chain: policy((text) => keyLineOf(text, "rsa")) },
  { what: "a line too many", chain: policy((text) => `${text}note x\n`) },
  { what: "a comment", chain: policy((text) => `# x\n${text}`) },
  { what: "an empty line", chain: policy((text) => `${text}\n`) },
  { what: "no line's end", chain: policy((text) => text.trimEnd()) },
  { what: "carriage returns", chain: policy((text) => text.replaceAll("\n", "\r\n")) },
  { what: "two spaces", chain: policy(swap("version 1", "version  1")) },
  { what: "a space at the end", chain: policy(swap("until never", "until never ")) },
  { what: "a NUL", chain: policy((text) => `${text}\0`) },
  { what: "a letter that is not ASCII", chain: policy(swap(" bob\n", " b\u00f6b\n")) },
  { what: "an empty policy", chain: policy(() => "") },
  { what: "never, and what then", chain: policy(swap("until never", "until never warn")) },
  { what: "an end without what then", chain: policy(swap("until never", "until 2028-01-01T00:00:00Z")) },
  { what: "an end at no time", chain: policy(swap("until never", "until 2028-02-30T00:00:00Z warn")) },
  { what: "an end in another zone", chain: policy(swap("until never", "until 2028-01-01T00:00:00+00:00 warn")) },
  { what: "another word for what then", chain: policy(swap("until never", "until 2028-01-01T00:00:00Z ignore")) },
  { what: "signatures of a policy twice", chain: [{ ...twoOfThree, signatures: twice }] },
  { what: "no signatures of a policy", chain: [{ ...twoOfThree, signatures: () => "\n" }] },
  { what: "a file more below trust/", more: { "trust/0003.policy": "x" } },
  { what: "a folder more below trust/", more: { "trust/old/0001.policy": "x" } },
  { what: "signatures without a policy", more: { "trust/0002.signatures": "x" } },
  { what: "a signature by one key as well", more: { [signaturePath]: "x", [publicKeyPath]: of("alice").publicKeyPem } },
  { what: "a key that signs twice", signatures: twice },
  { what: "both forms of one signature", signatures: (text) => bothForms(text) },
  { what: "signatures out of order", signatures: (text) => `${text.trimEnd().split("\n").reverse().join("\n")}\n` },
  { what: "no line's end behind the signatures", signatures: (text) => text.trimEnd() },
  { what: "an empty line behind the signatures", signatures: (text) => `${text}\n` },
  { what: "carriage returns in the signatures", signatures: (text) => text.replaceAll("\n", "\r\n") },
  { what: "a comment in the signatures", signatures: (text) => `# x\n${text}` },
  { what: "a tab in the signatures", signatures: (text) => text.replace(" ", "\t") },
  { what: "a fingerprint in upper case", signatures: (text) => text.replace(/SHA256:[0-9a-f]+/, (each) => `SHA256:${each.slice(7).toUpperCase()}`) },
  { what: "base64 with bits that say nothing", signatures: (text) => looseBits(text) },
  { what: "base64 of nothing", signatures: (text) => text.replace(/ .*/, " =") },
  { what: "base64 that is too long", signatures: (text) => text.replace(/ .*/, ` ${"AAAA".repeat(25)}`) },
  { what: "no signatures at all, in a file", signatures: () => "" },
];

/** Another key in the place of bob's, under its right fingerprint and in its right place. */
function withKeyOfBob(text: string, der: Uint8Array): string {
  const lines = text.replace(/^key .* bob$/m, `key SHA256:${createHash("sha256").update(der).digest("hex")} ${Buffer.from(der).toString("base64")} bob`).trimEnd().split("\n");
  return [...lines.filter((each) => !each.startsWith("key ")), ...lines.filter((each) => each.startsWith("key ")).sort(), ""].join("\n");
}

const derOf = (name: Name): Buffer => createPublicKey(of(name).publicKeyPem).export({ type: "spki", format: "der" });

function keyLineOf(text: string, kind: "ed25519" | "P-384" | "rsa"): string {
  const pair = kind === "ed25519" ? generateKeyPairSync("ed25519") : kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-384" });
  return withKeyOfBob(text, pair.publicKey.export({ type: "spki", format: "der" }));
}

/** ECDSA: where (r, s) is good, (r, n - s) is. */
function bothForms(text: string): string {
  return text.replace(/^(\S+) (.*)\n/, (line, mark: string, base64: string) => {
    const { r, s } = p256.Signature.fromBytes(Buffer.from(base64, "base64"), "der");
    const twin = new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes("der");
    return `${line}${mark} ${Buffer.from(twin).toString("base64")}\n`;
  });
}

function looseBits(text: string): string {
  const loose = text.replace(/([AEIMQUYcgkosw048])=\n/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`);
  return loose === text ? text.replace(/([AQgw])==\n/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==\n`) : loose;
}

const line = (name: Name, signature: Uint8Array): string => `${print(name)} ${Buffer.from(signature).toString("base64")}\n`;
const both = async (make: (name: Name) => Uint8Array | Promise<Uint8Array>): Promise<string> => {
  const lines = await Promise.all((["alice", "bob"] as const).map(async (name) => line(name, await make(name))));
  return lines.sort().join("");
};

const refused: readonly Case[] = [
  { what: "one of two", by: ["alice"], codes: ["verify/threshold"] },
  { what: "not signed", signatures: () => undefined, codes: ["verify/unsigned"] },
  { what: "a signature by a key that the policy does not list", by: ["alice", "bob", "dora"], codes: ["verify/other-key"] },
  { what: "two signatures by keys of the policy before", chain: [twoOfThree, other], by: ["alice", "bob"], codes: ["verify/other-key"] },
  { what: "trusted is a key that the policy lists and that did not sign it", anchor: "carol", codes: ["verify/other-key"] },
  { what: "trusted is a key of nobody", anchor: "eve", codes: ["verify/other-key"] },
  { what: "trusted is another policy", anchor: `SHA256:${"0".repeat(64)}`, codes: ["verify/other-key"] },
  { what: "a policy that too few signed", chain: [{ ...twoOfThree, by: ["alice"] }], codes: ["verify/trust-chain"] },
  { what: "a policy that a stranger signed as well", chain: [{ ...twoOfThree, by: ["alice", "bob", "eve"] }], codes: ["verify/trust-chain"] },
  { what: "a policy that was changed after it was signed", chain: [{ ...twoOfThree, signatures: (text) => text.replace(/ .*/, ` ${Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1]).toString("base64")}`) }], codes: ["verify/trust-chain"] },
  { what: "a rotation that only the new keys signed", chain: [twoOfThree, { ...other, by: ["dora", "eve"] }], by: ["dora", "eve"], codes: ["verify/trust-chain"] },
  { what: "a rotation that only the old keys signed", chain: [twoOfThree, { ...other, by: ["alice", "bob"] }], by: ["dora", "eve"], codes: ["verify/trust-chain"] },
  { what: "a rotation that too few of the old keys signed", chain: [twoOfThree, { ...other, by: ["alice", "dora", "eve"] }], by: ["dora", "eve"], codes: ["verify/trust-chain"] },
  { what: "a rotation of another policy", chain: [twoOfThree, { ...next, edit: swap(/previous .*/, `previous SHA256:${"0".repeat(64)}`) }], by: ["bob", "dora"], codes: ["verify/trust-chain"] },
  { what: "a rotation that leaps over one", chain: [twoOfThree, next, { ...other, by: ["alice", "bob", "dora", "eve"] }], by: ["dora", "eve"], codes: ["verify/trust-chain"] },
  { what: "signatures of another bundle", signatures: () => both((name) => of(name).sign(Buffer.from("other sums\n"))), codes: ["verify/signature"] },
  { what: "one good signature and one that is not", signatures: async (_, sums) => (await both((name) => of(name).sign(name === "bob" ? Buffer.from("x") : sums))), codes: ["verify/signature"] },
  { what: "signatures under each other's names", signatures: (_, sums) => both((name) => of(name === "bob" ? "alice" : "bob").sign(sums)), codes: ["verify/signature"] },
  { what: "signatures with SHA-512", signatures: (_, sums) => both((name) => signWith("sha512", sums, pems.get(name) ?? "")), codes: ["verify/signature"] },
  { what: "signatures with SHA-1", signatures: (_, sums) => both((name) => signWith("sha1", sums, pems.get(name) ?? "")), codes: ["verify/signature"] },
  { what: "signatures over the digest", signatures: (_, sums) => both((name) => of(name).sign(createHash("sha256").update(sums).digest())), codes: ["verify/signature"] },
  { what: "signatures as two numbers, not DER", signatures: (_, sums) => both((name) => signWith("sha256", sums, { key: pems.get(name) ?? "", dsaEncoding: "ieee-p1363" })), codes: ["verify/signature"] },
  { what: "signatures for DSSE", signatures: (_, sums) => both((name) => of(name).sign(preAuthenticationEncoding("x", sums))), codes: ["verify/signature"] },
  { what: "signatures of zeros", signatures: () => both(() => Buffer.from("3006020100020100", "hex")), codes: ["verify/signature"] },
  { what: "signatures of ones", signatures: () => both(() => Buffer.from("3006020101020101", "hex")), codes: ["verify/signature"] },
  { what: "signatures of Ed25519", signatures: (_, sums) => both(() => signWith(null, sums, generateKeyPairSync("ed25519").privateKey)), codes: ["verify/signature"] },
  { what: "signatures with a byte behind them", signatures: (_, sums) => both(async (name) => Buffer.concat([await of(name).sign(sums), Buffer.from([0])])), codes: ["verify/signature"] },
  { what: "after the end", chain: until("2027-01-01T00:00:00Z", "refuse"), time: "2027-01-01T00:00:00Z", codes: ["verify/expired"] },
  { what: "a clock of 1970", chain: until("2027-01-01T00:00:00Z", "refuse"), time: "1970-01-01T00:00:00Z", codes: ["verify/clock"] },
  { what: "a clock of the second before the release", chain: until("2027-01-01T00:00:00Z", "refuse"), time: "2026-11-23T23:59:59Z", codes: ["verify/clock"] },
  { what: "an end before the release, and a clock before both", chain: until("2026-11-01T00:00:00Z", "refuse"), time: "2026-10-01T00:00:00Z", codes: ["verify/expired"] },
  { what: "too long a policy", more: { "trust/0002.policy": "x".repeat(8_193), "trust/0002.signatures": "x" }, codes: ["verify/too-big"] },
  { what: "too many signatures", signatures: (text) => text.repeat(30), codes: ["verify/too-big"] },
];

t.test("good bundles", (t) => inTwos(good, (each) => judgeCase(t, each, true)));
t.test("what is not written as it must be is refused", (t) => inTwos(malformed, (each) => judgeCase(t, { codes: ["verify/trust-form"], ...each }, false)));
t.test("what proves too little is refused", (t) => inTwos(refused, (each) => judgeCase(t, each, false)));

t.test("policies of another bundle do not fit, even where the same people signed", async (t) => {
  const mild = await bundleOf({ what: "", chain: until("2027-01-01T00:00:00Z", "warn") });
  const strict = await bundleOf({ what: "", chain: until("2027-01-01T00:00:00Z", "refuse") });
  const [from, into] = [unpacked(mild.bytes), unpacked(strict.bytes)];
  execFileSync("cp", ["-r", join(from, "trust"), into]);
  await judge(t, "swapped", into, verifySh, { trust: print("alice"), time: "2027-02-01T00:00:00Z", expected: false, codes: ["verify/digest"] });
  execFileSync("cp", [join(from, "SHA256SUMS"), join(from, "manifest.json"), into]);
  execFileSync("cp", ["-r", join(from, "evidence"), into]);
  await judge(t, "with the sums to it", into, verifySh, { trust: print("alice"), time: "2027-02-01T00:00:00Z", expected: false, codes: ["verify/signature"] });
});

t.test("every changed byte of the policies and signatures is refused", async (t) => {
  const { bytes, digests } = await bundleOf({ what: "", chain: [twoOfThree, next], by: ["bob", "dora"] });
  const folder = unpacked(bytes);
  const files = [policyPath(1), policySignaturesPath(1), policyPath(2), policySignaturesPath(2), signaturesPath];
  const places = files.flatMap((file) => {
    const whole = readFileSync(join(folder, file));
    // Every stretch of the file has one, and none is chosen by chance.
    return [0, 1, 2, 3, 4, 5].map((index) => ({ file, whole, at: Math.floor((whole.byteLength - 1) * (index / 5)), bit: 1 << (index % 5) }));
  });
  for (const { file, whole, at, bit } of places) {
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(at) ^ bit, at);
    writeFileSync(join(folder, file), changed);
    await judge(t, `${file}, byte ${at}`, folder, verifySh, { trust: digests[0], time: "2026-12-01T00:00:00Z", expected: false });
    writeFileSync(join(folder, file), whole);
  }
  await judge(t, "and unchanged it is good", folder, verifySh, { trust: digests[0], time: "2026-12-01T00:00:00Z", expected: true });
});

t.test("verify.sh says the same as verify, takes the policy's file, and asks the machine's clock", async (t) => {
  const { bytes, digests } = await bundleOf({ what: "", chain: until("2027-01-01T00:00:00Z", "refuse") });
  const path = join(work, "said.tar");
  writeFileSync(path, bytes);
  const anchor = join(unpacked(bytes), "trust/0001.policy");
  const folder = join(work, "clock");
  mkdirSync(folder);
  const clock = (text: string): readonly string[] => {
    writeFileSync(join(folder, "date"), `#!/bin/sh\nprintf '%s\\n' '${text}'\n`, { mode: 0o755 });
    return ["/usr/bin/env", `PATH=${folder}:${process.env["PATH"] ?? ""}`];
  };
  for (const shell of shells) {
    const words = [...shell, verifySh, "--bundle", path, "--trust", anchor];
    const fine = await run([...clock("2026-12-01T00:00:00Z"), ...words]);
    t.equal(fine.status, 0, fine.text);
    const signed = [...new Set(fine.text.split("\n").filter((each) => /^GOOD/.test(each)))].join("");
    t.match(signed, new RegExp(`^GOOD: everything in it was signed by (alice, bob|bob, alice) \\(2 of 3 keys, 2 wanted\\) under trust policy 1, trusted through ${digests[0] ?? ""}$`));
    t.match(fine.text, /^validity {3}proven {5}trust policy 1 holds until 2027-01-01T00:00:00Z; the clock says 2026-12-01T00:00:00Z$/m);
    t.match(await run([...clock("1970-01-01T00:00:09Z"), ...words]), { status: 1, text: /^validity {3}refused {4}verify\/clock: the clock says 1970-01-01T00:00:09Z, before the release was made \(2026-11-24T00:00:00Z\)/m });
    t.match(await run([...clock("2027-01-01T00:00:00Z"), ...words, "--quiet"]), { status: 1, text: /^validity {3}refused {4}verify\/expired: trust policy 1 ended at 2027-01-01T00:00:00Z$/m });
    t.match(await run([...clock("nonsense"), ...words]), { status: 3, text: "the clock can't be read" });
    t.match(await run([...words, "--time", "2026-13-01T00:00:00Z"]), { status: 2 });
    const mild = join(work, "mild.tar");
    writeFileSync(mild, (await bundleOf({ what: "", chain: until("2027-01-01T00:00:00Z", "warn") })).bytes);
    const warned = await run([...clock("2028-01-01T00:00:00Z"), ...shell, verifySh, "--bundle", mild, "--trust", print("alice"), "--quiet"]);
    t.strictSame([warned.status, warned.text.replace(/^.*setlocale: .*\n/gm, "")], [0, "validity   warned     trust policy 1 ended at 2027-01-01T00:00:00Z\n"], "a warning is said even where quiet is wanted");
  }
});
