/** Licences as packages state them to SPDX licence expressions, where that can be done without guessing. */

/** What a statement says: an SPDX expression, or words that are none. */
export type Licence = { readonly kind: "expression"; readonly expression: string } | { readonly kind: "words"; readonly words: string };

/** Reads a statement; Debian's short names (copyright-format 1.0) are known by their SPDX identifiers. */
export function readLicence(statement: string): Licence {
  const expression = expressionOf(statement);
  return expression === undefined ? { kind: "words", words: statement } : { kind: "expression", expression };
}

/** SPDX 2.3 annex D: identifiers, WITH, AND, OR and parentheses; undefined where anything in it is not known. */
function expressionOf(statement: string): string | undefined {
  const tokens = statement.match(/[()]|[^\s()]+/g) ?? [];
  const out: string[] = [];
  let open = 0;
  // Between a licence and the next one stands an operator.
  let wantsLicence = true;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] as string;
    if (token === "(" && wantsLicence) {
      open += 1;
      out.push(token);
    } else if (token === ")" && !wantsLicence && open > 0) {
      open -= 1;
      out.push(token);
    } else if (/^(and|or)$/i.test(token) && !wantsLicence) {
      out.push(token.toUpperCase());
      wantsLicence = true;
    } else if (/^with$/i.test(token) && !wantsLicence && out.at(-1) !== ")") {
      const exception = exceptions.get((tokens[(index += 1)] ?? "").toLowerCase());
      if (exception === undefined) return undefined;
      out.push("WITH", exception);
    } else if (wantsLicence) {
      const known = identifiers.get(token.toLowerCase());
      if (known === undefined) return undefined;
      out.push(known);
      wantsLicence = false;
    } else {
      return undefined;
    }
  }
  if (wantsLicence || open > 0) return undefined;
  return out.join(" ").replaceAll("( ", "(").replaceAll(" )", ")");
}

/** Identifiers of the SPDX licence list that packages of Debian, Alpine, Red Hat and npm state. */
const spdx =
  "0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-2.0 Beerware BlueOak-1.0.0 BSD-1-Clause " +
  "BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-LBNL BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 " +
  "CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 curl EPL-1.0 EPL-2.0 FSFAP FSFUL FSFULLR FSFULLRWD FTL GFDL-1.1-only GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only " +
  "GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND HPND-sell-variant ICU IJG Info-ZIP Intel ISC JSON " +
  "LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later libpng-2.0 Libpng libtiff MIT MIT-0 MIT-CMU MIT-open-group MPL-1.1 " +
  "MPL-2.0 MS-PL MulanPSL-2.0 NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL PostgreSQL PSF-2.0 Python-2.0 Ruby SISSL Sleepycat SMLNJ SSH-OpenSSH SSH-short TCL TCP-wrappers Unicode-3.0 Unicode-DFS-2016 " +
  "Unlicense UPL-1.0 Vim W3C WTFPL X11 XFree86-1.1 ZPL-2.1 Zlib zlib-acknowledgement";

/** Other names of the same: Debian's short names, and identifiers that SPDX has given up since. */
const names: Readonly<Record<string, string>> = {
  Expat: "MIT",
  "GPL-1": "GPL-1.0-only",
  "GPL-1+": "GPL-1.0-or-later",
  "GPL-2": "GPL-2.0-only",
  "GPL-2+": "GPL-2.0-or-later",
  "GPL-2.0": "GPL-2.0-only",
  "GPL-2.0+": "GPL-2.0-or-later",
  "GPL-3": "GPL-3.0-only",
  "GPL-3+": "GPL-3.0-or-later",
  "GPL-3.0": "GPL-3.0-only",
  "GPL-3.0+": "GPL-3.0-or-later",
  "LGPL-2": "LGPL-2.0-only",
  "LGPL-2+": "LGPL-2.0-or-later",
  "LGPL-2.0": "LGPL-2.0-only",
  "LGPL-2.0+": "LGPL-2.0-or-later",
  "LGPL-2.1": "LGPL-2.1-only",
  "LGPL-2.1+": "LGPL-2.1-or-later",
  "LGPL-3": "LGPL-3.0-only",
  "LGPL-3+": "LGPL-3.0-or-later",
  "LGPL-3.0": "LGPL-3.0-only",
  "LGPL-3.0+": "LGPL-3.0-or-later",
  "AGPL-3": "AGPL-3.0-only",
  "AGPL-3+": "AGPL-3.0-or-later",
  "GFDL-1.2": "GFDL-1.2-only",
  "GFDL-1.2+": "GFDL-1.2-or-later",
  "GFDL-1.3": "GFDL-1.3-only",
  "GFDL-1.3+": "GFDL-1.3-or-later",
  "CC0": "CC0-1.0",
  "MPL-2": "MPL-2.0",
  "EPL-1": "EPL-1.0",
};

const identifiers: ReadonlyMap<string, string> = new Map([
  ...spdx.split(" ").map((id) => [id.toLowerCase(), id] as const),
  ...Object.entries(names).map(([name, id]) => [name.toLowerCase(), id] as const),
]);

/** Of the SPDX list of exceptions. */
const exceptions: ReadonlyMap<string, string> = new Map(
  ["Autoconf-exception-2.0", "Autoconf-exception-3.0", "Bison-exception-2.2", "Classpath-exception-2.0", "Font-exception-2.0", "GCC-exception-2.0", "GCC-exception-3.1", "Libtool-exception", "Linux-syscall-note", "LLVM-exception", "OpenJDK-assembly-exception-1.0", "openvpn-openssl-exception"].map(
    (id) => [id.toLowerCase(), id],
  ),
);
