/** Every code of an issue that only the service finds: a document is sound, and does not fit what is there. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const SERVICE_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "service/other-cloudlet": {
    meaning: "A spec names an organization that the caller may not know of, or is to take the place of another cloudlet's.",
    remedy: "Correct `organization` or `name`; another name or organization is another cloudlet.",
  },
  "service/other-lock": { meaning: "A lock was made for another release.", remedy: "Make it of the very release that was uploaded: `cloudlet-bundle lock --release FILE`." },
  "service/not-to-be-built": { meaning: "There is no such release, or what its lock holds is not enough for the cloudlet's platform.", remedy: "Upload release and lock; for VMware's platforms make the lock with `--vmdk`." },
  "service/site-login": {
    meaning: "Credentials for a site hold something that is no part of a login, would have to be run, or names a file of the service's machine.",
    remedy: "Give the variables of the login, or a plain openrc or clouds.yaml; certificates and keys as text.",
  },
  "service/delivery": {
    meaning: "A host that a bundle is to be delivered to, what it is known by, or the login there can't be what it is given as.",
    remedy: "Write hosts as user@host or user@host:port; host keys as lines of known_hosts, fingerprints or public keys; a private key with its first and last line.",
  },
  "service/oidc-issuer": { meaning: "An issuer is no URL that can be trusted, or is listed twice.", remedy: "Write it as `issuer` of its discovery document does: https, without query and fragment." },
  "service/oidc-keys": { meaning: "An issuer's keys are said to be in two places, or in one that is not safe.", remedy: "Give `keysUrl` (https) or `keysFile`, or neither: discovery then says where they are." },
  "service/oidc-rule": { meaning: "A rule gives no role, or two.", remedy: "Give `platformRole` alone, or `organization` and `role`." },
  "service/same-vm": {
    meaning: "The file of `serve --libvirt` names two cloudlets whose VMs would have the same name, so that one would be taken for the other.",
    remedy: "Leave one of them out; it can have a VM on another host.",
  },
  "service/not-on-this-host": {
    meaning: "A cloudlet's spec, or a parameter of an installation, asks for something of the service's own KVM host that whoever runs it does not give: a network, a GPU, a folder, a larger VM.",
    remedy: "Ask for what the host gives, or ask whoever runs it to give more (the file of `serve --libvirt`).",
  },
  "service/receipt": { meaning: "A text is no receipt of install.sh, or that of another cloudlet.", remedy: "Upload `receipt.json` as install.sh has written it, to the cloudlet that it names." },
};
