/** The secrets file that install.sh takes, and what of it nobody may see. */

/** One NAME=value a line; each value as base64, so that any will do. One that is `base64:…` already stays. */
export function secretLines(secrets: Readonly<Record<string, string>>): string {
  return Object.entries(secrets)
    .map(([name, value]) => `${name}=${value.startsWith("base64:") ? value : `base64:${Buffer.from(value).toString("base64")}`}\n`)
    .join("");
}

/** Every form in which one could be said: as base64, plain, line by line. */
export function hiddenIn(lines: string): readonly string[] {
  return lines.split("\n").flatMap((line) => {
    const coded = line.slice(line.indexOf("=") + 1).replace(/^base64:/, "");
    const plain = Buffer.from(coded, "base64").toString("utf8");
    return [coded, plain, ...plain.split(/\r?\n/).filter((part) => part.length >= 8 && !part.startsWith("-----"))];
  });
}

/** Takes the secrets out of a text, the longest first; what is shorter than three characters hides in every text. */
export function hiderOf(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= 3).sort((a, b) => b.length - a.length);
  return (text) => known.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
}
