/** What a secret looks like in a line of text. No result holds the secret: only what it looks like, and where it stands. */

import { base64TextsIn } from "./base64-texts.ts";
import { looksRandom } from "./random-looking.ts";

export interface Suspect {
  /** In words, as `a private key`. */
  readonly looksLike: string;
  /** `pattern`: it has the form of a secret. `entropy`: it looks like chance, and nobody knows of what. */
  readonly by: "pattern" | "entropy";
  /** For asking whether the bundle knows it; never shown. */
  readonly text: string;
  /** Column from 1, UTF-16 units; `end` is after the last. */
  readonly start: number;
  readonly end: number;
}

/** In the order of the line. */
export function suspectsIn(line: string): readonly Suspect[] {
  return mayBeSecret.test(line) ? find(withoutPublic(asMeant(line))) : [];
}

/** No secret is without one of these; none of them reaches over a line's end. */
export const mayBeSecret = /[A-Za-z0-9+/_-]{20}|pass|pwd|secret|token|key|cred|earer|basic|:\/\//i;

/** What JSON, YAML and a shell escape, with a space more, so that columns stay; an escaped line break is two. */
function asMeant(line: string): string {
  if (!line.includes("\\")) return line;
  return line.replace(/\\(?:[nrt]|(["'/]))/g, (_, escaped: string | undefined) => `${escaped ?? " "} `);
}

/** What is public by its form, blanked: public keys of SSH, package URLs of the lock, and what install.sh fills in. */
function withoutPublic(line: string): string {
  return line.replace(publicForms, (text) => " ".repeat(text.length));
}

/**
 * RFC 4253 section 6.6: the blob of a key begins with the length of its type, three zero bytes: `AAAA`. A package's version may
 * hold the commit it was made of.
 */
const publicForms = /"purl": "pkg:[^"\s]*"|@@CLOUDLET-[A-Z-]+:[^@\s]*@@|\b(?:ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+|sk-[a-z0-9-]+(?:@openssh\.com)?) AAAA[A-Za-z0-9+/]+={0,2}/g;

function find(line: string): readonly Suspect[] {
  const found = [...byPattern(line), ...inBase64(line)];
  const isCovered = ({ start, end }: Suspect): boolean => found.some((each) => each.start < end && start < each.end);
  return [...found, ...byEntropy(line).filter((each) => !isCovered(each))].sort((a, b) => a.start - b.start);
}

function byPattern(line: string): readonly Suspect[] {
  return patterns.flatMap(([looksLike, pattern]) =>
    [...line.matchAll(pattern)].flatMap((match): readonly Suspect[] => {
      const value = match.groups?.["value"];
      const text = value ?? match[0];
      if (value !== undefined && !isLiteral(value)) return [];
      const start = match.index + match[0].lastIndexOf(text);
      return [{ looksLike, by: "pattern", text, start: start + 1, end: start + text.length + 1 }];
    }),
  );
}

/** A group `value` is the secret itself, and counts only where it is written out. */
const patterns: readonly (readonly [string, RegExp])[] = [
  // RFC 7468 sections 10 and 11, OpenSSH's PROTOCOL.key, RFC 4880 section 6.2.
  ["a private key", /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/g],
  ["a private key of PuTTY", /PuTTY-User-Key-File-\d/g],
  ["a private key of age", /AGE-SECRET-KEY-1[0-9A-Z]{20,}/g],
  ["an access key of AWS", /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])/g],
  ["a key of Google's API", /(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}(?![A-Za-z0-9])/g],
  ["a token of Google", /(?<![A-Za-z0-9])ya29\.[0-9A-Za-z_-]{20,}/g],
  ["a token of Keystone", /(?<![A-Za-z0-9])gAAAAA[0-9A-Za-z_-]{40,}={0,2}/g],
  ["a token of GitHub", /(?<![A-Za-z0-9])(?:gh[opsur]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})/g],
  ["a token of GitLab", /(?<![A-Za-z0-9])glpat-[0-9A-Za-z_-]{20,}/g],
  ["a token of Slack", /(?<![A-Za-z0-9])(?:xox[abceoprs]|xapp)-[0-9A-Za-z-]{10,}/g],
  ["a webhook of Slack", /hooks\.slack\.com\/(?:services|workflows|triggers)\/[0-9A-Za-z/]{16,}/gi],
  ["a token of npm", /(?<![A-Za-z0-9])npm_[0-9A-Za-z]{36}/g],
  ["a token of PyPI", /(?<![A-Za-z0-9])pypi-[0-9A-Za-z_-]{16,}/g],
  ["a token of Docker Hub", /(?<![A-Za-z0-9])dckr_[po]at_[0-9A-Za-z_-]{20,}/g],
  ["a token of Vault", /(?<![A-Za-z0-9])hv[sbr]\.[0-9A-Za-z_-]{24,}/g],
  ["a key of Stripe", /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[0-9A-Za-z]{16,}/g],
  // RFC 7519 section 3: the header is a JSON object, which begins with `{"`.
  ["a JSON Web Token", /(?<![A-Za-z0-9])eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*/g],
  // RFC 6750 section 2.1, RFC 7617 section 2.
  ["a bearer token", /\bbearer\s+(?=[0-9A-Za-z._~+/-]*\d)[0-9A-Za-z._~+/-]{16,}=*/gi],
  ["a user's password", /\bauthorization["']?\s*[:=]\s*["']?basic\s+(?<value>[0-9A-Za-z+/]{8,}={0,2})/gi],
  // RFC 3986 section 3.2.1 advises against it for this reason.
  ["a URL with a password", /(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/:@'"]*:(?:(?![$%{}[\]<>*()|\\])(?:[^\s/'"]|(?<=\w)'(?=\w))+)@(?=[A-Za-z0-9[_])/g],
  [
    "a password or token given a value",
    /(?<![A-Za-z0-9])[A-Za-z0-9_.-]*(?:(?<!NO)pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|account|private|secret|signing|encryption)_?key|credentials?)["']?\s*(?:=>|:=|==?|:)\s*(?<value>"[^"]*"|'[^']*'|[^\s"',;}\])]+)/gi,
  ],
];

/** Shorter ones are words: `yes`, `none`. Characters. */
const shortestSecret = 5;

/** Whether the text is a value that is written out: no variable, placeholder, path, name of a secret, or word of a format. */
function isLiteral(quoted: string): boolean {
  const text = quoted.replace(/^(["'])(.*)\1$/, "$2");
  if (text.length < shortestSecret) return false;
  // A shell's variable, a template's hole, YAML's own characters, a path, an option, a pattern.
  if (/^[$%{}[\]<>/@*&|~()\\.-]|^[!?^+]+$/.test(text) || /\$[\w({]/.test(text)) return false;
  // The name of a secret, or of what stands for it: words, perhaps with a number behind `_`.
  if (/^[A-Z]+(?:_[A-Z]*\d*)*$/.test(text)) return false;
  return !/^(?:false|hidden|string|secret|optional|required|required:|password|token|(?:secret|get)_\w+)$/i.test(text);
}

/** Base64 that hides one of the above: text in a cloud-config's `content`, a credential of HTTP. */
function inBase64(line: string): readonly Suspect[] {
  return base64TextsIn(line).flatMap(({ decoded, ...place }): readonly Suspect[] => {
    const [inside] = decoded.split("\n").flatMap(byPattern);
    return inside === undefined ? [] : [{ looksLike: `${inside.looksLike}, in base64`, by: "pattern", ...place }];
  });
}

function byEntropy(line: string): readonly Suspect[] {
  return [...line.matchAll(/(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,}={0,2}/g)].flatMap((match): readonly Suspect[] =>
    looksRandom(match[0]) ? [{ looksLike: "a random value", by: "entropy", text: match[0], start: match.index + 1, end: match.index + match[0].length + 1 }] : [],
  );
}
