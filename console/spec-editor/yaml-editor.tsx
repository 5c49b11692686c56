/** The YAML of a spec in an editor with colours, line numbers and every mistake in the margin. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useImperativeHandle, useRef, type ReactNode, type Ref } from "react";
import type { Issue } from "../api.ts";

export interface YamlEditorHandle {
  /** Puts the cursor there. */
  readonly go: (issue: Issue) => void;
}

export interface YamlEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly issues: readonly Issue[];
  readonly readOnly: boolean;
  readonly ref?: Ref<YamlEditorHandle>;
}

export function YamlEditor({ label, value, onChange, issues, readOnly, ref }: YamlEditorProps): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const heard = useRef(onChange);
  heard.current = onChange;
  // What was written here and has not come back as the value yet.
  const told = useRef<string[]>([]);
  useEffect(() => {
    if (host.current === null) return;
    // The editor makes its styles as it runs. In a document that would be a style element, which the policy refuses; in a shadow
    // root they are adopted sheets (style-mod 4.1), which it allows.
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const made = new EditorView({ parent: root, root, state: EditorState.create({ doc: value, extensions: [...parts(label, readOnly), EditorView.updateListener.of((update) => {
      if (!update.docChanged || update.transactions.some((each) => each.isUserEvent("from.outside"))) return;
      const text = update.state.doc.toString();
      told.current.push(text);
      heard.current(text);
    })] }) });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
    // What changes later is told to the editor below, which keeps its cursor and history.
  }, []);
  useEffect(() => {
    // On a busy machine somebody has written on when their own text comes back: it is no change, and must not undo what they wrote since.
    const own = told.current.indexOf(value);
    told.current = told.current.slice(own + 1);
    if (own !== -1) return;
    told.current = [];
    if (view.current !== null) replaceIn(view.current, value);
  }, [value]);
  useEffect(() => {
    // Written and taken back at once: nothing of it comes back.
    if (told.current.length > 0 && view.current?.state.doc.toString() === value) told.current = [];
  });
  useEffect(() => view.current?.dispatch({ effects: writable.reconfigure(EditorState.readOnly.of(readOnly)) }), [readOnly]);
  useEffect(() => {
    const made = view.current;
    if (made !== null) made.dispatch(setDiagnostics(made.state, issues.map((issue) => diagnosticOf(made.state.doc, issue)).sort((a, b) => a.from - b.from)));
  }, [issues, value]);
  useImperativeHandle(ref, () => ({
    go: (issue) => {
      const made = view.current;
      if (made === null) return;
      const { from, to } = diagnosticOf(made.state.doc, issue);
      made.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      made.focus();
    },
  }));
  return <div ref={host} className="yaml-editor" />;
}

/** Only what differs, so that the cursor stays where it is. */
function replaceIn(view: EditorView, value: string): void {
  const before = view.state.doc.toString();
  if (before === value) return;
  let head = 0;
  while (head < Math.min(before.length, value.length) && before[head] === value[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, value.length) - head && before[before.length - 1 - tail] === value[value.length - 1 - tail]) tail += 1;
  view.dispatch({ changes: { from: head, to: before.length - tail, insert: value.slice(head, value.length - tail) }, userEvent: "from.outside" });
}

function diagnosticOf(doc: Text, { line = 1, column = 1, endLine = line, endColumn = column, severity, message, hint }: Issue): Diagnostic {
  const offset = (at: number, of: number): number => {
    const found = doc.line(Math.max(1, Math.min(at, doc.lines)));
    return Math.min(found.from + of - 1, found.to);
  };
  const from = offset(line, column);
  return { from, to: Math.max(from, offset(endLine, endColumn)), severity, message: hint === undefined ? message : `${message}; ${hint}` };
}

/** Chromium, which writes over a selection of several elements itself, gives the text a style of its own, and the policy refuses that. */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || event.data === null || view.state.selection.main.empty || view.state.readOnly || view.composing) return false;
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

const writable = new Compartment();

/** Without a key for Tab: it leads on to the next field, as everywhere. */
function parts(label: string, readOnly: boolean) {
  return [
    lineNumbers(), ...(readOnly ? [] : [highlightActiveLine(), highlightActiveLineGutter()]), drawSelection(), history(), yaml(), indentUnit.of("  "), lintGutter(), EditorView.lineWrapping,
    syntaxHighlighting(colours), theme, writable.of(EditorState.readOnly.of(readOnly)), keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
    EditorView.domEventHandlers({ beforeinput: replaceSelection }),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
  ];
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--link)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--ink)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--soft)" },
]);

/** The palette of the console reaches into the shadow root. */
const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "13px", border: "1px solid var(--edge)", borderRadius: "var(--radius)", maxHeight: "42rem" },
  "&.cm-focused": { outline: "3px solid var(--link)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--ground)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--calm-g)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--mark)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--edge)" },
  ".cm-diagnostic": { fontFamily: "system-ui, sans-serif", overflowWrap: "anywhere" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--look)" },
});
