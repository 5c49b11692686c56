/** An image's config: that it is the wanted one, made for the wanted machine, and which layers it has. */

import { isDigest, sha256, type Digest } from "../../core/digest.ts";
import { ImageProblem, parseJson } from "./image.ts";

interface Config {
  readonly architecture?: unknown;
  readonly os?: unknown;
  readonly rootfs?: { readonly diff_ids?: unknown };
}

/** OCI image-spec, config.md: `os`, `architecture`, `rootfs.diff_ids`. Throws ImageProblem. */
export function readConfig(
  bytes: Uint8Array,
  wanted: { readonly digest: Digest; readonly architecture: string },
): { readonly architecture: string; readonly diffIds: readonly Digest[] } {
  const id = sha256(bytes);
  if (id !== wanted.digest) {
    throw new ImageProblem(
      "resolve/image-digest",
      `its image ID is ${id}, the release says ${wanted.digest}`,
      "give the right image, or correct the release's digest",
    );
  }
  const config = parseJson(bytes) as Config | undefined;
  const diffIds = config?.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every((each): each is Digest => typeof each === "string" && isDigest(each))) {
    throw new ImageProblem(
      "resolve/image-form",
      "its config names no layers (rootfs.diff_ids)",
      "save the image again",
    );
  }
  if (config?.os !== "linux" || config.architecture !== wanted.architecture) {
    throw new ImageProblem(
      "resolve/image-platform",
      `it is for ${String(config?.os)}/${String(config?.architecture)}, linux/${wanted.architecture} is wanted`,
      "give the right image, or --architecture",
    );
  }
  return { architecture: wanted.architecture, diffIds };
}
