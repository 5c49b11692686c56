/** The text of a release to a `Release`. */

import type { Digest } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import type { JsonObject } from "../core/json.ts";
import { below } from "../core/pointer.ts";
import type { Sourced } from "../core/origin.ts";
import { RELEASE_DEFAULTS } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { entries } from "./draft.ts";
import { readDocument } from "./read-document.ts";
import type { DocumentKind } from "./read-document.ts";
import type { Release } from "./release.ts";
import { error } from "./rules/rule.ts";
import { mayBeSecret, show } from "./show.ts";
import { validateRelease } from "./validators.ts";

export interface ReleaseDocument {
  readonly release: Release;
  readonly sourced: Sourced<Release>;
  /** Of the canonical JSON of `release`; a lock names it. */
  readonly digest: Digest;
  /** As it was written, without defaults: what the pointers of origins point into. */
  readonly written: JsonObject;
}

export function readRelease(text: string): Outcome<ReleaseDocument> {
  const outcome = readDocument<Release>(text, RELEASE);
  if (!outcome.ok) return outcome;
  const { value, sourced, digest, written } = outcome.value;
  return { ok: true, value: { release: value, sourced, digest, written }, issues: outcome.issues };
}

const RELEASE: DocumentKind<Release> = {
  kind: "Release",
  origin: "release",
  validate: validateRelease,
  parts: () => [],
  rules: (draft) => [...created(draft), ...source(draft), ...roles(draft), ...releaseEnvironment(draft)],
  mayBreakLines: () => false,
  defaults: () => RELEASE_DEFAULTS,
  complete: (document) => document,
};

/** Files from before 1980 puzzle other tools; a 32-bit time ends on 19 January 2038, and tar-stream writes later ones wrongly. */
const EARLIEST = Date.UTC(1980, 0, 1);
const LATEST = Date.UTC(2038, 0, 1);

function created({ created: time }: Draft<Release>): readonly Issue[] {
  if (time === undefined) return [];
  const at = Date.parse(time);
  // Date.parse rolls 30 February over; writing it back shows that.
  if (Number.isNaN(at) || new Date(at).toISOString() !== time.replace("Z", ".000Z")) {
    return [
      error(
        "release/created",
        "/created",
        `${show(time)} is no day and time of the calendar`,
        'write it as "2026-11-24T00:00:00Z"',
      ),
    ];
  }
  return at < EARLIEST || at >= LATEST
    ? [
        error(
          "release/created",
          "/created",
          `${show(time)} can't be the time of a file in a bundle`,
          "use a time from 1980 to 2037",
        ),
      ]
    : [];
}

function source({ vmImage }: Draft<Release>): readonly Issue[] {
  const text = vmImage?.source;
  if (text === undefined || !/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return [];
  const pointer = "/vmImage/source";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return [
      error("release/source", pointer, "the image is fetched by http and https only", "give such a URL, or a path"),
    ];
  }
  return url.username !== "" || url.password !== ""
    ? [
        error(
          "release/source-credentials",
          pointer,
          "the URL holds credentials; a release is not secret",
          "take them out of the URL",
        ),
      ]
    : [];
}

function roles({ containers }: Draft<Release>): readonly Issue[] {
  const seen = new Set<string>();
  const all = entries(containers);
  const twice = all.flatMap(([index, { role }]) => {
    const again = role !== undefined && seen.has(role);
    if (role !== undefined) seen.add(role);
    return again
      ? [
          error(
            "release/role-twice",
            below("/containers", index, "role"),
            `there is another container ${String(role)}`,
            "each role has one container",
          ),
        ]
      : [];
  });
  const sound =
    containers !== undefined && all.length === containers.length && all.every(([, each]) => each.role !== undefined);
  return sound && !seen.has("crmserver")
    ? [
        ...twice,
        error(
          "release/crmserver-missing",
          "/containers",
          "there is no container with role crmserver",
          "the CRM is what a PlatformVM is for",
        ),
      ]
    : twice;
}

function releaseEnvironment({ controller }: Draft<Release>): readonly Issue[] {
  return Object.keys(controller?.environment ?? {})
    .map((name) => below("/controller/environment", name))
    .filter(mayBeSecret)
    .map((pointer) =>
      error(
        "release/secret-value",
        pointer,
        "by its name this is a secret; a release is not secret",
        "declare it under `secrets` of the spec",
      ),
    );
}
