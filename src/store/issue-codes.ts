/** Every code of an issue that is found while a release is resolved: what it means and what to do. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const RESOLVE_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "resolve/image-missing": {
    meaning: "An image, or a part of it, is not where the release says.",
    remedy: "Correct the source; paths are relative to the release file. A URL must answer with the file itself.",
  },
  "resolve/image-refused": {
    meaning: "A registry does not give a container to us: it wants credentials, or others than ours.",
    remedy: "Log in with `docker login` or `skopeo login`. Many registries answer so for a name that they don't know.",
  },
  "resolve/image-form": {
    meaning: "A container's source is not what its prefix says, is of a kind that is not taken, or is damaged.",
    remedy: "Save the image again, with `docker save` or `skopeo copy`, and name the form that it has; or push it again.",
  },
  "resolve/image-digest": {
    meaning: "An image is not the one whose digest the release names, or its parts don't fit together.",
    remedy: "Give the right image, or correct the digest: the file's for the VM image, the image ID for a container.",
  },
  "resolve/image-platform": {
    meaning: "A container is made for another processor.",
    remedy: "Give the image for the right one, or say `--architecture`.",
  },
  "resolve/image-size": {
    meaning: "The VM image has more bytes than `sizeLimit`.",
    remedy: "Raise the limit, if this is the right image.",
  },
  "resolve/image-format": {
    meaning: "The VM image is of another format than the release says.",
    remedy: "Correct `vmImage.format`, or give the right file.",
  },
  "resolve/image-unusable": {
    meaning: "The VM image can't be booted as it is: it needs another file, is encrypted, or is damaged.",
    remedy: "Make it anew, whole: `qemu-img convert`.",
  },
  "resolve/image-vmdk": {
    meaning: "The VM image can't be made into a streamOptimized VMDK: it is damaged inside, or larger than such a disk may be.",
    remedy: "Make it anew, whole: `qemu-img check`, `qemu-img convert`. vSphere takes disks of up to 62 TiB.",
  },
  "resolve/package-list": {
    meaning: "The list of the VM image's packages is not where the release says, is another one, or has no package in it.",
    remedy: "Give the list that came with the image: lines of name and version, or the database of dpkg or apk; correct its digest.",
  },
};
