/** Compares a bundle with the one that was made again from its own documents, file by file and byte by byte. */

import type { Digest } from "../core/digest.ts";
import { hexOf } from "../core/digest.ts";
import type { File, FileBody } from "../core/file.ts";
import { sizeOf } from "../core/file.ts";
import { publicKeyPath, signaturePath, signaturesPath, sumsPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import type { BlobReader, Segment } from "../pack/stream.ts";
import { layArchive } from "../pack/stream.ts";
import type { Tree } from "../pack/tree.ts";
import type { BundleSource, Found, Place } from "./bundle-source.ts";
import type { Form } from "./form.ts";
import { chainIn } from "./signed-policy.ts";
import { judgeSignatures, parseSignatures } from "./signature-lines.ts";
import { isSignature } from "./sign.ts";
import { isMode } from "./verify.ts";

/** Where a file of the bundle is not the one that was made again. Files stand in the order of the archive. */
export interface Difference {
  readonly path: string;
  readonly kind: "missing" | "extra" | "mode" | "time" | "content" | "signature";
  /** Of content: the first byte that differs, from 0; or where the stretch begins that holds it (`exact` is false). */
  readonly offset?: number;
  readonly exact?: boolean;
  /** The bytes there, 0 to 255; undefined where one of the two has ended, or they are not known. */
  readonly found?: number;
  readonly wanted?: number;
}

/** Blobs that are at hand besides those in the bundle; `has` says which. */
export interface Blobs extends BlobReader {
  has(digest: Digest): Promise<boolean>;
}

/**
 * What differs between the bundle and `wanted`, a sealed tree. Where that is not signed, the bundle may be, and its signature
 * must be good for the key that lies beside it; under a trust policy, others may have signed as well, with keys of the policy. A payload is compared part by part, so that no blob has to be at hand: each
 * blob in it must have the digest that its name promises. `blobs` serve to find the byte where one has not.
 */
export async function differences(source: BundleSource, form: Form, wanted: Tree, blobs: Blobs): Promise<readonly Difference[]> {
  const there = wanted.files.filter((file) => form.files.has(file.path));
  const digests = await source.hash(there.map((file) => foundOf(form, file.path).place));
  const digestOf = new Map(there.map((file, index) => [file.path, digests[index]]));
  const all: Difference[] = [];
  for (const file of wanted.files) {
    if (file.path === signaturesPath) continue;
    const found = form.files.get(file.path);
    if (found === undefined) all.push({ path: file.path, kind: "missing" });
    else all.push(...(await fileDifferences(source, found, digestOf.get(file.path), file, wanted.mtime, blobs)));
  }
  const names = new Set(wanted.files.map((file) => file.path));
  const seal = [signaturePath, publicKeyPath];
  const extra = [...form.files.keys()].filter((path) => !names.has(path) && path !== signaturesPath && !(seal.includes(path) && seal.every((each) => form.files.has(each))));
  const signatures = [...(await signatureDifferences(source, form, names)), ...(await policyDifferences(source, form, wanted))];
  return [...all, ...extra.map((path): Difference => ({ path, kind: "extra" })), ...signatures];
}

function foundOf(form: Form, path: string): Found {
  const found = form.files.get(path);
  if (found === undefined) throw new Error(`no such file in the bundle: ${path}`);
  return found;
}

async function fileDifferences(
  source: BundleSource,
  found: Found,
  digest: string | undefined,
  { path, mode, body }: File,
  mtime: number,
  blobs: Blobs,
): Promise<readonly Difference[]> {
  const all: Difference[] = [];
  if (!isMode(found, mode === 0o755 ? "0755" : "0644")) all.push({ path, kind: "mode" });
  if (found.mtime !== undefined && found.mtime !== mtime) all.push({ path, kind: "time" });
  const isSame = digest === bodySha256(body) && found.size === sizeOf(body);
  // A payload is also looked into where its digest is right: the lock might promise a digest that its containers don't give.
  if (isSame && body.kind !== "archive") return all;
  const first = await firstDifference(source, found.place, segmentsOf(body, mtime), blobs);
  if (first !== undefined) all.push({ path, kind: "content", ...first });
  else if (!isSame) all.push({ path, kind: "content", offset: 0, exact: false });
  return all;
}

function segmentsOf(body: FileBody, mtime: number): readonly Segment[] {
  if (body.kind === "archive") return layArchive(body.entries, mtime).segments;
  const at = { start: 0, size: sizeOf(body) } as const;
  return [body.kind === "bytes" ? { ...at, kind: "bytes", bytes: body.bytes } : { ...at, kind: "blob", digest: body.digest }];
}

type First = Pick<Difference, "offset" | "exact" | "found" | "wanted">;

async function firstDifference(source: BundleSource, place: Place, segments: readonly Segment[], blobs: Blobs): Promise<First | undefined> {
  const size = place.end - place.start;
  for (const segment of segments) {
    const stretch = stretchOf(place, segment.start, segment.start + segment.size);
    const isWhole = stretch.end - stretch.start === segment.size;
    if (segment.kind === "bytes") {
      const first = firstOf(await source.read(stretch), segment.bytes);
      if (first !== undefined) return { ...first, offset: segment.start + first.offset, exact: true };
      continue;
    }
    const [digest] = isWhole ? await source.hash([stretch]) : [];
    if (digest === hexOf(segment.digest)) continue;
    return inBlob(source, stretch, segment, blobs);
  }
  const end = segments.reduce((last, segment) => Math.max(last, segment.start + segment.size), 0);
  return size === end ? undefined : { offset: Math.min(size, end), exact: true };
}

/** A stretch of a file; shorter where the file ends. */
function stretchOf({ file, start, end }: Place, from: number, to: number): Place {
  return { file, start: Math.min(end, start + from), end: Math.min(end, start + to) };
}

/** A blob is read along with the bundle where it is at hand; otherwise only the stretch is known. */
async function inBlob(source: BundleSource, stretch: Place, segment: Segment & { readonly kind: "blob" }, blobs: Blobs): Promise<First> {
  if (!(await blobs.has(segment.digest))) return { offset: segment.start, exact: false };
  let at = 0;
  for await (const chunk of blobs.read(segment.digest, 0, segment.size)) {
    const here = await source.read(stretchOf(stretch, at, at + chunk.byteLength));
    const first = firstOf(here, chunk);
    if (first !== undefined) return { ...first, offset: segment.start + at + first.offset, exact: true };
    at += chunk.byteLength;
  }
  throw new Error(`the store's blob ${segment.digest} is not what its name says`);
}

function firstOf(found: Uint8Array, wanted: Uint8Array): { readonly offset: number; readonly found?: number; readonly wanted?: number } | undefined {
  const most = Math.max(found.byteLength, wanted.byteLength);
  for (let at = 0; at < most; at += 1) {
    if (found[at] === wanted[at]) continue;
    return { offset: at, ...(found[at] === undefined ? {} : { found: found[at] as number }), ...(wanted[at] === undefined ? {} : { wanted: wanted[at] as number }) };
  }
  return undefined;
}

/** Where the signature was not made again: is the one that is there good for the key beside it? */
async function signatureDifferences(source: BundleSource, form: Form, names: ReadonlySet<string>): Promise<readonly Difference[]> {
  const [sums, signature, key] = [sumsPath, signaturePath, publicKeyPath].map((path) => form.files.get(path));
  if (names.has(signaturePath) || sums === undefined || signature === undefined || key === undefined) return [];
  const pem = new TextDecoder("latin1").decode(await source.read(key.place));
  const isGood = isSignature(await source.read(sums.place), pem, await source.read(signature.place));
  return isGood ? [] : [{ path: signaturePath, kind: "signature" }];
}

/** Under a trust policy: each signature is good for a key of it, and those that were made again are there. */
async function policyDifferences(source: BundleSource, form: Form, wanted: Tree): Promise<readonly Difference[]> {
  const [sums, there] = [form.files.get(sumsPath), form.files.get(signaturesPath)];
  const body = wanted.files.find((file) => file.path === signaturesPath)?.body;
  const made = body?.kind === "bytes" ? parseSignatures(body.bytes) : undefined;
  if (there === undefined) return made === undefined ? [] : [{ path: signaturesPath, kind: "missing" }];
  const { chain } = await chainIn(source, form);
  const signatures = parseSignatures(await source.read(there.place));
  const policy = chain.at(-1)?.policy;
  if (sums === undefined || signatures === undefined || policy === undefined) return [{ path: signaturesPath, kind: policy === undefined ? "extra" : "signature" }];
  const { bad, strangers } = judgeSignatures(await source.read(sums.place), signatures, policy.keys);
  const isThere = [...(made ?? [])].every(([fingerprint, signature]) => Buffer.from(signatures.get(fingerprint) ?? []).equals(signature));
  return bad.length + strangers.length === 0 && isThere ? [] : [{ path: signaturesPath, kind: "signature" }];
}
