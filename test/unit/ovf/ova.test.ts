/** The OVA: one form, whoever makes it; its manifest, and its certificate as OpenSSL sees it. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { main } from "../../../src/cli/main.ts";
import type { Io } from "../../../src/cli/io.ts";
import { processIo } from "../../../src/cli/io.ts";
import { withCertificate } from "../../../src/cli/ovf-certificate.ts";
import { checkOvf } from "../../../src/ovf/check.ts";
import { ovaEntries } from "../../../src/pack/ovf-package.ts";
import { layArchive, produce } from "../../../src/pack/stream.ts";
import type { Tree } from "../../../src/pack/tree.ts";
import { pemSigner } from "../../../src/seal/sign.ts";
import { wellRead } from "../../golden/cases.ts";
import { headerOnlyDisk, ovaSource } from "../../reject/ovf-cases.ts";
import { blobsOf, fingerprint, hexDigest, signingKey, treeOf, writeSealed } from "./packed.ts";

t.setTimeout(120_000);
const work = mkdtempSync(join(tmpdir(), "cloudlet-ova "));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const disks = { vmImage: Buffer.concat([headerOnlyDisk(8), Buffer.alloc(70_001, 5)]), payload: headerOnlyDisk(2) };
/** Tomorrow: the certificates that are made here are good then. */
const now = Date.now() + 86_400_000;

/** Once for all, for it listens for signals. */
const usual = processIo();

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(words: readonly string[]): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const io: Io = { ...usual, workingFolder: work, out: (text) => (stdout += text), err: (text) => (stderr += text), now: () => now };
  return { status: await main(words, io), stdout, stderr };
}

async function bytesOf(tree: Tree): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of produce(layArchive(wellRead(ovaEntries(tree.files)), tree.mtime), blobsOf(disks))) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

t.test("the same bytes from a tree, a bundle's tar, its folder, and install.sh in four shells", async (t) => {
  for (const name of ["vsphere", "vcd"]) {
    const tree = treeOf(name, disks);
    const folder = join(work, name);
    mkdirSync(folder);
    const { tar, unpacked } = await writeSealed(tree, disks, folder);
    const expected = await bytesOf(tree);
    for (const [source, out] of [[tar, "from-tar.ova"], [unpacked, "from-folder.ova"]] as const) {
      const ran = await cli(["ova", source, "--trust", fingerprint, "--out", join(folder, out), "--quiet"]);
      t.equal(ran.status, 0, ran.stderr);
      t.match(ran.stdout, /^members {2}platformvm\.ovf, platformvm\.mf, vm-image\.vmdk, payload\.vmdk$/m);
      t.ok(readFileSync(join(folder, out)).equals(expected), `${name}: ${out}`);
      t.equal(statSync(join(folder, out)).mode & 0o777, 0o644);
    }
    for (const shell of [["dash"], ["busybox", "sh"], ["bash", "--posix"], ["ksh"]]) {
      const out = join(folder, `${shell[0]}.ova`);
      const ran = installer(shell, unpacked, ["--ova", out, "--trust", fingerprint]);
      t.equal(ran.status, 0, ran.stderr);
      t.equal(ran.stdout, `${out}\n`);
      t.ok(readFileSync(out).equals(expected), `${name}: ${shell.join(" ")}`);
    }
    t.strictSame(readdirSync(folder).filter((each) => each.includes(".part")), [], "nothing is left aside");
    listed(t, join(folder, "dash.ova"));
    t.strictSame((await checkOvf(ovaSource(expected))).flatMap((file) => file.issues), []);
  }
});

/** Two other readers of tar say what is in it. */
function listed(t: Test, ova: string): void {
  const names = ["platformvm.ovf", "platformvm.mf", "vm-image.vmdk", "payload.vmdk"];
  t.strictSame(execFileSync("tar", ["-tf", ova], { encoding: "utf8" }).trim().split("\n"), names);
  t.strictSame(execFileSync("bsdtar", ["-tf", ova], { encoding: "utf8" }).trim().split("\n"), names);
  const [first = ""] = execFileSync("tar", ["--numeric-owner", "--utc", "--full-time", "-tvf", ova], { encoding: "utf8" }).split("\n");
  t.match(first, /^-rw-r--r-- 0\/0 +\d+ 2026-11-24 00:00:00 platformvm\.ovf$/);
}

function installer(shell: readonly string[], folder: string, words: readonly string[]): Ran {
  const [program = "", ...before] = shell;
  const run = spawnSync(program, [...before, join(folder, "install.sh"), ...words], { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: work } });
  return { status: run.status ?? 255, stdout: run.stdout, stderr: run.stderr };
}

t.test("install.sh --ova refuses what is not so", (t) => {
  const folder = join(work, "vsphere/bundle");
  const refused = (words: readonly string[]): Ran => installer(["dash"], folder, words);
  t.match(refused(["--ova", "x.ova"]), { status: 1, stderr: /verify\/no-trust/ });
  t.match(refused(["--ova", join(work, "none/x.ova"), "--trust", fingerprint]), { status: 2, stderr: /usage\/ova: there is no folder/ });
  t.match(refused(["--ova", "x.ova", "--status"]), { status: 2, stderr: /--status and --ova exclude each other/ });
  t.match(refused(["--ova", "x.ova", "--check"]), { status: 2, stderr: /--check does not go with --ova/ });
  t.match(refused(["--ova"]), { status: 2, stderr: /--ova needs a value/ });
  t.match(refused(["--ova", "/dev/full/x.ova", "--trust", fingerprint]), { status: 2 });
  const script = readFileSync(join(folder, "lib/ova.sh"), "utf8");
  const large = spawnSync("dash", ["-c", `${script}\nhere=$1 work=$1 quiet=yes CB_OVF_FILE=a CB_OVF_MANIFEST=b CB_OVF_VM_IMAGE_FILE=c CB_OVF_PAYLOAD_FILE=d\nrun_open() { :; }; verify_bundle() { :; }; heading() { :; }; stop() { printf '%s %s\\n' "$2" "$3"; exit 1; }\nova_run`, "sh", sparse()], { encoding: "utf8" });
  t.match(large.stdout, /^ova\/too-big c has 8589934592 bytes; an OVA is a plain ustar archive/);
  t.end();
});

/** A folder whose files are small but for one of 8 GiB, of which nothing is on disk. */
function sparse(): string {
  const folder = join(work, "sparse");
  mkdirSync(folder);
  for (const name of ["a", "b", "d"]) writeFileSync(join(folder, name), "x");
  execFileSync("truncate", ["-s", "8589934592", join(folder, "c")]);
  return folder;
}

t.test("ova refuses what is not so", async (t) => {
  const tar = join(work, "vsphere/bundle.cloudlet.tar");
  t.match(await cli(["ova", tar]), { status: 1, stderr: /verify\/no-trust/ });
  t.match(await cli(["ova", tar, "--trust", `SHA256:${"0".repeat(64)}`]), { status: 1, stderr: /verify\/other-key/ });
  t.match(await cli(["ova", tar, "--trust", "SHA256:zz"]), { status: 2, stderr: /^cloudlet-bundle ova: a fingerprint is/ });
  t.match(await cli(["ova", tar, "--trust", fingerprint, "--ovf-certificate", "x"]), { status: 2, stderr: /--ovf-certificate is for specs/ });
  const without: Tree = { ...treeOf("vsphere", disks), files: treeOf("vsphere", disks).files.filter((file) => !file.path.startsWith("ovf/")) };
  const { unpacked } = await writeSealed(without, disks, join(work, "without"));
  t.match(await cli(["ova", unpacked, "--trust", fingerprint]), { status: 1, stderr: /holds no OVF package.*\[ovf\/no-package\]/ });
  const big = ovaEntries([{ path: "ovf/vm-image.vmdk", body: { kind: "blob", digest: `sha256:${"1".repeat(64)}`, size: 8_589_934_592 } }]);
  t.match(big.issues, [{ code: "ovf/too-big", message: /vm-image.vmdk has 8589934592 bytes/, hint: /folder ovf\// }]);
  t.end();
});

t.test("a manifest lists every file with its digest, as the parameter says", async (t) => {
  for (const [name, label, algorithm] of [["vsphere", "SHA256", "sha256"], ["vsphere-everything", "SHA1", "sha1"]] as const) {
    const tree = treeOf(name, disks);
    const text = (path: string): Buffer => {
      const body = tree.files.find((file) => file.path === path)?.body;
      return Buffer.from(body?.kind === "bytes" ? body.bytes : []);
    };
    const lines = [["platformvm.ovf", text("ovf/platformvm.ovf")], ["vm-image.vmdk", disks.vmImage], ["payload.vmdk", disks.payload]] as const;
    t.equal(text("ovf/platformvm.mf").toString(), lines.map(([file, bytes]) => `${label}(${file})= ${hexDigest(bytes, algorithm)}\n`).join(""), name);
  }
});

const openssl = (...words: readonly string[]): string => execFileSync("openssl", words, { cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

t.test("a certificate: OpenSSL finds the signature good, and it is the same each time", async (t) => {
  writeFileSync(join(work, "p256.pem"), signingKey);
  openssl("genrsa", "-out", "rsa.pem", "2048");
  const signer = wellRead(pemSigner(signingKey));
  const io: Io = { ...usual, workingFolder: work, now: () => now };
  const tree = treeOf("vsphere", disks);
  for (const kind of ["p256", "rsa"]) {
    openssl("req", "-x509", "-key", `${kind}.pem`, "-subj", "/CN=Edge", "-days", "36500", "-out", `${kind}.crt`);
    const options = kind === "rsa" ? { ovfCertificate: "rsa.crt", ovfKey: "rsa.pem" } : { ovfCertificate: "p256.crt" };
    const made = await withCertificate(io, tree, options, signer);
    const again = await withCertificate(io, tree, options, signer);
    const file = made.tree?.files.find((each) => each.path === "ovf/platformvm.cert");
    if (file?.body.kind !== "bytes" || made.tree === undefined || again.tree === undefined) throw new Error(JSON.stringify(made.reports));
    const text = Buffer.from(file.body.bytes).toString();
    const [, hex = "", pem = ""] = /^SHA256\(platformvm\.mf\)= ([0-9a-f]+)\n(-----BEGIN CERTIFICATE-----\n[^]*-----END CERTIFICATE-----\n)$/.exec(text) ?? [];
    const manifest = tree.files.find((each) => each.path === "ovf/platformvm.mf")?.body;
    writeFileSync(join(work, "signature"), Buffer.from(hex, "hex"));
    writeFileSync(join(work, "manifest"), manifest?.kind === "bytes" ? manifest.bytes : "");
    writeFileSync(join(work, "enclosed.crt"), pem);
    openssl("x509", "-in", "enclosed.crt", "-pubkey", "-noout", "-out", "public.pem");
    t.match(openssl("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "manifest"), /Verified OK/, kind);
    const ova = await bytesOf(made.tree);
    t.ok(ova.equals(await bytesOf(again.tree)), `${kind}: the same each time`);
    const files = await checkOvf(ovaSource(ova));
    t.strictSame(files.map((each) => [each.name, each.issues]), [["", []], ["platformvm.ovf", []], ["platformvm.mf", []], ["platformvm.cert", []]], kind);
    // Another manifest under the same certificate.
    const forged = Buffer.from(ova.toString("latin1").replace(/(SHA256\(payload\.vmdk\)= )./, "$1x"), "latin1");
    t.ok((await checkOvf(ovaSource(forged))).some((each) => each.issues.some((issue) => issue.code === "ovf/certificate")), `${kind}: forged`);
    const { tar } = await writeSealed(made.tree, disks, join(work, `certified-${kind}`));
    const rebuilt = await cli(["rebuild", tar, "--store", "absent", "--quiet"]);
    t.match(rebuilt, { status: 0, stdout: /^SAME: /m }, `${kind}: the certificate is taken over: ${rebuilt.stdout}${rebuilt.stderr}`);
    const ran = await cli(["ova", tar, "--trust", fingerprint, "--out", "certified.ova", "--quiet"]);
    t.match(ran.stdout, /platformvm\.mf, platformvm\.cert, vm-image\.vmdk/, ran.stderr);
    t.ok(readFileSync(join(work, "certified.ova")).equals(ova));
    const shell = installer(["busybox", "sh"], join(work, `certified-${kind}/bundle`), ["--ova", join(work, "shell.ova"), "--trust", fingerprint]);
    t.equal(shell.status, 0, shell.stderr);
    t.ok(readFileSync(join(work, "shell.ova")).equals(ova), `${kind}: install.sh`);
  }
});

t.test("a certificate that can't be: said by its code", async (t) => {
  const signer = wellRead(pemSigner(signingKey));
  const io = (at: number): Io => ({ ...usual, workingFolder: work, now: () => at });
  const tree = treeOf("vsphere", disks);
  writeFileSync(join(work, "ed25519.pem"), openssl("genpkey", "-algorithm", "ed25519"));
  const codes = async (options: Parameters<typeof withCertificate>[2], by: typeof signer | undefined, at = now, of = tree): Promise<readonly string[]> => {
    const made = await withCertificate(io(at), of, options, by);
    return made.reports.flatMap((report) => report.issues.map((issue) => `${issue.severity} ${issue.code}`));
  };
  t.strictSame(await codes({ ovfCertificate: "rsa.crt" }, signer), ["error ovf/certificate-key"], "the certificate of another key");
  t.strictSame(await codes({ ovfCertificate: "p256.crt" }, undefined), ["error ovf/certificate-key"], "no key");
  t.strictSame(await codes({ ovfCertificate: "p256.crt", ovfKey: "ed25519.pem" }, signer), ["error ovf/certificate-key"], "a key of another kind");
  t.strictSame(await codes({ ovfCertificate: "p256.crt", ovfKey: "p256.crt" }, signer), ["error ovf/certificate-key"], "no private key");
  t.strictSame(await codes({ ovfCertificate: "p256.pem" }, signer), ["error ovf/certificate-form"]);
  t.strictSame(await codes({ ovfCertificate: "p256.crt" }, signer, 0), ["warning ovf/certificate-time"]);
  const openstack: Tree = { ...tree, files: tree.files.filter((file) => !file.path.startsWith("ovf/")) };
  t.strictSame(await codes({ ovfCertificate: "p256.crt" }, signer, undefined, openstack), ["error ovf/no-package"]);
  t.strictSame(await codes({}, signer), []);
});
