/** Texts of the program that have names in backticks, as messages and descriptions do. */

import type { ReactNode } from "react";

export function Marked({ text }: { readonly text: string }): ReactNode {
  const parts = text.split("`");
  // Somebody's own text may have one, too.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
