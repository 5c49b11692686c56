/** The containers of a lock as components, each with its config and layers, each layer with the packages that it brought; and those of the VM image. */

import { hexOf } from "../core/digest.ts";
import { byCodeUnit } from "../core/json.ts";
import { purlText, readPurl } from "../core/purl.ts";
import type { Lock, LockedContainer, LockedPackage, LockedSoftware } from "../spec/lock.ts";
import type { Component, Stated } from "./components.ts";

/** In no particular order, each ref once: what containers share is told once. A bundle for machines that are there has no image. */
export function containerComponents({ containers, vmImage }: Pick<Lock, "containers" | "vmImage">, hasVmImage: boolean): readonly Component[] {
  const inImage = hasVmImage ? (vmImage.software?.packages ?? []) : [];
  // The last of a ref stays: a container's own files say more of a package than an image's list.
  const packages = [...inImage, ...containers.flatMap((container): readonly LockedPackage[] => container.software?.packages ?? [])];
  return [
    ...containers.map(containerComponent),
    ...onceByRef(containers.map(configComponent)),
    ...layerComponents(containers),
    ...onceByRef(packages.map(packageComponent)),
  ];
}

function onceByRef(components: readonly Component[]): readonly Component[] {
  return [...new Map(components.map((each) => [each.ref, each])).values()];
}

const unknown: Stated = { kind: "unknown" };

function containerComponent({ role, image, architecture, config, layers }: LockedContainer): Component {
  const { host, path, tag } = partsOf(image);
  const names = path.split("/");
  const namespace = names.slice(0, -1).join("/");
  return {
    ref: `container:${role}`,
    kind: "container",
    name: image,
    version: tag,
    // The version of a docker purl is the image ID or a tag; the ID can't move.
    purl: purlText({
      type: "docker",
      ...(namespace === "" ? {} : { namespace }),
      name: names.at(-1) ?? image,
      version: config.digest,
      qualifiers: { arch: architecture, repository_url: host, tag },
    }),
    role,
    digests: {},
    supplier: unknown,
    licence: unknown,
    parts: [`image-config:${config.digest}`, ...new Set(layers.map((layer) => `layer:${layer.digest}`))],
    completeness: "complete",
  };
}

/** `[HOST[:PORT]/]PATH[:TAG]`; a first part with a dot or a colon is a host, as docker reads it. */
function partsOf(image: string): { readonly host: string; readonly path: string; readonly tag: string } {
  const [first = "", ...rest] = image.split("/");
  const host = rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "";
  const named = host === "" ? image : rest.join("/");
  const colon = named.lastIndexOf(":");
  return colon < 0 ? { host, path: named, tag: "latest" } : { host, path: named.slice(0, colon), tag: named.slice(colon + 1) };
}

function configComponent({ config }: LockedContainer): Component {
  return {
    ref: `image-config:${config.digest}`,
    kind: "image-config",
    name: `${hexOf(config.digest)}.json`,
    version: config.digest,
    size: config.size,
    digests: { sha256: hexOf(config.digest) },
    supplier: unknown,
    licence: unknown,
    parts: [],
    completeness: "complete",
  };
}

/** A layer that several containers share has the packages that any of them is said to have by it. */
function layerComponents(containers: readonly LockedContainer[]): readonly Component[] {
  const found = new Map<string, { readonly size: number; readonly parts: Set<string>; isRead: boolean }>();
  for (const { layers, software } of containers) {
    for (const [index, { digest, size }] of layers.entries()) {
      const layer = found.get(digest) ?? { size, parts: new Set<string>(), isRead: false };
      for (const each of software?.packages ?? []) if (each.layer === index) layer.parts.add(refOf(each));
      layer.isRead ||= isRead(software);
      found.set(digest, layer);
    }
  }
  return [...found].map(([digest, { size, parts, isRead }]) => ({
    ref: `layer:${digest}`,
    kind: "layer",
    name: digest,
    version: digest,
    size,
    digests: { sha256: digest.slice("sha256:".length) },
    supplier: unknown,
    licence: unknown,
    parts: [...parts].sort(byCodeUnit),
    // A package database lists what its package manager installed; files that were copied in are in none.
    completeness: isRead ? "incomplete" : "unknown",
  }));
}

function isRead(software: LockedSoftware | undefined): boolean {
  return software !== undefined && software.databases.length > 0 && software.databases.every((each) => each.state === "read");
}

export function refOf({ purl }: LockedPackage): string {
  return `package:${purl}`;
}

function packageComponent(found: LockedPackage): Component {
  const { licence, supplier } = found;
  const { name, version } = readPurl(found.purl) ?? { name: found.purl, version: "" };
  const stated = (text: string | undefined): Stated => (text === undefined ? unknown : { kind: "stated", text });
  return {
    ref: refOf(found),
    kind: "package",
    name,
    version,
    purl: found.purl,
    digests: {},
    supplier: stated(supplier),
    licence: stated(licence),
    parts: [],
    completeness: "unknown",
  };
}
