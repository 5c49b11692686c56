/** A file about to be rendered: what a platform wants in the bundle. */

import type { Mode, Role, Span } from "../core/file.ts";
import type { Val } from "../core/origin.ts";

/** Data for one template. Every leaf is a value with its origins. */
export interface View {
  readonly [name: string]: Val | View | readonly Val[] | readonly View[] | undefined;
}

/** The format of the file, not of the template: it picks the encoder of every hole. */
export type Format = "yaml" | "json" | "xml" | "env" | "markdown";

export type Draft =
  | {
      readonly kind: "template";
      readonly path: string;
      readonly mode: Mode;
      readonly role: Role;
      readonly template: string;
      readonly format: Format;
      readonly view: View;
      /** Names of the view that stand for the text of a file drafted before this one: from the name to its path. */
      readonly quotes?: Readonly<Record<string, string>>;
    }
  /** Shipped byte for byte: shell, mostly. */
  | { readonly kind: "static"; readonly path: string; readonly mode: Mode; readonly role: Role; readonly asset: string }
  /** Written by a builder that knows its own origins. */
  | { readonly kind: "text"; readonly path: string; readonly mode: Mode; readonly role: Role; readonly source: string; readonly text: string; readonly spans: readonly Span[] };
