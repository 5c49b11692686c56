/** An image in a docker-archive, as `docker save` and `podman save` write it. */

import { ImageProblem, parseJson, type ContainerWanted, type ImageFound } from "./image.ts";
import { hexOf } from "../../core/digest.ts";
import type { ImageFiles } from "./image-files.ts";

interface Entry {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/** Finds the image whose ID is wanted. Throws an ImageProblem where it is not there. */
export async function dockerImage(files: ImageFiles, wanted: ContainerWanted): Promise<ImageFound> {
  const manifest = parseJson(await files.small("manifest.json"));
  if (!Array.isArray(manifest) || manifest.length === 0 || !manifest.every(isEntry)) {
    throw new ImageProblem(
      "resolve/image-form",
      "it has no manifest.json, so it is no docker-archive",
      "for an OCI image write oci-archive: or oci:",
    );
  }
  // The config's file is named after the image ID, in one of two ways; an archive may hold several images.
  const hex = hexOf(wanted.digest);
  const entry = manifest.find((each) => each.Config.includes(hex)) ?? (manifest.length === 1 ? manifest[0] : undefined);
  if (entry === undefined) {
    throw new ImageProblem(
      "resolve/image-digest",
      `it holds ${manifest.length} images, none with the ID ${wanted.digest}`,
      "give the right archive, or correct the release's digest",
    );
  }
  const config = await files.small(entry.Config);
  if (config === undefined) {
    throw new ImageProblem(
      "resolve/image-form",
      `it has no ${entry.Config}, which its manifest names`,
      "save the image again",
    );
  }
  return { config, layers: entry.Layers.map((path) => ({ path })) };
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null;
  if (typeof entry?.Config !== "string" || !Array.isArray(entry.Layers)) return false;
  return entry.Layers.every((each) => typeof each === "string");
}
