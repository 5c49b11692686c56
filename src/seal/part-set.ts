/**
 * Parts as they lie there: which bundle they are of, what each one holds by the signed files, and what is wrong with it or
 * missing. Nothing that a part says of itself is believed; whoever reads the stretches compares them with the signed pieces.
 */

import { hexOf, sha256 } from "../core/digest.ts";
import type { Issue } from "../core/issue.ts";
import { byPlace, piecesPath, sealPaths } from "../pack/layout.ts";
import { parsePieces } from "../pack/pieces.ts";
import { atomsOf, bundleNameIn, cutsOf, descriptionText, frameOf, partName, shapeOf, type Cut, type Description, type Shape } from "../pack/parts.ts";
import { mtimeOf } from "../pack/tree.ts";
import type { ArchiveSource, Place } from "./bundle-source.ts";
import { formOf } from "./form.ts";
import { smallFilesOf, type PartForm } from "./part-form.ts";
import { partIssue } from "./part-issue-codes.ts";
import type { Verdict } from "./verdict.ts";
import { verifyBundle, type Trust } from "./verify.ts";

/** A file that has the form of a part. */
export interface PartFile {
  /** As it is called on the disk; people are told by it. */
  readonly name: string;
  readonly source: ArchiveSource;
  readonly form: PartForm;
}

/** A bundle as its signed small files tell it. */
export interface KnownBundle {
  /** Of its tar. */
  readonly name: string;
  /** Its small files, as they stand at the beginning of the tar and of each part; what was judged is what is here. */
  readonly head: Uint8Array;
  readonly shape: Shape;
  readonly atoms: ReturnType<typeof atomsOf>;
}

export interface PartSet {
  /** Of the small files; that of the first part where they are refused. */
  readonly verdict: Verdict;
  /** Undefined where no part's small files are proven, or several bundles are mixed. */
  readonly bundle: KnownBundle | undefined;
  /** All parts that the bundle was split into; empty where that is not known. */
  readonly cuts: readonly Cut[];
  /** The good ones, by number from 1; their stretches have not been looked at. */
  readonly parts: ReadonlyMap<number, PartFile>;
  readonly parity: PartFile | undefined;
  /** What is wrong with a file. Names are no keys: copies of a part in two folders may have the same. */
  readonly bad: ReadonlyMap<PartFile, readonly Issue[]>;
  /** Numbers and names of what is not there. */
  readonly missing: readonly { readonly part: number; readonly name: string }[];
  /** What is wrong with the parts together. */
  readonly issues: readonly Issue[];
}

/** `files` has at least one; `now` is as for `verifyBundle`. */
export async function partSetOf(files: readonly PartFile[], trust: Trust, now: string): Promise<PartSet> {
  const heads = await judgedHeads(files, trust, now);
  const good = heads.filter((head) => head.bundle !== undefined);
  const [first] = good.length === 0 ? heads : good;
  if (first === undefined) throw new Error("no part was given");
  const bad = new Map<PartFile, readonly Issue[]>();
  for (const { files: those, issues } of heads) for (const file of issues.length === 0 ? [] : those) bad.set(file, issues);
  const none = { verdict: first.verdict, bundle: undefined, cuts: [], parts: new Map(), parity: undefined, bad, missing: [] };
  if (good.length > 1) return { ...none, issues: [mixed("part/other-bundle", "of different bundles", good.map((head) => head.files))] };
  const { bundle } = first;
  if (bundle === undefined) return { ...none, issues: [] };
  return { ...none, bundle, ...sorted(first.files, bundle, bad) };
}

interface Head {
  readonly files: readonly PartFile[];
  readonly verdict: Verdict;
  readonly bundle: KnownBundle | undefined;
  readonly issues: readonly Issue[];
}

/** Parts of one bundle begin with the same bytes, so these are judged once; and held once, for there may be a hundred megabytes of them. */
async function judgedHeads(files: readonly PartFile[], trust: Trust, now: string): Promise<readonly Head[]> {
  const groups = new Map<string, PartFile[]>();
  for (const file of files) {
    const [digest = ""] = await file.source.hash([headOf(file)]);
    const group = groups.get(digest) ?? [];
    group.push(file);
    groups.set(digest, group);
  }
  const heads: Head[] = [];
  for (const group of groups.values()) {
    const [one] = group;
    if (one === undefined) continue;
    const { verdict, ...known } = await knownBundle(await one.source.read(headOf(one)), trust, now);
    heads.push("issues" in known ? { files: group, verdict, bundle: undefined, issues: known.issues } : { files: group, verdict, bundle: known.bundle, issues: [] });
  }
  return heads;
}

function headOf({ form }: PartFile): Place {
  return { file: "", start: 0, end: form.head };
}

/** Where nobody said whom to trust, nothing is wrong with the part. */
function ofSmallFiles({ code, message, hint }: Issue): Issue {
  return partIssue("part/small-files", `${message} (${code})`, code === "verify/no-trust" ? hint : undefined);
}

/** What a bundle is as a whole, by the bytes of its small files, which are judged; its blobs need not be there. */
export async function knownBundle(
  head: Uint8Array,
  trust: Trust,
  now: string,
): Promise<{ readonly verdict: Verdict } & ({ readonly bundle: KnownBundle } | { readonly issues: readonly Issue[] })> {
  const source = smallFilesOf(head);
  const verdict = await verifyBundle(source, trust, { now, extent: "small-files" });
  const { manifest } = verdict;
  if (!verdict.good || manifest === undefined) return { verdict, issues: verdict.rungs.flatMap((rung) => rung.issues).map(ofSmallFiles) };
  const { files } = await formOf(source);
  const place = files.get(piecesPath)?.place;
  const seal = sealPaths.flatMap((path) => files.get(path) ?? []).map(({ path, size }) => ({ path, size, mode: 0o644 }));
  const listed = manifest.files.map(({ path, mode, size }) => ({ path, size, mode: Number.parseInt(mode, 8) }));
  const shape = shapeOf([...listed, ...seal].sort((a, b) => byPlace(a.path, b.path)), mtimeOf(manifest.release.created));
  if (place === undefined) return { verdict, issues: [partIssue("part/no-pieces", `there is no ${piecesPath} in it`)] };
  const pieces = parsePieces(await source.read(place), shape.blobs);
  if ("wrong" in pieces) return { verdict, issues: [partIssue("part/no-pieces", `${piecesPath} ${pieces.wrong}`)] };
  return { verdict, bundle: { name: bundleNameIn(manifest), head, shape, atoms: atomsOf(shape, pieces) } };
}

type Sorted = Pick<PartSet, "cuts" | "parts" | "parity" | "missing" | "issues">;

/** Parts whose small files are proven, each at its number; `bad` is added to. */
function sorted(files: readonly PartFile[], bundle: KnownBundle, bad: Map<PartFile, readonly Issue[]>): Sorted {
  const limits = new Map<number, PartFile[]>();
  for (const file of files) limits.set(file.form.description.limit, [...(limits.get(file.form.description.limit) ?? []), file]);
  const none = { cuts: [], parts: new Map(), parity: undefined, missing: [] };
  // A limit that gives no cuts is a lie, and no other way of splitting.
  const splits = [...limits].flatMap(([limit, those]) => {
    const cuts = cutsOf(bundle.shape, bundle.atoms, limit);
    const wrong = (file: PartFile): readonly Issue[] => ("wrong" in cuts ? [lie(file)] : [...file.form.issues, ...(isAsSaid(file, bundle, cuts) ? [] : [lie(file)])]);
    for (const file of those) if (wrong(file).length > 0) bad.set(file, wrong(file));
    const right = those.filter((file) => !bad.has(file));
    return "wrong" in cuts || (right.length === 0 && limits.size > 1) ? [] : [{ limit, cuts, files: right }];
  });
  if (splits.length > 1) return { ...none, issues: [mixed("part/other-split", "of one bundle that was split in different ways", splits.map((split) => split.files))] };
  const [split] = splits;
  if (split === undefined) return { ...none, issues: [] };
  const issues: Issue[] = [];
  const parts = new Map<number | "parity", PartFile>();
  for (const file of split.files) {
    const { part } = file.form.description;
    const other = parts.get(part);
    if (other !== undefined) issues.push(partIssue("part/twice", `${other.name} and ${file.name} are both ${part === "parity" ? "the parity" : `part ${part}`}`));
    else parts.set(part, file);
  }
  const missing = split.cuts
    .map((_, index) => index + 1)
    .filter((part) => !parts.has(part))
    .map((part) => ({ part, name: partName({ bundle: bundle.name, part, parts: split.cuts.length }) }));
  const numbered = [...parts].flatMap(([part, file]) => (part === "parity" ? [] : [[part, file] as const]));
  return { cuts: split.cuts, parts: new Map(numbered), parity: parts.get("parity"), missing, issues };
}

export function lie({ form }: PartFile): Issue {
  const { part, parts, start, end } = form.description;
  return partIssue("part/description", `it says that it is ${part === "parity" ? "the parity" : `part ${part}`} of ${parts}, bytes ${start} to ${end}, and by the signed files it is not`);
}

/** Whether part.txt says what it must; of the parity all but its digest follows. */
export function isAsSaid({ form }: PartFile, bundle: KnownBundle, cuts: readonly Cut[]): boolean {
  const wanted = describe(bundle, cuts, form.description.limit, form.description.part);
  const { sha256: digest } = form.description;
  return wanted !== undefined && descriptionText(digest === undefined ? wanted : { ...wanted, sha256: digest }) === descriptionText(form.description);
}

/** Undefined where there is no such part. */
export function describe({ name, shape }: KnownBundle, cuts: readonly Cut[], limit: number, part: Description["part"]): Description | undefined {
  const common = { bundle: name, size: shape.size, limit, part, parts: cuts.length };
  if (part === "parity") return { ...common, start: 0, end: Math.max(...cuts.map((cut) => cut.end - cut.start)) };
  const cut = cuts[part - 1];
  return cut === undefined ? undefined : { ...common, start: cut.start, end: cut.end };
}

function mixed(code: "part/other-bundle" | "part/other-split", how: string, groups: readonly (readonly PartFile[])[]): Issue {
  const words = groups.map((group) => group.map((file) => file.name).sort().join(", "));
  return partIssue(code, `the parts are ${how}: ${words.join("; and ")}`);
}

/**
 * What is wrong with a part's own bytes: its stretch against the signed pieces, and what must stand around and between them.
 * Of the parity, whether it is what it says, which nobody signed.
 */
export async function stretchIssues({ source, form }: PartFile, bundle: KnownBundle, cut: Cut | undefined): Promise<readonly Issue[]> {
  const { head, description, stretch } = form;
  const { before, after } = frameOf(description, bundle.shape.mtime);
  const issues: Issue[] = [];
  const expect = async (start: number, wanted: Uint8Array, what: string): Promise<void> => {
    if (wanted.byteLength === 0) return;
    const found = await source.read({ file: "", start, end: start + wanted.byteLength });
    if (hexOf(sha256(found)) !== hexOf(sha256(wanted))) issues.push(partIssue("part/bytes", `${what} are not what they must be`));
  };
  await expect(head, before, "the headers behind the small files");
  await expect(stretch.end, after, "the last blocks");
  if (cut === undefined) {
    const [digest] = await source.hash([stretch]);
    return digest === description.sha256 ? issues : [...issues, partIssue("part/bytes", "the parity is damaged")];
  }
  const placed = cut.atoms.map((atom) => {
    const start = stretch.start + atom.start - cut.start + atom.before.byteLength;
    return { atom, place: { file: "", start, end: start + atom.piece.end - atom.piece.start } };
  });
  const digests = await source.hash(placed.map(({ place }) => place));
  for (const [index, { atom, place }] of placed.entries()) {
    const { piece } = atom;
    if (digests[index] !== piece.sha256) issues.push(partIssue("part/bytes", `bytes ${piece.start} to ${piece.end} of ${piece.path} are not what was signed`));
    await expect(place.start - atom.before.byteLength, atom.before, `the header of ${piece.path} and what stands before it`);
    await expect(place.end, atom.after, `the bytes behind ${piece.path}`);
  }
  return issues;
}
