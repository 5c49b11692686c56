/** What the readers of the several image forms share: what is wanted, what was found, and what can be wrong. */

import type { Digest } from "../../core/digest.ts";
import type { BlobStore } from "../blob-store.ts";

export interface ContainerWanted {
  /** `docker-archive:PATH`, `oci-archive:PATH` or `oci:PATH`. */
  readonly source: string;
  /** Relative paths start here. */
  readonly folder: string;
  /** The image ID: digest of its config. */
  readonly digest: Digest;
  readonly architecture: string;
  readonly store: BlobStore;
  /** Of the container in the release. */
  readonly pointer: string;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** An image inside its files: the config's bytes, and where each layer lies, from the base. */
export interface ImageFound {
  readonly config: Uint8Array;
  /** `digest` is of the bytes as they lie there, where the form names it. */
  readonly layers: readonly { readonly path: string; readonly digest?: Digest }[];
}

/** What is wrong with an image, in the user's terms; becomes an issue at the container. */
export class ImageProblem extends Error {
  override readonly name = "ImageProblem";
  readonly code: "resolve/image-form" | "resolve/image-missing" | "resolve/image-digest" | "resolve/image-platform";
  readonly hint: string;

  constructor(code: ImageProblem["code"], message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Undefined where the bytes are no JSON. */
export function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
