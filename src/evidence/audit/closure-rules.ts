/** Rules over every text at once: no secret in it, and nothing that leads out of the enclave. */

import { oncePer } from "../../core/once-per.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import { placeAt } from "./input.ts";
import type { ClassifiedReference } from "./reference-classes.ts";
import { classifiedReferences } from "./reference-classes.ts";
import type { AuditPlace, Check, Finding } from "./rule.ts";
import { counted, unmetAt } from "./rule.ts";
import { scannedLines } from "./scanned-lines.ts";
import type { FoundSecret } from "./secrets.ts";
import { secretsIn } from "./secrets.ts";

export const closureChecks: readonly Check[] = [
  {
    rule: {
      id: "SECRET-01",
      title: "No text has the form of a secret",
      severity: "high",
      sources: ["NIST SP 800-53 r5 IA-5(7)", "CWE-798", "OWASP ASVS 4.0.3 2.10.4"],
      why: "A bundle is copied, kept and read by many; a secret in it is none any more.",
      remedy: "Declare a slot under `secrets`; its value goes into the secrets file.",
    },
    check: (input) => ofSecrets(input, "pattern"),
  },
  {
    rule: {
      id: "SECRET-02",
      title: "No text holds a random value that nobody accounts for",
      severity: "medium",
      sources: ["NIST SP 800-53 r5 IA-5(7)", "CWE-798"],
      why: "A key or a token without a form of its own looks like chance.",
      remedy: "Declare a slot under `secrets`; where it is none, waive this at the file with the reason.",
    },
    check: (input) => ofSecrets(input, "entropy"),
  },
  {
    rule: {
      id: "AIRGAP-01",
      title: "Every host, address, image and repository is the site's, the controller's, the bundle's own or local",
      severity: "high",
      sources: ["NIST SP 800-53 r5 CM-7(5), SC-7", "CIS Ubuntu 24.04 1.2.1"],
      why: "In an enclave whatever asks somebody outside waits until it fails, or tells them that it is there.",
      remedy: "Take it out of the template, or name the host in the spec.",
    },
    check: (input) => {
      const all = referencesOf(input);
      const wrong = all.filter(leadsOut);
      const names = wrong.map(({ text }) => text).slice(0, 5).join(", ");
      return unmetAt(
        wrong.flatMap(({ places }) => placesIn(input, places)),
        `${counted(wrong.length, "reference")} to an outside that nobody named: ${names}`,
        `${counted(all.length, "reference")}, each of them classified`,
      );
    },
  },
  {
    rule: {
      id: "AIRGAP-02",
      title: "No script fetches or installs anything",
      severity: "high",
      sources: ["NIST SP 800-53 r5 CM-7(5), CM-14, SR-11"],
      why: "What is fetched when it runs is not what was signed.",
      remedy: "Put it into the VM image or the payload.",
    },
    check: (input) =>
      unmetAt(
        input.files.filter(({ role }) => role !== "evidence").flatMap((file) => scannedLines(file).flatMap((each) => (each.fetches ? [placeAt(file, each.line)] : []))),
        "commands that fetch or install",
        "no command that fetches or installs",
      ),
  },
];

/** Neither the site's nor anybody's whom the bundle may speak of. */
export function leadsOut({ class: of }: ClassifiedReference): boolean {
  return of === "unclassified" || of === "forbidden";
}

export const referencesOf = oncePer(classifiedReferences);

export const secretsOf = oncePer(secretsIn);

function ofSecrets(input: AuditInput, by: FoundSecret["by"]): Finding {
  const found = secretsOf(input).filter((each) => each.by === by);
  const kinds = [...new Set(found.map(({ looksLike }) => looksLike))].sort().join(", ");
  return unmetAt(found.map(({ file, line }) => placeAt(file, line)), `what looks like ${kinds}`, `${counted(input.files.filter(({ text }) => text !== "").length, "text")}, and nothing in them looks like one`);
}

function placesIn(input: AuditInput, places: ClassifiedReference["places"]): readonly AuditPlace[] {
  const files = new Map(input.files.map((file): [string, AuditFile] => [file.path, file]));
  return places.flatMap(({ file, line }) => {
    const found = files.get(file);
    return found === undefined ? [] : [placeAt(found, line)];
  });
}
