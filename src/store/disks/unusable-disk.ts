/** What stands in the way of reading a disk image or of writing it as another: the image's fault, not the machine's. */

/** The message goes on from "it can't be used: ". */
export class UnusableDisk extends Error {
  override readonly name = "UnusableDisk";
}
