/** Where an image is in a registry: `docker://HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]`, as skopeo writes it. */

import { isDigest, type Digest } from "../../core/digest.ts";

export interface RegistryReference {
  /** As it is written, and as credentials are filed under: `registry.example:5000`. */
  readonly registry: string;
  /** Where the API is: `https://registry.example:5000`. */
  readonly origin: string;
  readonly repository: string;
  /** Undefined where a digest is given. */
  readonly tag: string | undefined;
  /** Of the manifest or index. */
  readonly digest: Digest | undefined;
}

const label = "[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?";
/** Distribution spec 1.1, "Pulling manifests". */
const part = "[0-9a-z]+(?:(?:\\.|_|__|-+)[0-9a-z]+)*";
/**
 * A host has a dot or a port, or is localhost: others take `docker://tools/app` for a repository of Docker Hub, and nobody
 * shall have to guess.
 */
const host = `(?:${label}(?:\\.${label})+|localhost|${label}(?=:)|\\[[0-9A-Fa-f:]+\\])`;
const form = new RegExp(
  `^docker://(?<registry>${host}(?::[0-9]{1,5})?)/(?<repository>${part}(?:/${part})*)(?::(?<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);
/** Host and repository together: Docker's and the distribution spec's limit. */
const mostNameCharacters = 255;

/** Undefined where the text is no such reference. With a tag and a digest, the digest says which image it is. */
export function parseReference(source: string): RegistryReference | undefined {
  const { registry = "", repository = "", tag, digest } = form.exec(source)?.groups ?? {};
  if (registry === "" || registry.length + 1 + repository.length > mostNameCharacters) return undefined;
  const isHub = registry === "docker.io" || registry === "index.docker.io";
  const origin = URL.parse(`${isPlain(registry) ? "http" : "https"}://${isHub ? "registry-1.docker.io" : registry}`)?.origin;
  if (origin === undefined || (digest !== undefined && !isDigest(digest))) return undefined;
  return {
    registry,
    origin,
    repository: isHub && !repository.includes("/") ? `library/${repository}` : repository,
    tag: digest === undefined ? (tag ?? "latest") : undefined,
    digest,
  };
}

/** Only what never leaves this machine goes without TLS. */
export function isPlain(registry: string): boolean {
  const name = registry.replace(/:\d+$/, "").toLowerCase();
  return ["localhost", "127.0.0.1", "[::1]"].includes(name);
}
