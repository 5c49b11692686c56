/** What the readers of the several image forms share: what is wanted, what was found, and what can be wrong. */

import type { Digest } from "../../core/digest.ts";
import type { BlobStore } from "../blob-store.ts";
import type { Environment, Send } from "./http-send.ts";
import type { Patience } from "./patience.ts";

/** How the world is reached. */
export interface Network {
  readonly send: Send;
  /** Where credentials are found. */
  readonly environment: Environment;
}

export interface ContainerWanted {
  /** `docker-archive:PATH`, `oci-archive:PATH`, `oci:PATH` or `docker://HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]`. */
  readonly source: string;
  /** Relative paths start here. */
  readonly folder: string;
  /** The image ID: digest of its config. */
  readonly digest: Digest;
  readonly architecture: string;
  readonly store: BlobStore;
  readonly network: Network;
  /** Of the container in the release. */
  readonly pointer: string;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /** Tests give their own. */
  readonly patience?: Patience;
}

/** An image that is in the store. */
export interface ContainerRead {
  readonly architecture: string;
  readonly config: { readonly digest: Digest; readonly size: number };
  readonly layers: readonly { readonly digest: Digest; readonly size: number }[];
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
  readonly code: `resolve/image-${"form" | "missing" | "refused" | "digest" | "platform"}`;
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
