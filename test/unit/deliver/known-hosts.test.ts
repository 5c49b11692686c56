/** known_hosts: what OpenSSH's own format means, odd lines among it, and what a key is refused for. */

import { createHmac } from "node:crypto";
import t from "tap";
import { hostKeys, keyFingerprint, readPin } from "../../../src/deliver/host-keys.ts";
import { judgeHostKey, keyTypeOf, knownTypes, parseKnownHosts } from "../../../src/deliver/known-hosts.ts";

/** A key of a type with a body of its own. */
function key(type: string, body: string): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return new Uint8Array(Buffer.concat([length, Buffer.from(type), Buffer.from(body)]));
}

function text(each: Uint8Array): string {
  return `${keyTypeOf(each)} ${Buffer.from(each).toString("base64")}`;
}

function hashed(name: string, salt = "salt of twenty bytes"): string {
  return `|1|${Buffer.from(salt).toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

const ed = key("ssh-ed25519", "one");
const other = key("ssh-ed25519", "two");
const rsa = key("ssh-rsa", "three");
const at = (host: string, port = 22) => ({ user: "ops", host, port });

function verdict(lines: readonly string[], host: string, port = 22, shown = ed): string {
  return judgeHostKey(parseKnownHosts(lines.join("\n"), "f"), at(host, port), shown).kind;
}

t.test("names, lists, patterns, ports", (t) => {
  const cases: readonly (readonly [string, string, number, string])[] = [
    [`jump ${text(ed)}`, "jump", 22, "known"],
    [`jump ${text(ed)}`, "JUMP", 22, "known"],
    [`JUMP ${text(ed)}`, "jump", 22, "known"],
    [`jump\t${text(ed)} a comment with words`, "jump", 22, "known"],
    [`  jump,10.0.0.5   ${text(ed)}\r`, "10.0.0.5", 22, "known"],
    [`jump ${text(ed)}`, "jump2", 22, "unknown"],
    [`jum ${text(ed)}`, "jump", 22, "unknown"],
    [`*.example.org ${text(ed)}`, "a.b.example.org", 22, "known"],
    [`*.example.org ${text(ed)}`, "example.org", 22, "unknown"],
    [`a.example.org ${text(ed)}`, "axexample.org", 22, "unknown"],
    [`10.0.0.? ${text(ed)}`, "10.0.0.5", 22, "known"],
    [`10.0.0.? ${text(ed)}`, "10.0.0.55", 22, "unknown"],
    [`*,!jump ${text(ed)}`, "jump", 22, "unknown"],
    [`!jump,* ${text(ed)}`, "jump", 22, "unknown"],
    [`!other,* ${text(ed)}`, "jump", 22, "known"],
    [`!other ${text(ed)}`, "jump", 22, "unknown"],
    [`[jump]:2222 ${text(ed)}`, "jump", 2222, "known"],
    [`[jump]:2222 ${text(ed)}`, "jump", 22, "unknown"],
    [`[jump]:2222 ${text(ed)}`, "jump", 2223, "unknown"],
    [`jump ${text(ed)}`, "jump", 2222, "known"],
    [`2001:db8::1 ${text(ed)}`, "2001:DB8::1", 22, "known"],
    [`[2001:db8::1]:2222 ${text(ed)}`, "2001:db8::1", 2222, "known"],
    [`${hashed("jump")} ${text(ed)}`, "jump", 22, "known"],
    [`${hashed("jump")} ${text(ed)}`, "pump", 22, "unknown"],
    [`${hashed("[jump]:2222")} ${text(ed)}`, "jump", 2222, "known"],
    [`|2|abc|def ${text(ed)}`, "jump", 22, "unknown"],
    [`|1|abc ${text(ed)}`, "jump", 22, "unknown"],
  ];
  for (const [line, host, port, kind] of cases) t.equal(verdict([line], host, port), kind, `${line.slice(0, 40)} | ${host}:${port}`);
  t.end();
});

t.test("a key of the same type that is another one has changed; what is known by the bare name says nothing against another port", (t) => {
  t.equal(verdict([`jump ${text(other)}`], "jump"), "changed");
  t.equal(verdict([`jump ${text(other)}`, `jump ${text(ed)}`], "jump"), "known");
  t.equal(verdict([`jump ${text(rsa)}`], "jump"), "other-type");
  t.equal(verdict([`jump ${text(other)}`], "jump", 2222), "unknown");
  t.equal(verdict([`[jump]:2222 ${text(other)}`, `jump ${text(ed)}`], "jump", 2222), "changed");
  t.end();
});

t.test("markers", (t) => {
  t.equal(verdict([`@revoked * ${text(ed)}`, `jump ${text(ed)}`], "jump"), "revoked");
  t.equal(verdict([`jump ${text(ed)}`, `@revoked jump ${text(ed)}`], "jump"), "revoked");
  t.equal(verdict([`@revoked jump ${text(ed)}`, `jump ${text(ed)}`], "jump", 2222), "revoked");
  t.equal(verdict([`@revoked * ${text(other)}`, `jump ${text(ed)}`], "jump"), "known");
  t.equal(verdict([`@cert-authority * ${text(ed)}`], "jump"), "cert-authority");
  t.equal(verdict([`@cert-authority * ${text(rsa)}`, `jump ${text(ed)}`], "jump"), "known");
  t.equal(verdict([`@strange jump ${text(ed)}`], "jump"), "unknown");
  t.end();
});

t.test("lines that are none are passed over", (t) => {
  const odd = ["", "#jump ssh-ed25519 AAAA", "jump", "jump ssh-ed25519", "jump ssh-ed25519 !!!!", `jump ssh-rsa ${text(ed).split(" ")[1]}`, "jump 1024 35 1234567", "@", "jump ssh-ed25519 AAAA", "\u0000\u0001"];
  t.strictSame(parseKnownHosts(odd.join("\n"), "f"), []);
  const [line] = parseKnownHosts([...odd, `jump ${text(ed)}`].join("\n"), "f");
  t.equal(line?.where, `f:${odd.length + 1}`);
  t.equal(keyTypeOf(new Uint8Array([0, 0, 0, 200, 1])), "");
  t.equal(keyTypeOf(new Uint8Array()), "");
  t.end();
});

t.test("a host is asked for the type that is known of it", (t) => {
  const hosts = parseKnownHosts([`jump ${text(rsa)}`, `[jump]:2222 ${text(ed)}`].join("\n"), "f");
  t.strictSame(knownTypes(hosts, at("jump")), ["ssh-rsa"]);
  t.strictSame(knownTypes(hosts, at("jump", 2222)), ["ssh-ed25519"]);
  t.strictSame(knownTypes(hosts, at("jump", 2223)), ["ssh-rsa"]);
  const [first] = hostKeys(hosts, new Map()).algorithms(at("jump"));
  t.strictSame(first?.slice(0, 3), ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
  t.notOk(first?.includes("ssh-rsa"), "no SHA-1");
  t.ok(hostKeys(hosts, new Map([["jump", "SHA256:x"]])).algorithms(at("jump")).length > 3, "a fingerprint tells no type");
  t.end();
});

t.test("each refusal shows what the host has shown, and what to do", (t) => {
  const refuse = (lines: readonly string[], pins: readonly (readonly [string, string])[] = []) => hostKeys(parseKnownHosts(lines.join("\n"), "known"), new Map(pins)).refuse(at("jump", 2222), ed);
  t.match(refuse([])?.message, `is not known (ssh-ed25519 ${keyFingerprint(ed)})`);
  t.match(refuse([])?.hint, `[jump]:2222 ${text(ed)}`);
  t.match(refuse([`[jump]:2222 ${text(other)}`])?.message, /HAS CHANGED.*known:1 has another/);
  t.match(refuse([`[jump]:2222 ${text(other)}`])?.hint, "ssh-keygen -R '[jump]:2222'");
  t.match(refuse([`@cert-authority * ${text(ed)}`])?.hint, "--transport openssh");
  t.equal(refuse([], [["[jump]:2222", keyFingerprint(ed)]]), undefined);
  t.match(refuse([`[jump]:2222 ${text(ed)}`], [["[jump]:2222", keyFingerprint(other)]])?.message, "has no host key with the fingerprint", "a pin counts alone");
  t.match(refuse([`@revoked * ${text(ed)}`], [["[jump]:2222", keyFingerprint(ed)]])?.message, "is revoked", "but for a key that was taken back");
  t.end();
});

t.test("pins", (t) => {
  const fingerprint = keyFingerprint(ed);
  t.strictSame(readPin(fingerprint, at("jump", 2222)), ["[jump]:2222", fingerprint]);
  t.strictSame(readPin(`Bastion=${fingerprint}`, at("jump")), ["bastion", fingerprint]);
  t.strictSame(readPin(`bastion:2200=${fingerprint}`, at("jump")), ["[bastion]:2200", fingerprint]);
  t.strictSame(readPin(`[2001:db8::1]:22=${fingerprint}`, at("jump")), ["2001:db8::1", fingerprint]);
  for (const wrong of ["", "SHA256:", "SHA256:abc", `MD5:${fingerprint}`, `=${fingerprint}`, `${fingerprint}x`, fingerprint.slice(0, -1)]) t.equal(readPin(wrong, at("jump")), undefined, wrong);
  t.end();
});
