/** Rules about images and the OVF package: that what arrives is proven before it is used. */

import { createHash } from "node:crypto";
import { hexOf } from "../../core/digest.ts";
import { ovfManifestPath, ovfPath, payloadDiskPath, vmImageDiskPath } from "../../pack/layout.ts";
import { traitsOf } from "../../plan/traits.ts";
import type { LockedBlob } from "../../spec/lock.ts";
import { siteVariables } from "./guest-view.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import { fileAt, placeAt } from "./input.ts";
import type { AuditPlace, Check, Finding } from "./rule.ts";
import { met, notApplicable, unmet, unmetAt } from "./rule.ts";

export const imageChecks: readonly Check[] = [
  {
    rule: {
      id: "IMG-01",
      title: "Each image carries the digest by which it is checked where it is used",
      severity: "high",
      sources: ["OpenStack Security Guide, Image: verification", "NIST SP 800-53 r5 SI-7, SI-7(1)"],
      why: "An image that changed on its way would be started otherwise.",
      remedy: "Keep SHA-256 and SHA-512 of image and payload in site.env; install.sh compares them with what the IaaS got.",
    },
    check: (input) => {
      const variables = siteVariables(input);
      const wrong = imagesOf(input).flatMap(([prefix, blobs]) =>
        [["SHA256", blobs.map(({ digest }) => hexOf(digest))] as const, ["SHA512", blobs.map(({ sha512 }) => sha512)] as const].flatMap(([name, values]): readonly AuditPlace[] => {
          const found = variables.get(`${prefix}_${name}`);
          return found !== undefined && values.includes(found.value) ? [] : [found?.place ?? { file: "site.env" }];
        }),
      );
      return unmetAt(wrong, "site.env lacks an image's digest, or has another than the lock", "site.env has the lock's digests of every image");
    },
  },
  {
    rule: {
      id: "IMG-02",
      title: "Images are signed in the form that Nova verifies",
      severity: "low",
      sources: ["OpenStack Security Guide, Compute and Image: image signature verification (verify_glance_signatures)", "NIST SP 800-53 r5 CM-14, SI-7(15)"],
      why: "Then the hypervisor refuses an image that was replaced after install.sh had checked it.",
      remedy: "Sign the image for Glance and name the four img_signature properties in `platform.parameters.imageProperties`.",
    },
    check: ({ spec }) => {
      if (spec.platform.type !== "openstack") return notApplicable("Only Nova knows signatures of Glance's images.");
      const properties = Object.keys((spec.platform.parameters["imageProperties"] ?? {}) as object);
      const lacking = signatureProperties.filter((name) => !properties.includes(name));
      return lacking.length === 0 ? met("the image's signature is among its properties") : unmet(`the image has no ${lacking.join(", ")}: verify_glance_signatures must be off for it`);
    },
  },
  {
    rule: {
      id: "OVF-01",
      title: "The OVF manifest names its digests as every reader knows them",
      severity: "high",
      sources: ["DSP0243 1.1 clause 5.1, DSP0243 2.1 clause 5.1", "vCenter refuses `SHA2-256` and a space before the parenthesis"],
      why: "A manifest that can't be read is passed over by some and refused by others.",
      remedy: "Write lines as `SHA256(file)= digest`.",
    },
    check: (input) =>
      inManifest(input, (file) => {
        const wrong = file.lines.flatMap((line, index) => (line === "" || manifestLine.test(line) ? [] : [placeAt(file, index + 1)]));
        const algorithms = new Set(file.lines.flatMap((line) => manifestLine.exec(line)?.[1] ?? []));
        const places = algorithms.size === 1 ? wrong : [...wrong, placeAt(file, 1)];
        return unmetAt(places, "lines that are not ALGORITHM(file)= digest, or several algorithms", "every line is of the one form, with one algorithm");
      }),
  },
  {
    rule: {
      id: "OVF-02",
      title: "The OVF manifest lists the descriptor first and every file of the package, with its digest",
      severity: "high",
      sources: ["DSP0243 1.1 clause 5.1", "NIST SP 800-53 r5 SI-7"],
      why: "What it does not list can be replaced.",
      remedy: "Make the manifest of all files of the package.",
    },
    check: (input) =>
      inManifest(input, (file) => {
        const lines = file.lines.flatMap((line, index) => {
          const [, algorithm, name, digest] = manifestLine.exec(line) ?? [];
          return algorithm === undefined ? [] : [{ algorithm, path: `ovf/${name}`, digest, place: placeAt(file, index + 1) }];
        });
        const wanted = new Map(input.files.filter(({ path }) => path.startsWith("ovf/") && path !== ovfManifestPath).map((each) => [each.path, each]));
        const wrong = lines.filter(({ algorithm, path, digest }) => {
          const known = digestOf(input, wanted.get(path), algorithm);
          return !wanted.has(path) || (known !== undefined && known !== digest);
        });
        const missing = [...wanted.keys()].filter((path) => !lines.some((each) => each.path === path));
        const places = [...wrong.map(({ place }) => place), ...missing.map((path): AuditPlace => ({ file: path })), ...(lines[0]?.path === ovfPath ? [] : [placeAt(file, 1)])];
        return unmetAt(places, "files of the package that the manifest lacks, has with another digest, or a descriptor that is not first", "the descriptor is first, and every file is listed with its digest");
      }),
  },
  {
    rule: {
      id: "OVF-03",
      title: "The OVF manifest uses a digest that the oldest vSphere in question takes, and no weaker one",
      severity: "medium",
      sources: ["NIST SP 800-131A r2 section 9", "vSphere 6.7 and later refuse SHA-1 manifests in places"],
      why: "SHA-1 no longer proves anything against somebody who means harm.",
      remedy: "Write `manifestDigest: sha256`; sha1 only for tools of vSphere 5.5.",
    },
    check: (input) =>
      inManifest(input, (file) => {
        const weak = file.lines.flatMap((line, index) => (/^SHA1\(/.test(line) ? [placeAt(file, index + 1)] : []));
        return unmetAt(weak, "the manifest uses SHA-1", "the manifest uses SHA-256");
      }),
  },
];

/** Nova, image signature verification: all four are needed. */
const signatureProperties: readonly string[] = ["img_signature", "img_signature_hash_method", "img_signature_key_type", "img_signature_certificate_uuid"];

const manifestLine = /^(SHA1|SHA256)\(([^()]+)\)= ([0-9a-f]{40}|[0-9a-f]{64})$/;

function inManifest(input: AuditInput, judge: (file: AuditFile) => Finding): Finding {
  const file = fileAt(input, ovfManifestPath);
  if (file !== undefined) return judge(file);
  return fileAt(input, ovfPath) === undefined ? notApplicable("There is no OVF package.") : unmet("the OVF package has no manifest", [{ file: ovfPath }]);
}

/** Undefined where nobody knows it: of a file that nothing lists. */
function digestOf({ lock }: AuditInput, file: AuditFile | undefined, algorithm: string): string | undefined {
  const disk = file?.path === vmImageDiskPath ? lock.vmdk?.vmImage : file?.path === payloadDiskPath ? lock.vmdk?.payload : undefined;
  if (algorithm === "SHA256") return disk === undefined ? file?.sha256 : hexOf(disk.digest);
  return disk?.sha1 ?? (file === undefined ? undefined : createHash("sha1").update(file.text).digest("hex"));
}

/** What site.env tells of, by the beginning of its variables' names; of an OVF package, the disk or what it was made of. */
function imagesOf({ spec, lock: { vmImage, payload, vmdk } }: AuditInput): readonly (readonly [string, readonly LockedBlob[]])[] {
  const payloads = ["CB_PAYLOAD", vmdk === undefined ? [payload] : [payload, vmdk.payload]] as const;
  if (!traitsOf(spec.platform.type).makesVms) return [payloads];
  return [["CB_VM_IMAGE", vmdk === undefined ? [vmImage] : [vmImage, vmdk.vmImage]], payloads];
}
