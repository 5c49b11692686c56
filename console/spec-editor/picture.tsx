/** The networks of the spec, as the service draws them. */

import { useEffect, useRef, type ReactNode } from "react";
import type { Checked } from "./use-checked.ts";

export interface PictureProps {
  /** Of the last spec that had no mistake. */
  readonly svg: string | undefined;
  /** Of the spec that it should be of. */
  readonly state: Checked["state"];
}

export function Picture({ svg, state }: PictureProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const drawn = svg === undefined ? undefined : drawingOf(svg);
    place.current?.replaceChildren(...(drawn === undefined ? [] : [drawn]));
  }, [svg]);
  return (
    <section className="card" aria-label="Networks">
      <h2>Networks</h2>
      <p className="soft" role="status">{svg === undefined ? (state === "wrong" || state === "unknown" ? "The picture comes when the spec has no mistake." : "") : state === "valid" || state === "checking" ? "" : "The picture is of the last spec without a mistake."}</p>
      <div className="picture" ref={place} tabIndex={0} role="region" aria-label="Picture of the networks" />
    </section>
  );
}

/** What a picture has; anything else would be none of the service's. */
const known: ReadonlySet<string> = new Set(["svg", "title", "desc", "g", "rect", "path", "circle", "text"]);
const knownAttributes = /^(xmlns|viewBox|role|aria-labelledby|aria-describedby|id|class|x|y|cx|cy|r|rx|width|height|d|transform|text-anchor)$/;

function drawingOf(svg: string): Element | undefined {
  const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
  if (documentElement.localName !== "svg") return undefined;
  for (const each of [documentElement, ...documentElement.querySelectorAll("*")]) {
    if (!known.has(each.localName)) each.remove();
    for (const { name } of [...each.attributes]) if (!knownAttributes.test(name)) each.removeAttribute(name);
  }
  return document.importNode(documentElement, true);
}
