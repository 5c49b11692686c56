/** Rules about the bundle as something that is delivered, and notes on what only its host can answer. */

import { cycloneDxPath, spdxPath } from "../../pack/layout.ts";
import { traitsOf } from "../../plan/traits.ts";
import type { AuditInput } from "./input.ts";
import { fileAt } from "./input.ts";
import type { AuditPlace, AuditRule, Check } from "./rule.ts";
import { counted, met, notApplicable, unmet, unmetAt } from "./rule.ts";

export const supplyChecks: readonly Check[] = [
  {
    rule: {
      id: "SC-1",
      title: "The release has a name and a number of its own, and every file is listed with its digest",
      severity: "high",
      sources: ["OSPS Baseline BR-02, BR-06.01", "NIST SP 800-53 r5 SI-7"],
      why: "What nothing lists can be added or exchanged without notice.",
      remedy: "Build the bundle anew; never add to one.",
    },
    check: ({ files, release }) => {
      const unlisted = files.filter(({ sha256 }) => sha256 === undefined).map(({ path }): AuditPlace => ({ file: path }));
      return unmetAt(unlisted, "files that the manifest does not list", `release ${release.name}, number ${release.sequence}; ${counted(files.length, "file")}, each listed with its digest`);
    },
  },
  {
    rule: {
      id: "SC-2",
      title: "SBOMs come with the software",
      severity: "high",
      sources: ["OSPS Baseline QA-02.02", "NIST SP 800-53 r5 SR-4, CM-8"],
      why: "Without them nobody can tell whether a flaw that becomes known is in here.",
      remedy: "Build the bundle anew.",
    },
    check: (input) => {
      const missing = [cycloneDxPath, spdxPath].filter((path) => (fileAt(input, path)?.text ?? "") === "");
      return unmetAt(missing.map((file) => ({ file })), "an SBOM is missing", "CycloneDX and SPDX, both of all that is in the bundle");
    },
  },
  {
    rule: {
      id: "SC-3",
      title: "The build's log is kept where it can be verified",
      severity: "low",
      sources: ["OWASP SCVS 3.13, 3.14", "NIST SP 800-53 r5 AU-10, SA-10"],
      why: "It tells who built the bundle, and on what.",
      remedy: "Keep the log of the service that builds, and compare it with evidence/provenance.json.",
    },
    check: () => notApplicable("It must be true of whoever builds that a log is kept; evidence/provenance.json names the builder and all that went in."),
  },
  {
    rule: {
      id: "SC-4",
      title: "Every part of the software has a digest",
      severity: "high",
      sources: ["OWASP SCVS 3.18, 3.19", "NIST SP 800-53 r5 SI-7"],
      why: "A part without one can be another one.",
      remedy: "Make the lock anew with `cloudlet-bundle lock`, and the bundle from it.",
    },
    check: ({ lock }) => {
      const parts = [lock.vmImage, lock.payload, ...lock.containers.flatMap(({ config, layers }) => [config, ...layers])];
      const without = parts.filter(({ digest }) => !/^sha256:[0-9a-f]{64}$/.test(digest)).length;
      return without > 0 ? unmet(`${counted(without, "part")} without a digest`, [{ file: "evidence/lock.json" }]) : met(`${counted(parts.length, "part")}, each with its SHA-256; the key's fingerprint has to come by another way than the bundle`);
    },
  },
  {
    rule: {
      id: "SC-5",
      title: "It is known where every part comes from, and who answers for the release",
      severity: "low",
      sources: ["OWASP SCVS 6.1, 6.2", "NIST SP 800-53 r5 SR-3, SR-4"],
      why: "Somebody has to be asked when a part turns out to be bad.",
      remedy: "Give the release a `supplier`.",
    },
    check: ({ release }) => {
      const sources = [release.vmImage.source, ...release.containers.map(({ source }) => source)];
      if (sources.includes("")) return unmet("a part has no source", [{ file: "evidence/release.json" }]);
      return release.supplier === undefined ? unmet("nobody is named who answers for the release", [{ file: "evidence/release.json" }]) : met(`${release.supplier.name} answers for it; ${counted(sources.length, "source")} are named`);
    },
  },
  {
    rule: {
      id: "SC-6",
      title: "The transfer is written down: which media, from where to where, checked by what",
      severity: "low",
      sources: ["NIST SP 800-53 r5 MP-5, SI-3"],
      why: "A medium that nobody wrote down can be exchanged on its way.",
      remedy: "Keep a list of media beside the bundle; a scan for malware counts only where it was made.",
    },
    check: () => notApplicable("It must be true of whoever carries the bundle; a bundle can't tell of its own way."),
  },
];

/** The OpenStack Security Guide's checklists for the cloud itself. */
const hostNotes: readonly (readonly [string, string, string])[] = [
  ["Check-Compute-01", "Nova's configuration files belong to root:nova", "The files of /etc/nova belong to root, and to the group nova."],
  ["Check-Compute-02", "Nova's configuration files are closed to others", "The files of /etc/nova have mode 0640 or stricter."],
  ["Check-Compute-03", "Nova asks Keystone who is there", "auth_strategy of nova.conf is keystone."],
  ["Check-Compute-04", "Nova asks Keystone over TLS", "www_authenticate_uri of nova.conf begins with https, and insecure is false."],
  ["Check-Compute-05", "Nova asks Glance over TLS", "api_insecure of nova.conf's section glance is false, and the endpoint begins with https."],
  ["Check-Image-01", "Glance's configuration files belong to root:glance", "The files of /etc/glance belong to root, and to the group glance."],
  ["Check-Image-02", "Glance's configuration files are closed to others", "The files of /etc/glance have mode 0640 or stricter."],
  ["Check-Image-03", "Glance asks Keystone who is there", "flavor of glance-api.conf's section paste_deploy is keystone."],
  ["Check-Image-04", "Glance asks Keystone over TLS", "www_authenticate_uri of glance-api.conf begins with https, and insecure is false."],
  ["Check-Image-05", "Glance fetches nothing on behalf of others", "copy_from of Glance's policy is limited, so that nobody scans the cloud's own network through it."],
];

export const hostChecks: readonly Check[] = hostNotes.map(([name, title, truth]) => ({
  rule: {
    id: `OS-${name.replace("Check-", "").toUpperCase()}`,
    title,
    severity: "medium",
    sources: [`OpenStack Security Guide, ${name}`],
    why: "The PlatformVM is as safe as the cloud it runs in.",
    remedy: "Ask the cloud's operator.",
  } satisfies AuditRule,
  check: ({ spec }: AuditInput) => notApplicable(spec.platform.type === "openstack" ? `It must be true of the cloud: ${truth}` : `There is no OpenStack: the IaaS is ${spec.platform.type}${traitsOf(spec.platform.type).makesVms ? "" : ", and the machines are there already"}.`),
}));
