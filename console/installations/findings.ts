/** What install.sh has found, read out of its lines: docs/reference/install.md has their form. */

export interface Finding {
  /** A finding stands in the way, a note does not, an error is why it ended. */
  readonly kind: "finding" | "note" | "error";
  readonly code: string;
  readonly what: string;
  /** What to do; empty where there is nothing to say. */
  readonly todo: string;
}

/** In their order; an error that only says that there were findings is left out. */
export function findingsIn(lines: readonly string[]): readonly Finding[] {
  const found: { kind: Finding["kind"]; code: string; what: string[]; todo: string[] }[] = [];
  let isOpen = false;
  for (const line of lines) {
    const [, kind, code = ""] = /^(finding|note) +(\S+)$/.exec(line) ?? [];
    const [, failed = "", why = ""] = /^error (\S+): (.*)$/.exec(line) ?? [];
    if (kind === "finding" || kind === "note") found.push({ kind, code, what: [], todo: [] });
    else if (failed !== "") found.push({ kind: "error", code: failed, what: [why], todo: [] });
    else if (isOpen && /^ {4}/.test(line)) add(found.at(-1), line);
    isOpen = /^(finding|note) |^error /.test(line) || (isOpen && /^ {4}/.test(line));
  }
  return found.filter(({ code }) => code !== "preflight/findings").map(({ kind, code, what, todo }) => ({ kind, code, what: what.join(" "), todo: todo.join(" ") }));
}

function add(to: { readonly kind: Finding["kind"]; readonly what: string[]; readonly todo: string[] } | undefined, line: string): void {
  const text = line.trim();
  if (text.startsWith("-> ")) to?.todo.push(text.slice(3));
  else if (to?.kind === "error") to.todo.push(text);
  else (to?.todo.length === 0 ? to.what : to?.todo)?.push(text);
}
