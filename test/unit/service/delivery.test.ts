/** Parts of a delivery: lines of a log that goes on elsewhere, the service's own copy, and what a request says of the way. */

import { createHash, generateKeyPairSync } from "node:crypto";
import t from "tap";
import type { TarSource } from "../../../src/deliver/tar-source.ts";
import { askedTar } from "../../../src/service/delivery/asked-tar.ts";
import type { FromCourier, TarFile } from "../../../src/service/delivery/courier-messages.ts";
import { logLines } from "../../../src/service/delivery/log-lines.ts";
import { digestOfWhole } from "../../../src/service/delivery/whole-tar.ts";
import { readAuth, readWay } from "../../../src/service/http/delivery-request.ts";

const { signal } = new AbortController();
const hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

t.test("lines of a log, wherever it is cut, each with its end; one goes on from there without a byte twice", (t) => {
  const log = Buffer.from("verify\n    grün\r\n\n\u001b[31mred\u001b[0m\rhalf a line");
  const all: [string, number][] = [];
  for (const size of [1, 2, 5, 100]) {
    const told: [string, number][] = [];
    const lines = logLines(0, (text, at) => void told.push([text, at]));
    for (let at = 0; at < log.length; at += size) lines.take(log.subarray(at, at + size));
    lines.end();
    if (all.length === 0) all.push(...told);
    t.strictSame(told, all, `pieces of ${size}`);
  }
  t.strictSame(all.map(([text]) => text), ["verify", "    grün", "red", "half a line"]);
  const from = all[1]?.[1] ?? 0;
  const rest: string[] = [];
  const lines = logLines(from, (text) => void rest.push(text));
  lines.take(log.subarray(from));
  lines.end();
  t.strictSame(rest, ["red", "half a line"]);
  const long: number[] = [];
  logLines(0, (text) => void long.push(text.length)).take(Buffer.alloc(70_000, "x"));
  t.strictSame(long, [70_000], "one without an end is one anyway");
  t.end();
});

t.test("the service's own copy: whole, or named", async (t) => {
  const tar = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251));
  const source = (bytes: Buffer): TarSource => ({ size: bytes.length, check: () => Promise.resolve(), async *read(from, to) { for (let at = from; at < to; at += 700) yield bytes.subarray(at, Math.min(to, at + 700)); } });
  const file = (path: string, start: number, size: number): TarFile => ({ path, start, size, sha256: hex(tar.subarray(start, start + size)) });
  const files = [file("a", 512, 1), file("empty", 600, 0), file("b", 699, 2), file("c", 1_400, 2_100), file("d", 3_500, 700)];
  t.equal(await digestOfWhole(source(tar), files, signal, () => undefined), hex(tar));
  for (const [at, path] of [[512, "a"], [700, "b"], [3_499, "c"], [4_199, "d"]] as const) {
    const bad = Buffer.from(tar);
    bad[at] = (bad[at] ?? 0) ^ 1;
    await t.rejects(digestOfWhole(source(bad), files, signal, () => undefined), { message: new RegExp(`own copy of ${path} is not as it was made`) }, path);
  }
  await t.rejects(digestOfWhole(source(tar.subarray(0, 4_000)), files, signal, () => undefined), { message: /own copy of d/ });
});

t.test("bytes are asked for one stretch ahead, and a copy that can't be read is told", async (t) => {
  const bytes = Buffer.alloc(1_200_000, 7);
  const asked: Extract<FromCourier, { type: "read" }>[] = [];
  const tar = askedTar(bytes.length, (message) => {
    if (message.type !== "read") return;
    asked.push(message);
    setImmediate(() => tar.take({ type: "bytes", number: message.number, bytes: message.to > 1_100_000 ? undefined : bytes.subarray(message.from, message.to) }));
  });
  let size = 0;
  await t.rejects((async () => {
    for await (const piece of tar.read(5, bytes.length)) size += piece.byteLength;
  })(), { name: "EnvironmentError" });
  t.equal(size, 1_048_576);
  t.strictSame(asked.map(({ from, to }) => [from, to]), [[5, 524_293], [524_293, 1_048_581], [1_048_581, 1_200_000]]);
});

const problems = (work: () => unknown): readonly string[] => {
  try {
    work();
    return [];
  } catch (error) {
    return (error as { readonly issues?: readonly { readonly pointer: string }[] }).issues?.map(({ pointer }) => pointer) ?? [String(error)];
  }
};

t.test("the way to a host: every mistake at its place", (t) => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINv17UM6QhqVhmqnDSsjb0neROxNF0eXgiId6K3nRTjR";
  const pin = `SHA256:${"A".repeat(43)}`;
  t.strictSame(readWay({ host: "ops@jump.example:2222", jumps: ["me@bastion"], hostKeys: `# by telephone\n${key} root@jump\nbastion ${key}\nbastion=${pin}\n` }), {
    target: "ops@jump.example:2222", jumps: ["me@bastion"], knownHosts: `[jump.example]:2222 ${key}\nbastion ${key}`, pins: [["bastion", pin]],
  });
  t.strictSame(problems(() => readWay({ host: "jump.example", jumps: ["a@b:0", "c@d"], hostKeys: "" })), ["/host", "/jumps/0"]);
  for (const wrong of ["SHA256:short", "yes", "ssh-ed25519 AAAA", `ssh-rsa ${key.split(" ")[1] ?? ""}`, "MD5:aa:bb"]) t.strictSame(problems(() => readWay({ host: "a@b", hostKeys: wrong })), ["/hostKeys"], wrong);
  t.strictSame(problems(() => readWay({ host: "a@b", hostKeys: "\n#\n" })), ["/hostKeys"]);
  t.strictSame(problems(() => readWay({ host: "-oProxyCommand=x@b", hostKeys: pin })), ["/host"]);
  t.end();
});

t.test("a login for each hop; the password is the host's own", (t) => {
  const privateKey = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  t.strictSame(readAuth({ privateKey, password: "p" }, 2), [{ privateKey }, { privateKey }, { privateKey, password: "p" }]);
  t.strictSame(readAuth({ password: "p", jumps: [{ password: "q" }] }, 1), [{ password: "q" }, { password: "p" }]);
  t.strictSame(problems(() => readAuth({}, 0)), ["/auth"]);
  t.strictSame(problems(() => readAuth({ password: "p" }, 1)), ["/auth/jumps"]);
  t.strictSame(problems(() => readAuth({ privateKey: "ssh-ed25519 AAAA", jumps: [{}] }, 2)), ["/auth", "/auth/jumps", "/auth/jumps/0"]);
  t.strictSame(problems(() => readAuth({ password: "p", passphrase: "x" }, 0)), ["/auth"]);
  t.end();
});
