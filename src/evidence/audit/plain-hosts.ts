/**
 * Hosts that no form gives away: `timehost`, `get.docker.sh`. A field that holds hosts and nothing else says what they are, and
 * the origins of a line where they stand.
 */

import type { Json } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import { writtenIn } from "./input.ts";
import { referencesIn, type Reference } from "./references.ts";

export interface PlainHost {
  readonly document: "spec" | "release";
  readonly pointer: string;
  /** As it is written, without its port. */
  readonly host: string;
}

/** Of what is written there: a host, one with a port, or several behind commas. */
const fields = {
  spec: /^\/(?:networks\/ntp\/\d+|kafka\/cluster|crm\/(?:notifySrvAddr|redisAddress)|environment\/(?:MEX_NTP_SERVERS|MEX_REGISTRY_FILE_SERVER|MEX_CRM_GATEWAY_ADDR|VCENTER_ADDR))$/,
  release: /^\/controller\/(?:notifyAddresses\/\d+|accessApiAddress|appDnsRoot)$/,
} as const;

/** Mostly none: what is a reference by its form is not among them. */
export function plainHostsOf(input: AuditInput): readonly PlainHost[] {
  return (["spec", "release"] as const).flatMap((document) =>
    leaves(writtenIn(input, document)).flatMap(([pointer, value]) =>
      fields[document].test(pointer)
        ? value.split(",").flatMap((each): readonly PlainHost[] => {
            const host = each.trim().replace(/:\d+$/, "");
            return host === "" || referencesIn(each).length > 0 || referencesIn(host).length > 0 ? [] : [{ document, pointer, host }];
          })
        : [],
    ),
  );
}

function leaves(node: Json, pointer = ""): readonly (readonly [pointer: string, value: string])[] {
  if (typeof node === "string") return [[pointer, node]];
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, each]) => leaves(each as Json, below(pointer, key)));
}

/** Where the file's lines show the host, by line. */
export function placesOfHost(file: AuditFile, { document, pointer, host }: PlainHost): readonly (Reference & { readonly line: number })[] {
  if (!file.text.includes(host)) return [];
  return file.lines.flatMap((text, index) => {
    if (!text.includes(host)) return [];
    const shown = file.spansAt(index + 1).filter((span) => span.presence !== true && span.origins.includes(`${document}:${pointer}`));
    return shown.flatMap(({ start, end }) => {
      const at = wordIn(text.slice(start - 1, end - 1), host);
      return at < 0 ? [] : [{ kind: "host" as const, text: host, host: host.toLowerCase(), start: start + at, end: start + at + host.length, line: index + 1 }];
    });
  });
}

/** -1 where the host is only a part of another word. */
function wordIn(text: string, host: string): number {
  for (let at = text.indexOf(host); at >= 0; at = text.indexOf(host, at + 1)) {
    const isWhole = !/[\w.-]$/.test(text.slice(0, at)) && !/^(?:[\w-]|\.\w)/.test(text.slice(at + host.length));
    if (isWhole) return at;
  }
  return -1;
}
