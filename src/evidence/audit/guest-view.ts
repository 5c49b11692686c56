/** The guest as the bundle's files make it: cloud-config, files, firewall; the same for clouds and for machines that are there. */

import { Buffer } from "node:buffer";
import type { Json, JsonObject } from "../../core/json.ts";
import { oncePer } from "../../core/once-per.ts";
import type { AuditFile, AuditedFiles, Parsed } from "./input.ts";
import { fileAt, parsedYaml, placeAt } from "./input.ts";
import type { AuditPlace } from "./rule.ts";

/** The user-data of each machine; none for machines that are there already. */
export function userDataOf(input: AuditedFiles): readonly Parsed[] {
  return input.files.filter(({ path }) => /^site\/user-data(-|$)/.test(path)).map(parsedYaml);
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A file that the bundle puts on a machine. */
export interface GuestFile {
  readonly path: string;
  /** As it is said; undefined where nothing says it. */
  readonly mode: string | undefined;
  readonly owner: string | undefined;
  /** Decoded where it was base64. */
  readonly text: string;
  readonly place: AuditPlace;
  /** The place of a line of its text, from 1. */
  readonly placeOf: (line: number) => AuditPlace;
}

export const guestFilesOf = oncePer((input: AuditedFiles): readonly GuestFile[] => [...userDataOf(input).flatMap(writtenFiles), ...poolFiles(input)]);

function writtenFiles(userData: Parsed): readonly GuestFile[] {
  return listOf(objectOf(userData.value)["write_files"]).map((each, index): GuestFile => {
    const { path, permissions, owner, content, encoding } = objectOf(each);
    const text = typeof content === "string" ? content : "";
    return {
      path: String(path),
      mode: typeof permissions === "string" ? permissions : undefined,
      owner: typeof owner === "string" ? owner : undefined,
      text: encoding === "b64" ? Buffer.from(text, "base64").toString("utf8") : text,
      get place() {
        return userData.placeOf("write_files", index, "path");
      },
      placeOf: (line) => {
        const first = userData.placeOf("write_files", index, "content").line ?? 1;
        // A text of several lines is a block below its key.
        return placeAt(userData.file, text.includes("\n") ? first + line : first);
      },
    };
  });
}

/** What install.sh copies to a machine: files below site/guest/, and site.env says how. */
function poolFiles(input: AuditedFiles): readonly GuestFile[] {
  const variables = siteVariables(input);
  const modes = new Map(
    [...variables].flatMap(([name, { value }]) => {
      const [, number] = /^CB_GUEST_FILE_(\d+)_FILE$/.exec(name) ?? [];
      return number === undefined ? [] : [[value, number] as const];
    }),
  );
  return input.files
    .filter(({ path }) => path.startsWith("site/guest/"))
    .map((file): GuestFile => {
      const number = modes.get(file.path);
      return {
        path: variables.get(`CB_GUEST_FILE_${number}_PATH`)?.value ?? file.path.slice("site/guest".length),
        mode: variables.get(`CB_GUEST_FILE_${number}_MODE`)?.value,
        // lib/vmpool-machine.sh writes them as root.
        owner: number === undefined ? undefined : "root:root",
        text: file.text,
        get place() {
        return variables.get(`CB_GUEST_FILE_${number}_MODE`)?.place ?? placeAt(file, 1);
      },
        placeOf: (line) => placeAt(file, line),
      };
    });
}

export interface SiteVariable {
  readonly value: string;
  readonly place: AuditPlace;
}

/** The variables of site.env, which is one single-quoted word behind each name. */
export function siteVariables(input: AuditedFiles): ReadonlyMap<string, SiteVariable> {
  const file = fileAt(input, "site.env");
  return file === undefined ? new Map() : variablesIn(file);
}

const variablesIn = oncePer((file: AuditFile): ReadonlyMap<string, SiteVariable> => {
  return new Map(
    file.lines.flatMap((line, index) => {
      const [, name, word] = /^([A-Z][A-Z0-9_]*)='(.*)'$/.exec(line) ?? [];
      if (name === undefined || word === undefined) return [];
      const variable: SiteVariable = {
        value: word.replaceAll(String.raw`'\''`, "'"),
        get place() {
          return placeAt(file, index + 1);
        },
      };
      return [[name, variable] as const];
    }),
  );
});

/** The Heat template; undefined on every other IaaS. */
export function heatOf(input: AuditedFiles): Parsed | undefined {
  const file = fileAt(input, "site/heat-template.yaml");
  return file === undefined ? undefined : parsedYaml(file);
}

/** Its resources of one type. */
export function resourcesOf(heat: Parsed, type: string): readonly { readonly name: string; readonly properties: JsonObject }[] {
  return Object.entries(objectOf(objectOf(heat.value)["resources"])).flatMap(([name, each]) =>
    objectOf(each)["type"] === type ? [{ name, properties: objectOf(objectOf(each)["properties"]) }] : [],
  );
}

/** Names of the resources that a value of a Heat template refers to, however deep. */
export function everyRef(node: Json): readonly string[] {
  if (typeof node !== "object" || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(everyRef);
  return Object.entries(node).flatMap(([key, value]) => (key === "get_resource" && typeof value === "string" ? [value] : everyRef(value as Json)));
}
