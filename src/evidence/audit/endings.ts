/** Endings of names with a dot that are no domain: of files, of systemd's units, and words that the scripts make names with. */

const files: readonly string[] = [
  "bin", "cdx", "cer", "cfg", "conf", "crt", "csr", "der", "dsse", "env", "fd", "gz", "html", "img", "iso", "js", "json", "key", "log", "md", "mf", "ova", "ovf", "part", "pem", "pid", "policy", "pub", "py", "raw", "sed", "sh",
  "sig", "signatures", "spdx", "tar", "template", "tmp", "ts", "txt", "vmdk", "vmx", "xml", "yaml", "yml", "zst",
];
const namesOfScripts: readonly string[] = ["domain", "error", "files", "in", "link", "name", "new", "out", "status"];
const units: readonly string[] = ["device", "mount", "path", "scope", "service", "slice", "socket", "target", "timer"];

const all: ReadonlySet<string> = new Set([...files, ...namesOfScripts, ...units]);

/** Those that the root zone has as well (IANA's list of top-level domains). */
const domainsToo: ReadonlySet<string> = new Set(["in", "link", "md", "name", "new", "pub", "py", "sh", "zip"]);

/** Whether the name ends as names of files and units do. */
export function isEnding(name: string): boolean {
  return all.has(lastOf(name));
}

/** Whether a name that ends so can be a host's nevertheless. */
export function isDomainToo(name: string): boolean {
  return domainsToo.has(lastOf(name));
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}
