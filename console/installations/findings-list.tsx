/** What install.sh has found, as a list that one can work through. */

import type { ReactNode } from "react";
import { sentence } from "../parts/problem.tsx";
import { findingsIn, type Finding } from "./findings.ts";

const kinds: Readonly<Record<Finding["kind"], readonly [tag: string, word: string]>> = { finding: ["bad", "in the way"], error: ["bad", "why it ended"], note: ["look", "good to know"] };

/** `lines` are those of the last attempt. Nothing where nothing was found. */
export function Findings({ lines }: { readonly lines: readonly string[] }): ReactNode {
  const found = findingsIn(lines);
  const grave = found.filter(({ kind }) => kind !== "note");
  if (found.length === 0) return null;
  return (
    <section className="card" aria-label="What was found">
      <h2>{grave.length === 0 ? "Good to know" : "What was found"}</h2>
      <ul className="findings">{[...grave, ...found.filter(({ kind }) => kind === "note")].map(({ kind, code, what, todo }, index) => (
        <li key={`${index}.${code}`}>
          <p><span className={`tag ${kinds[kind][0]}`}>{kinds[kind][1]}</span> {sentence(what)} <small><code>{code}</code></small></p>
          {todo !== "" && <p className="soft">{sentence(todo)}</p>}
        </li>
      ))}</ul>
    </section>
  );
}
