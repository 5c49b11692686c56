/** Strings that readers trip over, and any others. */

import fc from "fast-check";

/** What a spec can hold: no control characters but tab and line break, no lone surrogates, no U+FEFF, U+FFFE, U+FFFF. */
function allowed(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u0008\u000b-\u001f\ufeff\ufffe\uffff]/.test(text);
}

export const tricky: readonly string[] = [
  "", " ", "  a", "a ", "\n", "a\n", "a\n\n", " a\n b", "\ta", "a\tb", "a\n \n", "a\n  ", "\n\na",
  "y", "Y", "yes", "no", "on", "off", "true", "False", "null", "~", "Null", "=", "<<", "-", "?", ":", "- a", "? a", ": a", "a: b", "a #b", "#a",
  "0", "-0", "007", "0644", "0o17", "0x1f", "0x_", "0b_", "+0b__", "0b101", "1_000", "1e3", "1e-7", "1E+3", ".5", "5.", "1.", ".inf", "-.INF", ".nan",
  "12:30", "12:30:45", "190:20:30", "52:54:00:12:34:56", "2026-11-24", "2026-11-24 10:00:00", "2026-11-24T10:00:00Z",
  "---", "--- a", "...", "%YAML 1.1", "&a", "*a", "!a", "!!str a", "|", ">", "|2", "@a", "`a`", "[a]", "{a}", "{{a}}", "{{{a}}}", "[", "]", "{", "}", ",",
  "'", '"', "''", "\\", "\\n", "\\u0000", "'\\''", "\"'`$", "$a", "$(reboot)", "`reboot`", "${a}", "a;b", "a|b", "a&b", "!$", "*", "?*[", "~root", "-e", "-n",
  "a\u0085b", "a\u2028b", "a\u2029b", "\u007f", "\u0080\u009f", "\u00a0", "\u200b", "\u202e", "é", "ß", "日本語", "😀", "👩‍👩‍👧", "\ue000", "\ufffd", "\u{10ffff}",
  "<a>", "&amp;", "]]>", "--", "-->", "<!--", "<?a?>", "```", "` `", "``", "| a |", "# a", "1. a", "* a", "[a](b)", "![a](b)", "https://a", "a".repeat(1100),
  `O'Brien & Söhne, "Edge" #1: $(reboot) {{x}}`, "x\nruncmd: [reboot]", "x'\nCB_NAME='y", "## template: jinja\n{{ 1 }}", "@@CLOUDLET",
];

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...`'"\\\`$(){}[]<>&|;:#!?*~-=,.%@ \t\n_0123456789abxeYNoT`),
    fc.constantFrom("\u007f", "\u0085", "\u009f", "\u00a0", "\u2028", "\u2029", "\ufffd", "é", "😀"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 24,
});

export const anyText: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...tricky), nasty, fc.string({ unit: "binary", maxLength: 12 })).filter(allowed);
export const oneLine: fc.Arbitrary<string> = anyText.filter((text) => !/[\n\u0085\u2028\u2029]/.test(text));
export const printable: fc.Arbitrary<string> = oneLine.filter((text) => !/[\u007f-\u009f]/.test(text));

/** The tricky ones that `fits` lets through, and `count` others; the same in every run, so that a failure stays. */
export function sample(of: fc.Arbitrary<string>, count: number, fits: (text: string) => boolean = () => true): readonly string[] {
  return [...tricky, ...fc.sample(of, { numRuns: count, seed: 20_261_124 })].filter((text) => allowed(text) && fits(text));
}
