/** Writes one part of a bundle: the small files, the description, and a stretch, each piece of which is checked as it is copied. */

import type { FileHandle } from "node:fs/promises";
import type { Issue } from "../core/issue.ts";
import { frameOf, type Atom, type Cut, type Description } from "../pack/parts.ts";
import { blockSize } from "../pack/tar.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import type { KnownBundle } from "../seal/part-set.ts";
import type { Run } from "../store/hash-stretch.ts";
import { hashStretches, type HashWatch } from "../store/hash-workers.ts";
import type { TarView } from "../store/tar-view.ts";
import { flushMeanwhile } from "./flush-meanwhile.ts";
import { writeAside, writeAt } from "./write-aside.ts";

export interface PartWanted {
  readonly bundle: KnownBundle;
  /** Where the bundle's bytes are. */
  readonly from: TarView;
  readonly cuts: readonly Cut[];
  readonly description: Description;
  /** The bytes are copied as they are: they were proven before, or are proven later. */
  readonly isUnproven: boolean;
}

/** Issues where the bundle's own bytes are not those that were signed: then nothing is left under the name. */
export async function writePart(path: string, wanted: PartWanted, watch: HashWatch): Promise<readonly Issue[]> {
  const { bundle, description, cuts } = wanted;
  const start = bundle.head.byteLength + 3 * blockSize;
  try {
    await writeAside(path, async (file, aside) => {
      const { part } = description;
      const whole = part === "parity" ? { ...description, sha256: await copyParity(file, aside, start, wanted, watch) } : description;
      if (part !== "parity") await copyCut(file, start, wanted, cuts[part - 1] as Cut, watch);
      const { before, after } = frameOf(whole, bundle.shape.mtime);
      await writeAt(file, bundle.head, 0);
      await writeAt(file, before, bundle.head.byteLength);
      await writeAt(file, after, start + description.end - description.start);
    });
    return [];
  } catch (error) {
    if (error instanceof WrongBytes) return error.issues;
    throw error;
  }
}

/** Ends the writing, so that nothing is left of it. */
class WrongBytes extends Error {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super("the bundle's bytes are not those that were signed");
    this.issues = issues;
  }
}

async function copyCut(file: FileHandle, start: number, { from, isUnproven }: PartWanted, cut: Cut, watch: HashWatch): Promise<void> {
  const stretches = cut.atoms.map((atom) => ({ from: [runsOfPiece(from, atom)], to: { fd: file.fd, at: start + pieceIn(atom).start - cut.start }, isUnhashed: isUnproven }));
  const digests = await flushMeanwhile(file, watch, (watch) => hashStretches(stretches, watch));
  if (!isUnproven) refuseWrong(cut.atoms, digests);
  for (const atom of cut.atoms) {
    const { end } = pieceIn(atom);
    await writeAt(file, atom.before, start + atom.start - cut.start);
    await writeAt(file, atom.after, start + end - cut.start);
  }
}

function runsOfPiece(from: TarView, atom: Atom): readonly Run[] {
  const { start, end } = pieceIn(atom);
  return from.runs(start, end);
}

function refuseWrong(atoms: readonly Atom[], digests: readonly string[]): void {
  const wrong = atoms.filter(({ piece }, index) => digests[index] !== piece.sha256);
  if (wrong.length > 0) throw new WrongBytes(wrong.map(({ piece }) => partIssue("part/bytes", `bytes ${piece.start} to ${piece.end} of ${piece.path} are not what was signed`, "The bundle that is split is damaged: get it again.")));
}

/** Where the piece of an atom lies in the tar. */
export function pieceIn({ start, before, piece }: Atom): { readonly start: number; readonly end: number } {
  const first = start + before.byteLength;
  return { start: first, end: first + piece.end - piece.start };
}

/** The parity has no pieces, so it is made in stretches of this length. Bytes. */
const parityStep = 16_777_216;

/** The XOR of all stretches, the shorter ones filled with zeros; gives its digest. */
async function copyParity(file: FileHandle, aside: string, start: number, { from, cuts, description, isUnproven }: PartWanted, watch: HashWatch): Promise<string> {
  // Its own digest says nothing of what it was made of, and that it brings nothing back would be found when a part is lost.
  const atoms = isUnproven ? [] : cuts.flatMap((cut) => cut.atoms);
  refuseWrong(atoms, await hashStretches(atoms.map((atom) => ({ from: [runsOfPiece(from, atom)] })), { ...watch, hashed: () => undefined }));
  const size = description.end;
  const steps = Array.from({ length: Math.ceil(size / parityStep) }, (_, index) => index * parityStep);
  const stretches = steps.map((at) => ({
    from: cuts.map((cut) => filled((first, end) => from.runs(cut.start + first, cut.start + end), cut.end - cut.start, at, Math.min(size, at + parityStep))),
    to: { fd: file.fd, at: start + at },
    isUnhashed: true,
  }));
  await flushMeanwhile(file, watch, (watch) => hashStretches(stretches, watch));
  const [digest = ""] = await hashStretches([{ from: [[{ path: aside, start, end: start + size }]] }]);
  return digest;
}

/** Bytes `start` to `end` of a stretch that has `size`; zeros behind its end. */
export function filled(runs: (start: number, end: number) => readonly Run[], size: number, start: number, end: number): readonly Run[] {
  const there = Math.min(size, end);
  return there <= start ? [{ zeros: end - start }] : [...runs(start, there), { zeros: end - there }];
}
