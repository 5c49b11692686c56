/** A gathered spec as YAML text, with a comment at each value that says where it comes from. */

import { DEFAULT_SCALAR_STYLE_RULES, SCALAR_STYLE, dump } from "js-yaml";
import type { ScalarLayout } from "js-yaml";
import type { JsonObject } from "../../core/json.ts";
import { marksOf } from "../read-yaml.ts";
import { printable } from "../show.ts";

/** The order of the spec's reference. */
const ORDER: readonly string[] = [
  "apiVersion",
  "kind",
  "name",
  "organization",
  "region",
  "federatedOrganization",
  "physicalName",
  "location",
  "access",
  "ipSupport",
  "dynamicIps",
  "deployment",
  "versions",
  "platform",
  "compute",
  "networks",
  "firewall",
  "users",
  "trust",
  "policies",
  "kafka",
  "gpu",
  "resourceTags",
  "vmPool",
  "crm",
  "environment",
  "secrets",
  "audit",
];

/** `head` becomes comment lines; `from` leads from pointers into the spec to pointers into the source. */
export function writeSpec(spec: JsonObject, from: ReadonlyMap<string, string>, head: readonly string[]): string {
  const ordered = Object.fromEntries(ORDER.filter((key) => Object.hasOwn(spec, key)).map((key) => [key, spec[key]]));
  const text = dump(ordered, {
    lineWidth: -1,
    noRefs: true,
    scalarStyleRules: [quoteLikeNumbers, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)],
  });
  const comments = head.map((line) => `# ${printable(line)}`.trimEnd()).join("\n");
  return `${comments}\n\n${withSources(text, from)}`;
}

/** PyYAML 6.0 raises on these where js-yaml 5.5 leaves them without quotes. */
function quoteLikeNumbers(layout: ScalarLayout): void {
  if (
    layout.style === SCALAR_STYLE.PLAIN &&
    (/^[-+]?0[xb]_+$/.test(layout.node.value) || /^---(\s|$)/.test(layout.node.value))
  ) {
    layout.style = SCALAR_STYLE.SINGLE_QUOTED;
  }
}

function withSources(text: string, from: ReadonlyMap<string, string>): string {
  const marks = marksOf(text);
  const lines = text.split("\n");
  const starts = lines.reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + line.length + 1], [0]);
  for (const [pointer, source] of from) {
    const mark = marks.get(pointer);
    const offset = mark?.key?.start ?? mark?.start;
    if (offset === undefined) continue;
    const index = starts.findLastIndex((start) => start <= offset);
    const line = lines[index] ?? "";
    // One comment a line: the first one is the nearest.
    if (!line.includes(" # ")) lines[index] = `${line} # ${printable(source)}`;
  }
  return lines.join("\n");
}
