/** Every code of an issue about a document: what it means and what to do. The reference and SARIF take their words here. */

export interface IssueCodeEntry {
  readonly meaning: string;
  readonly remedy: string;
}

/** In the order in which a document is judged. Codes are never renamed. */
export const ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "yaml/encoding": { meaning: "The document is not UTF-8.", remedy: "Save it as UTF-8. A byte order mark is no harm." },
  "yaml/too-long": {
    meaning: "The document has more than 1,048,576 bytes.",
    remedy: "Check that it is the right file; a spec has a few kilobytes.",
  },
  "yaml/control-character": {
    meaning: "NUL or another control character stands in the text.",
    remedy: "Delete it. Many come along when text is pasted; NUL says that the file is no text.",
  },
  "yaml/empty": {
    meaning: "There is nothing in the document.",
    remedy: "`cloudlet-bundle init` writes a commented spec to start from.",
  },
  "yaml/syntax": {
    meaning: "The text is not YAML.",
    remedy:
      "Look at the marked line and the one above: a quote or bracket that is not closed, or text with `: ` or ` #` in it that needs quotes.",
  },
  "yaml/tab": {
    meaning: "A tab stands where YAML wants spaces. Some readers accept it, PyYAML does not.",
    remedy: "Replace tabs by spaces.",
  },
  "yaml/too-deep": {
    meaning: "The document is nested deeper than 16 levels.",
    remedy: "Check that it is the right file; no document of ours has more than 7.",
  },
  "yaml/several-documents": {
    meaning: "A line `---` begins a second document in the same file.",
    remedy: "Put each document into a file of its own.",
  },
  "yaml/directive": {
    meaning: "A line that begins with % (a YAML directive) stands at the beginning.",
    remedy: "Delete it: documents are YAML 1.2.",
  },
  "yaml/anchor": {
    meaning: "An anchor (&name) is set.",
    remedy: "Delete it: every value is written where it is needed.",
  },
  "yaml/alias": {
    meaning:
      "An alias (*name) is used. A value that stands in two places has no place of its own, and aliases of aliases grow beyond any memory.",
    remedy: "Write the value where it is needed.",
  },
  "yaml/merge-key": { meaning: "A merge key (<<) is used.", remedy: "Write the values where they are needed." },
  "yaml/tag": {
    meaning: "A tag (!name) is used. Tags make some readers build objects or run code.",
    remedy: "Delete it; text that looks like a number goes into quotes.",
  },
  "yaml/key": {
    meaning: "A key is a list or a group instead of text.",
    remedy: "Text with a bracket or brace in it needs quotes.",
  },
  "yaml/duplicate-key": {
    meaning: "A key is given twice in the same group. Many readers take the last one without a word.",
    remedy: "Keep one of the two.",
  },
  "yaml/ambiguous": {
    meaning:
      "A value without quotes means different things to readers of YAML 1.1 and YAML 1.2: no, on, 0644, 12:30:45, 1_000, a date, a MAC address.",
    remedy: "Put text into quotes; write numbers in plain decimal, and true or false.",
  },
  "yaml/number": {
    meaning: "A number is infinite, or too long to be kept exactly.",
    remedy: "Text that looks like a number goes into quotes.",
  },
  "document/not-keys": {
    meaning: "The document is a list or a single value, not keys with values.",
    remedy: "Begin with apiVersion: cloudlet-bundle/v1.",
  },
  "document/api-version": {
    meaning: "`apiVersion` is missing or none that this build reads. Nothing else is looked at then.",
    remedy: "Write apiVersion: cloudlet-bundle/v1, or use a build that reads the version.",
  },
  "document/kind": {
    meaning: "The document is of another kind than the one asked for.",
    remedy: "Give the right file.",
  },
  "document/character": {
    meaning:
      "A text holds a character that no file of a bundle could carry unharmed: a control character, a line break where none may be, half of a surrogate pair, U+FEFF, U+FFFE, U+FFFF, U+2028, U+2029, or one that turns the direction of text.",
    remedy: "Delete it.",
  },
  "document/reserved-text": {
    meaning: "A text holds `@@CLOUDLET-SECRET:`, by which the guest's user-data marks the place of a secret.",
    remedy: "Write it otherwise.",
  },
  "document/private-key": {
    meaning: "A text holds a private key.",
    remedy: "Take it out, and make a new key: whoever has seen the file has seen the key. Declare a secret instead.",
  },
  "schema/missing-key": {
    meaning: "A key that must be there is not.",
    remedy: "Add it; the reference of the document shows an example.",
  },
  "schema/unknown-key": {
    meaning: "There is no such key here.",
    remedy: "Correct the spelling, or delete it. Nothing is ignored.",
  },
  "schema/type": {
    meaning: "A value is of another type: text, a number, true or false, a list, a group of keys.",
    remedy: "Text that looks like a number goes into quotes; a number stands without.",
  },
  "schema/value": {
    meaning: "A value is none of those that are possible.",
    remedy: "Take one of those that the message names.",
  },
  "schema/form": { meaning: "A text has another form than it must have.", remedy: "The message says the form." },
  "schema/key": {
    meaning: "A key that you may choose has another form than it must have.",
    remedy: "The message says the form.",
  },
  "schema/range": { meaning: "A number is too small or too large.", remedy: "The message says the limit." },
  "schema/length": { meaning: "A text is empty or too long.", remedy: "The message says the limit." },
  "schema/count": { meaning: "A list has too few or too many entries.", remedy: "The message says the limit." },
  "schema/repeated": { meaning: "A list repeats an entry.", remedy: "Keep one of the two." },
  "spec/location-zero": {
    meaning: "The location is 0/0, a place in the sea, which means that nobody filled it in.",
    remedy: "Give the place where the servers stand.",
  },
  "spec/unknown-platform": {
    meaning: "This build makes no bundles for this kind of IaaS.",
    remedy: "Take one of those that the message names.",
  },
  "spec/vm-pool": {
    meaning: "`vmPool` is missing with platform vmpool, or given with another.",
    remedy: "Name the pool with vmpool; delete it otherwise.",
  },
  "spec/flavor-missing": {
    meaning: "`compute.flavor` is missing. It is mandatory when access is restricted: nobody can look one up later.",
    remedy: "Name the IaaS's flavor for the PlatformVM.",
  },
  "spec/network-missing": {
    meaning: "There is no external network. One is mandatory when access is restricted.",
    remedy: "Name the IaaS's external network.",
  },
  "spec/single-cluster-owner": {
    meaning: "`singleKubernetesClusterOwner` is given with a platform that is not one Kubernetes cluster.",
    remedy: "Delete it.",
  },
  "spec/network-twice": {
    meaning: "An external network is listed twice.",
    remedy: "List it once: a PlatformVM has one network card on each network.",
  },
  "spec/default-route": {
    meaning: "No external network holds the default route, or more than one does.",
    remedy: "Set defaultRoute: true on one, or on none: then it is the first.",
  },
  "spec/address": {
    meaning:
      "A text is no IP address, or the address is one that no machine can have: network, broadcast, loopback, multicast.",
    remedy: "Give the address that the site has set aside.",
  },
  "spec/prefix": { meaning: "The prefix is longer than the address.", remedy: "IPv4 has 32 bits, IPv6 128." },
  "spec/gateway": {
    meaning: "The gateway is outside the prefix, is the PlatformVM's own address, or is no address of a machine.",
    remedy: "Check gateway and prefix.",
  },
  "spec/high-availability": {
    meaning:
      "Two PlatformVMs lack what they need (`crm.redisAddress`, `secondaryIp` of a static address), or one has what only two need.",
    remedy: "Add what is missing; without `crm.highAvailability` delete what is too much.",
  },
  "spec/address-range": {
    meaning: "A range of addresses is none, holds what no VM can have or another range's addresses, has too few, or is for a platform that takes none.",
    remedy: "Write first-last within the network, without its first and last address and the gateway, with enough for `dynamicIps`.",
  },
  "spec/address-taken": { meaning: "Two network cards have the same address.", remedy: "Give each its own." },
  "spec/networks-overlap": {
    meaning: "Two networks of the PlatformVM have addresses in common, so that neither can be routed.",
    remedy: "Use networks with different addresses.",
  },
  "spec/mtu": { meaning: "The MTU is too small for IPv6, which needs 1280 bytes.", remedy: "Raise it, or use IPv4." },
  "spec/cidr": {
    meaning: "A text is no block of addresses, or has host bits set.",
    remedy: "Write address/prefix with all host bits zero, such as 198.51.100.0/24.",
  },
  "spec/ports": {
    meaning: "A firewall rule names ports with a protocol that has none, or an empty range.",
    remedy: "Ports are for tcp and udp; the smaller one comes first.",
  },
  "spec/ssh-open": {
    meaning: "SSH would be open to the whole world, by `firewall.ssh` or by a rule that covers port 22.",
    remedy: "Name the networks that administrators come from.",
  },
  "spec/user-root": {
    meaning: "A user is called root.",
    remedy: "Give the person a name of their own, and sudo: true.",
  },
  "spec/user-taken": {
    meaning: "A user has the name of one that the guest's system has for itself.",
    remedy: "Choose another name.",
  },
  "spec/user-twice": { meaning: "Two users have the same name.", remedy: "Give all keys to one." },
  "spec/ssh-key": {
    meaning: "An SSH public key is cut off, of a type that OpenSSH no longer accepts, too short, or no key at all.",
    remedy: "Copy the whole line of the .pub file.",
  },
  "spec/certificate": {
    meaning: "An entry of `caCertificates` is not exactly one PEM certificate.",
    remedy: "Give one block from BEGIN to END for each entry.",
  },
  "spec/unknown-quota": {
    meaning: "The platform counts no resource of this name.",
    remedy: "Take one of those that the message names.",
  },
  "spec/quota-twice": { meaning: "A quota is given twice.", remedy: "Keep one of the two." },
  "spec/alliance": {
    meaning: "An alliance organization is the cloudlet's own, or is named twice.",
    remedy: "Delete it.",
  },
  "spec/gpu-driver": {
    meaning: "The GPU driver belongs to another organization.",
    remedy: "Leave the organization empty for MobiledgeX's own drivers, or give the cloudlet's.",
  },
  "spec/platform-vm-too-small": {
    meaning: "The PlatformVM's size is below 2 vCPU, 4096 MiB or 40 GiB.",
    remedy: "Raise it; the flavor must offer as much.",
  },
  "spec/tenant-small": {
    meaning: "The tenant's size is below the recommended minimum of 32 vCPU, 131072 MiB and 500 GiB. A warning.",
    remedy: "Enough for a trial; plan more for service.",
  },
  "spec/unknown-variable": {
    meaning: "The platform knows no such variable.",
    remedy: "Correct the spelling; the reference lists all variables.",
  },
  "spec/internal-variable": { meaning: "The variable is set by the platform itself.", remedy: "Delete it." },
  "spec/variable-value": {
    meaning: "The value is none that the variable can have.",
    remedy: "The message says what it must be.",
  },
  "spec/variable-missing": {
    meaning: "The platform needs a variable that is not given.",
    remedy: "Give it under `environment`, or declare it under `secrets`.",
  },
  "spec/variable-contradicts": {
    meaning: "A variable says something else than the field that is made for it.",
    remedy: "Delete the variable.",
  },
  "spec/secret-value": {
    meaning: "A variable that is secret by nature has a value in the spec.",
    remedy:
      "Delete it here and change the password: whoever has seen the file has seen it. Declare it under `secrets` and put the value into the secrets file.",
  },
  "spec/secret-twice": {
    meaning: "Two secrets have the same name or go to the same place.",
    remedy: "Give each its own.",
  },
  "spec/secret-built-in": {
    meaning: "ACCESS_KEY or KAFKA_PASSWORD is declared with other properties than it has.",
    remedy: "Delete the declaration: they are there by themselves.",
  },
  "spec/kafka": {
    meaning: "KAFKA_PASSWORD is declared, but there is no Kafka user.",
    remedy: "Give kafka.user, or delete the secret.",
  },
  "spec/waiver-date": { meaning: "A waiver expires on a day that does not exist.", remedy: "Write year, month and day: 2027-06-30." },
  "release/created": {
    meaning: "The time is not in the calendar, or not one that a tar archive can hold.",
    remedy: 'Write it as "2026-11-24T00:00:00Z", in quotes.',
  },
  "release/source": {
    meaning: "The image's source is a URL that can't be fetched.",
    remedy: "Give an http or https URL, or a path.",
  },
  "release/source-credentials": {
    meaning: "The image's URL holds a user or a password. A release is not secret.",
    remedy: "Take them out, and change the password.",
  },
  "release/role-twice": { meaning: "Two containers have the same role.", remedy: "Keep one." },
  "release/crmserver-missing": {
    meaning: "There is no container with role crmserver.",
    remedy: "Add it: the CRM is what a PlatformVM is for.",
  },
  "release/secret-value": {
    meaning: "A variable of the release is a secret by its name. A release is not secret.",
    remedy: "Declare it under `secrets` of the spec.",
  },
  "lock/role-twice": {
    meaning: "Two containers of the lock have the same role.",
    remedy: "Make the lock anew: `cloudlet-bundle lock`.",
  },
  "lock/pieces": {
    meaning: "The digests of a file's pieces are not as many as its size asks for, or a piece is no whole number of 512 bytes.",
    remedy: "Make the lock anew: `cloudlet-bundle lock`.",
  },
  "import/not-a-cloudlet": {
    meaning: "The document is no MobiledgeX cloudlet object.",
    remedy: "Give an mcctl data file, or the body of a CreateCloudlet request.",
  },
  "import/several-cloudlets": { meaning: "The document holds several cloudlets.", remedy: "Import one at a time." },
  "import/unknown-field": {
    meaning: "MobiledgeX's cloudlet has no such field. It is not carried over.",
    remedy: "Check the spelling in the source.",
  },
  "import/backend-field": {
    meaning: "The field is set by MobiledgeX's controller, not by a user. It is left out.",
    remedy: "Nothing: it describes a state, not a wish.",
  },
  "import/not-carried": {
    meaning: "The field has no place in our spec.",
    remedy: "The message says why; see whether the cloudlet needs it.",
  },
  "import/value": {
    meaning: "The value could not be carried over as it is.",
    remedy: "The message says why; write a correct one into the spec.",
  },
  "import/secret": {
    meaning: "The field is a secret. Its value is left out; a secret slot takes its place where there is one.",
    remedy: "Put the value into the secrets file. Whoever has seen the source has seen it.",
  },
  "import/missing": {
    meaning: "The spec needs something that the source does not have.",
    remedy: "Write it into the spec before building.",
  },
};
