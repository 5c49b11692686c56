/** What the service tells of a bundle's lines, and how it is said. */

export interface Explanation {
  readonly file: string;
  readonly source: string | null;
  readonly isText: boolean;
  /** Of all its lines. */
  readonly count: number;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly line: number;
  readonly text: string;
  readonly template: { readonly path: string; readonly line: number } | null;
  readonly values: readonly Stretch[];
}

export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly shows: boolean;
  readonly origins: readonly Origin[];
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Origin {
  readonly origin: string;
  readonly kind: "spec" | "release" | "lock" | "default" | "constant";
  readonly pointer?: string;
  readonly value?: unknown;
  readonly places?: readonly Place[];
  readonly reason?: string | null;
}

export function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** What a browser would hide or act on, as turning the direction of writing, is shown as \uXXXX. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => (character === "\t" ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`));
}
