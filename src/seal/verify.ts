/** Verifies a bundle, rung by rung; `templates/common/verify.sh` climbs the same ladder and judges alike. */

import { isBlobPath, manifestPath, publicKeyPath, sealPaths, signaturePath, sumsPath, unsummedPaths } from "../pack/layout.ts";
import type { Manifest, ManifestFile } from "../pack/manifest.ts";
import { parseManifest } from "../pack/manifest.ts";
import { epochOf } from "../pack/tree.ts";
import type { BundleSource, Found } from "./bundle-source.ts";
import { formOf } from "./form.ts";
import type { Form } from "./form.ts";
import type { Fingerprint } from "./keys.ts";
import { readPublicKey } from "./keys.ts";
import type { Policy } from "./policy.ts";
import { isSignature } from "./sign.ts";
import { isPoliced, judgePolicy } from "./signed-policy.ts";
import { parseSums } from "./sums.ts";
import { validityRung } from "./validity.ts";
import { refusal, rungNames, signersText } from "./verdict.ts";
import type { Rung, RungName, SignedPolicy, Verdict, VerifyIssue } from "./verdict.ts";

/** Whose signature is trusted; "none": the user does not want it checked; undefined: nobody said, which is refused. */
export type Trust = Fingerprint | "none" | undefined;

/** What shall be there: all of the bundle, or its small files alone, as at the beginning of a part. */
export type Extent = "whole" | "small-files";

/**
 * Judges a bundle. Whatever is wrong with it is in the verdict; what is thrown is the world's failure or a bug. `now` is what the
 * clock says (RFC 3339, UTC, whole seconds); without one, a trust policy that ends can't be shown to hold.
 */
export async function verifyBundle(source: BundleSource, trust: Trust, { now, extent = "whole" }: { readonly now?: string | undefined; readonly extent?: Extent } = {}): Promise<Verdict> {
  const form = await formOf(source);
  if (form.issues.length > 0) {
    const others = rungNames.slice(1).map((name) => unreached(name, "the form was refused"));
    return { good: false, signedBy: undefined, policy: undefined, rungs: [refused("form", form.issues), ...others], manifest: undefined };
  }
  const { rung: signature, policy, signed } = await signatureRung(source, form, trust);
  const { rung: sums, listed, bytes } = await sumsRung(source, form, extent);
  const noExtra = listed === undefined ? unreached("no-extra", "there are no sums to compare with") : noExtraRung(form, listed, extent);
  const { rung: manifestRung, manifest } =
    bytes === undefined || listed === undefined
      ? { rung: unreached("manifest", "its bytes are not proven"), manifest: undefined }
      : manifestRungOf(form, listed, bytes, extent);
  const validity = policy === undefined ? [] : [manifest === undefined ? unreached("validity", "the time of the release is not proven") : validityRung(policy, manifest.release.created, now)];
  const rungs = [formRung(source, form), signature, sums, noExtra, manifestRung, ...validity];
  const signedBy = signature.status === "proven" && trust !== "none" ? trust : undefined;
  const good = rungs.every(({ status }) => status !== "refused" && status !== "unreached");
  return { good, signedBy, policy: signed, rungs, manifest };
}

function proven(name: RungName, says: string): Rung {
  return { name, status: "proven", says, issues: [] };
}

function refused(name: RungName, issues: readonly VerifyIssue[]): Rung {
  return { name, status: "refused", says: issues.map((issue) => issue.message).join("; "), issues };
}

function unreached(name: RungName, says: string): Rung {
  return { name, status: "unreached", says, issues: [] };
}

/** Proven unless there are issues. */
function rungOf(name: RungName, issues: readonly VerifyIssue[], says: string): Rung {
  return issues.length > 0 ? refused(name, issues) : proven(name, says);
}

function formRung(source: BundleSource, { files }: Form): Rung {
  return proven(
    "form",
    source.kind === "archive"
      ? `${files.size} entries, each a regular file in its place, and nothing beside them`
      : `${files.size} regular files, no links or devices`,
  );
}

interface SignatureRung {
  readonly rung: Rung;
  /** Where the rung is proven, and there is one. */
  readonly policy?: Policy;
  readonly signed?: SignedPolicy;
}

async function signatureRung(source: BundleSource, form: Form, trust: Trust): Promise<SignatureRung> {
  if (trust === undefined || trust === "none" || !form.files.has(sumsPath) || !isPoliced(form)) return { rung: await oneKeyRung(source, form, trust) };
  const { issues, policy, signed } = await judgePolicy(source, form, trust);
  if (policy === undefined || signed === undefined) return { rung: refused("signature", issues) };
  return { rung: proven("signature", `${sumsPath} is signed by ${signersText(signed, trust)}`), policy, signed };
}

async function oneKeyRung(source: BundleSource, { files }: Form, trust: Trust): Promise<Rung> {
  const [sums, signature, publicKey] = [sumsPath, signaturePath, publicKeyPath].map((path) => files.get(path));
  if (trust === "none") return { name: "signature", status: "unchecked", says: "not asked for (--trust none)", issues: [] };
  const no = (...wrong: Parameters<typeof refusal>): Rung => refused("signature", [refusal(...wrong)]);
  if (trust === undefined) return no("verify/no-trust", "nobody said whose signature is trusted (--trust)", howToTrust);
  if (sums === undefined) return no("verify/missing-file", `${sumsPath} is missing`);
  if (signature === undefined && publicKey === undefined) return no("verify/unsigned", "the bundle is not signed");
  if (signature === undefined || publicKey === undefined) {
    return no("verify/missing-file", `${signature === undefined ? signaturePath : publicKeyPath} is missing`);
  }
  const pem = new TextDecoder("latin1").decode(await source.read(publicKey.place));
  const key = readPublicKey(pem);
  if (!key.ok || key.value.publicKeyPem !== pem) return no("verify/other-key", `${publicKeyPath} is no P-256 public key in its one form`);
  if (key.value.fingerprint !== trust) return no("verify/other-key", `the bundle's key is ${key.value.fingerprint}, trusted is ${trust}`);
  const good = isSignature(await source.read(sums.place), pem, await source.read(signature.place));
  return good ? proven("signature", `${sumsPath} is signed by ${trust}`) : no("verify/signature", `${signaturePath} is no signature by ${trust} over ${sumsPath}`);
}

const howToTrust =
  "give the signer's public key or fingerprint, got by another channel than the bundle; --trust none leaves the signature unchecked";

interface SumsRung {
  readonly rung: Rung;
  /** Undefined where the sums can't be read. */
  readonly listed: ReadonlyMap<string, string> | undefined;
  /** Of manifest.json; undefined unless the rung is proven. */
  readonly bytes: Uint8Array | undefined;
}

async function sumsRung(source: BundleSource, { files }: Form, extent: Extent): Promise<SumsRung> {
  const sums = files.get(sumsPath);
  const none = { listed: undefined, bytes: undefined };
  if (sums === undefined) return { rung: refused("sums", [refusal("verify/missing-file", `${sumsPath} is missing`)]), ...none };
  const parsed = parseSums(await source.read(sums.place));
  if (!parsed.ok) return { rung: refused("sums", [refusal("verify/sums-form", parsed.message)]), ...none };
  const paths = [...parsed.sums.keys()].filter((path) => isWanted(path, extent));
  const there = paths.flatMap((path) => files.get(path) ?? []);
  const digests = await source.hash(there.map((file) => file.place));
  const digestOf = new Map(there.map((file, index) => [file.path, digests[index]]));
  const issues = paths.flatMap((path) => {
    const digest = digestOf.get(path);
    if (digest === undefined) return [refusal("verify/missing-file", `${path} is missing`)];
    return digest === parsed.sums.get(path) ? [] : [refusal("verify/digest", `${path} is not the file that was listed`)];
  });
  const rung = rungOf("sums", issues, `${paths.length} files are those that ${sumsPath} lists`);
  const manifest = files.get(manifestPath);
  const bytes = issues.length > 0 || manifest === undefined ? undefined : await source.read(manifest.place);
  return { rung, listed: parsed.sums, bytes };
}

/** Where the small files alone are wanted, a big one would be a byte that nobody looks at. */
function noExtraRung({ files, folders }: Form, listed: ReadonlyMap<string, string>, extent: Extent): Rung {
  const needed = new Set([...listed.keys()].flatMap(foldersOf));
  const issues = [
    ...[...files.keys()].filter((path) => !isWanted(path, extent)).map((path) => refusal("verify/extra-file", `${path} is there, where small files alone may be`)),
    ...[
      ...[...files.keys()].filter((path) => isWanted(path, extent) && !listed.has(path) && !unsummedPaths.includes(path)),
      ...folders.filter((path) => !needed.has(path)),
    ].map((path) => refusal("verify/extra-file", `${path} is not listed`)),
  ];
  return rungOf("no-extra", issues, "nothing else is there");
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function isWanted(path: string, extent: Extent): boolean {
  return extent === "whole" || !isBlobPath(path);
}

function manifestRungOf(form: Form, listed: ReadonlyMap<string, string>, bytes: Uint8Array, extent: Extent): { rung: Rung; manifest: Manifest | undefined } {
  const parsed = parseManifest(bytes);
  if (!parsed.ok) {
    const issues = parsed.issues.map((issue) => refusal("verify/manifest-form", issue.message));
    return { rung: refused("manifest", issues), manifest: undefined };
  }
  const manifest = parsed.value;
  const issues = [
    ...manifestDisagreements(manifest, listed, form, extent),
    ...modeIssues(manifest, form),
    ...timeIssues(manifest, form),
  ];
  const rung = rungOf("manifest", issues, `sizes and modes of ${manifest.files.filter(({ path }) => isWanted(path, extent)).length} files are as ${manifestPath} gives them`);
  return { rung, manifest: issues.length > 0 ? undefined : manifest };
}

function manifestDisagreements({ files }: Manifest, listed: ReadonlyMap<string, string>, form: Form, extent: Extent): readonly VerifyIssue[] {
  const named = new Set(files.map((file) => file.path));
  const unnamed = [...listed.keys()].filter((path) => path !== manifestPath && !named.has(path));
  return [
    ...unnamed.map((path) => refusal("verify/manifest-disagrees", `${path} is in ${sumsPath} alone`)),
    ...files
      .filter(({ path, sha256, size }) => listed.get(path) !== sha256 || (isWanted(path, extent) && form.files.get(path)?.size !== size))
      .map(({ path }) => refusal("verify/manifest-disagrees", `${path} has another digest or size in ${manifestPath}`)),
  ];
}

function modeIssues(manifest: Manifest, { files }: Form): readonly VerifyIssue[] {
  const modes = new Map(manifest.files.map(({ path, mode }) => [path, mode]));
  const seal = sealPaths.map((path) => [path, "0644"] as const);
  return [...modes, ...seal].flatMap(([path, mode]) => {
    const file = files.get(path);
    return file === undefined || isMode(file, mode) ? [] : [refusal("verify/mode", `${path} has mode ${file.mode.toString(8)}, not ${mode}`)];
  });
}

/**
 * In an archive, exactly the mode. In a folder a umask may have taken bits away, but none may have come, its owner can
 * still read it, and a script can still be run by its owner.
 */
export function isMode(file: Found, mode: ManifestFile["mode"]): boolean {
  const wanted = Number.parseInt(mode, 8);
  if (file.mtime !== undefined) return file.mode === wanted;
  const least = wanted & 0o500;
  return (file.mode & ~wanted) === 0 && (file.mode & least) === least;
}

function timeIssues({ release }: Manifest, { files }: Form): readonly VerifyIssue[] {
  const mtime = epochOf(release.created);
  return [...files.values()]
    .filter((file) => file.mtime !== undefined && file.mtime !== mtime)
    .map((file) => refusal("verify/time", `${file.path} has another time than the release`));
}
