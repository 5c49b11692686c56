/** START-HERE.txt beside the parts: what to do with a stack of media, on a host that has nothing but a shell. */

import { overheadOf, partName, type Description } from "../pack/parts.ts";
import type { KnownBundle } from "../seal/part-set.ts";

/** The same text for the same parts; `made` are all of them, and the parity where there is one. */
export function startHere(bundle: KnownBundle, made: readonly Description[]): string {
  const [first] = made;
  if (first === undefined) throw new Error("there are no parts");
  const rows = made.map((each) => `  ${partName(each)}  ${overheadOf(bundle.shape) + each.end - each.start} bytes\n`);
  const parity = made.some((each) => each.part === "parity");
  return `The bundle ${bundle.name}, ${bundle.shape.size} bytes, in ${first.parts} parts:

${rows.join("")}
Every part begins with all small files of the bundle; the rest of it is a stretch of the big ones, with digests that are
signed. So each part is proven alone, and the parts may come in any order.

Get the fingerprint of the signing key by another way than these files came: by phone, on paper. FINGERPRINT stands for it
below, and PARTS for the folder that the parts were copied to, or the one the medium is mounted at.

To install, without joining the parts; the folder needs room for the big files once:

  mkdir bundle
  tar -xf PARTS/${partName(first)} -C bundle --exclude=part.txt --exclude=part.bin
  sh bundle/parts.sh --trust FINGERPRINT --parts PARTS
  bundle/install.sh --trust FINGERPRINT ...              (bundle/START-HERE.md tells the rest)

parts.sh proves each part and puts what is in it where it belongs; with one drive for many media, call it once for each. It
says what is still missing. A script that came with the parts can be made to say anything: use the parts.sh and verify.sh
of a bundle that was trusted before where you have one.

With the program cloudlet-bundle:

  cloudlet-bundle verify PARTS --trust FINGERPRINT
  cloudlet-bundle join PARTS --trust FINGERPRINT         (makes the one tar again${parity ? ", also where one part is lost" : ""})

A part that is bad or lost is made again, the same to the byte, by whoever has the bundle or its sources:

  cloudlet-bundle split BUNDLE --size ${first.limit} --only NUMBER
`;
}
