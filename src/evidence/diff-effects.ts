/**
 * What a bundle's files do, read from the files alone: whom they let in and out, who may log in and become root, and settings
 * that say so. So a port that a template or a hand opens is told as one, though no field of the spec says so.
 */

import { canonicalJson } from "../core/json.ts";
import { letThroughOf } from "./audit/exposure.ts";
import { guestFilesOf, listOf, objectOf, userDataOf } from "./audit/guest-view.ts";
import { filesOfTexts, type AuditedFiles } from "./audit/input.ts";
import type { AuditPlace } from "./audit/rule.ts";
import type { DiffSide } from "./diff.ts";
import type { Group } from "./diff-rules.ts";
import { settingsOf } from "./diff-settings.ts";

export interface Effect {
  readonly group: Group;
  /** Two sides have the same effect where this is the same. */
  readonly key: string;
  /** For people. */
  readonly words: string;
  readonly place: AuditPlace;
}

export function effectsOf({ files }: DiffSide): readonly Effect[] {
  const texts = [...files].flatMap(([path, { text, role }]) => (text === undefined || role === "evidence" ? [] : [{ path, text, role }]));
  const audited = filesOfTexts(texts);
  return [...exposure(audited), ...users(audited), ...accessFiles(audited), ...settingsOf(audited)];
}

function exposure(files: AuditedFiles): readonly Effect[] {
  return letThroughOf(files).map(({ direction, cidr, protocol, ports, place }) => {
    const words = `${direction} ${protocol} ${ports.from}-${ports.to} ${direction === "ingress" ? "from" : "to"} ${cidr}`;
    return { group: "exposure", key: words, words, place };
  });
}

function users(files: AuditedFiles): readonly Effect[] {
  return userDataOf(files).flatMap((userData) =>
    listOf(objectOf(userData.value)["users"]).map((user, index): Effect => {
      const text = canonicalJson(user);
      return { group: "privilege", key: `user ${text}`, words: `user ${typeof user === "string" ? user : String(objectOf(user)["name"])}`, place: userData.placeOf("users", index) };
    }),
  );
}

/** What decides who may log in or become root. */
function accessFiles(files: AuditedFiles): readonly Effect[] {
  return guestFilesOf(files)
    .filter(({ path }) => /^\/etc\/(sudoers|ssh\/|pam\.d\/|security\/|passwd$|shadow$|group$)/.test(path))
    .map(({ path, text, mode, place }) => ({ group: "privilege", key: `${path} ${mode ?? ""} ${text}`, words: path, place }));
}
