/** A bundle from a pipe, and from a web server by ranges: the same files, and an honest word where it can't be read so. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { encodeHeader, endSize, paddingOf } from "../../../src/pack/tar.ts";
import type { Place } from "../../../src/seal/bundle-source.ts";
import { contentsOf, piecesIn, textIn } from "../../../src/seal/contents.ts";
import { openStream } from "../../../src/store/bundle-stream.ts";
import { openUrl } from "../../../src/store/bundle-url.ts";
import { sendThrough } from "../../../src/store/sources/http-send.ts";

const mebibyte = 1_048_576;
/** Small files, then a blob that is not kept: what a bundle looks like. */
const files = [["a.txt", Buffer.from("first\n")], ["z.txt", Buffer.alloc(70 * mebibyte, "z")], ["blobs/b", Buffer.alloc(9 * mebibyte, "blob")]] as const;
const tar = Buffer.concat([
  ...files.flatMap(([path, bytes]) => [encodeHeader({ path, mode: 0o644, size: bytes.byteLength, mtime: 0 }), bytes, Buffer.alloc(paddingOf(bytes.byteLength))]),
  Buffer.alloc(endSize),
]);

async function* pieces(bytes: Uint8Array, size = 65_521): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

t.test("a pipe: the small files can be gone back to, a blob can't", async (t) => {
  const source = await openStream(pieces(tar));
  const contents = await contentsOf(source);
  if (!contents.ok) throw new Error(JSON.stringify(contents.issues));
  t.strictSame(contents.value.files.map((file) => [file.path, file.size]), files.map(([path, bytes]) => [path, bytes.byteLength]));
  t.equal(contents.value.manifest, undefined);
  t.match(await textIn(contents.value, "a.txt"), { ok: true, value: "first\n" });
  t.match(await textIn(contents.value, "none"), { ok: false, issues: [{ code: "verify/missing-file" }] });
  t.match(await textIn(contents.value, "z.txt"), { ok: false, issues: [{ code: "verify/too-big" }] });
  const long = contents.value.found.get("z.txt")?.place;
  t.equal(Buffer.from(await source.read({ file: "", start: (long?.end ?? 0) - 3, end: long?.end ?? 0 })).toString(), "zzz", "however far in a small file lies");
  const blob = contents.value.files[2];
  if (blob === undefined) throw new Error("no blob");
  await t.rejects(source.read(blob.place), { name: "EnvironmentError", message: /can't be gone back in/ });
});

/** As standard input gives them: each piece in the memory of the one before. */
async function* inOneBuffer(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(size);
  for await (const piece of pieces(bytes, size)) {
    buffer.fill(0xff).set(piece);
    yield buffer.subarray(0, piece.byteLength);
  }
}

t.test("a pipe whose pieces lie in one buffer: what is kept, what is read and what is hashed is copied in time", async (t) => {
  for (const size of [65_536, 5_001]) {
    const source = await openStream(inOneBuffer(tar, size));
    const places = [];
    let start = 0;
    for (const [, bytes] of files) {
      const place = { file: "", start: start + 512, end: start + 512 + bytes.byteLength };
      places.push(place);
      start = place.end + paddingOf(bytes.byteLength);
    }
    const [first, middle, last] = places as [Place, Place, Place];
    const wanted = (index: number): string => createHash("sha256").update(files[index]?.[1] ?? "").digest("hex");
    t.strictSame(await source.hash([middle]), [wanted(1)]);
    t.equal(createHash("sha256").update(await source.read(last)).digest("hex"), wanted(2));
    t.equal(Buffer.from(await source.read(first)).toString(), "first\n");
  }
});

t.test("the small files alone: neither a pipe nor a server is asked for what is behind the first blob's header", async (t) => {
  const small = [["a.txt", Buffer.from("first\n")], ["blobs/b", Buffer.alloc(0)]] as const;
  const size = 4 * mebibyte;
  const head = Buffer.concat(small.flatMap(([path, bytes]) => [encodeHeader({ path, mode: 0o644, size: path === "blobs/b" ? size : bytes.byteLength, mtime: 0 }), bytes, Buffer.alloc(paddingOf(bytes.byteLength))]));
  const whole = Buffer.concat([head, Buffer.alloc(size + endSize)]);
  let given = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(whole, 4_096)) {
      given += piece.byteLength;
      yield piece;
    }
  }
  const piped = await contentsOf(await openStream(counted()), "small");
  t.strictSame(piped.ok && piped.value.files.map((file) => file.path), ["a.txt"]);
  t.ok(given <= 12_288, `${given} bytes`);
  const { url, asked } = await serve(t, ranges(whole));
  const served = await contentsOf(await openUrl(from(url)), "small");
  t.strictSame(served.ok && served.value.files.map((file) => file.path), ["a.txt"]);
  t.strictSame(asked, ["bytes=0-262143"]);
});

t.test("a pipe: cut short, longer, empty, no bundle", async (t) => {
  const codes = async (bytes: Uint8Array): Promise<readonly string[]> => (await contentsOf(await openStream(pieces(bytes, 700)))).issues.map((issue) => `${issue.code} ${issue.message}`);
  const small = tar.subarray(0, 1_024);
  const whole = Buffer.concat([small, Buffer.alloc(endSize)]);
  t.strictSame(await codes(whole), []);
  for (const bytes of [Buffer.alloc(0), small, small.subarray(0, 600), whole.subarray(0, whole.byteLength - 1)]) {
    t.match(await codes(bytes), [/^verify\/archive-size the archive ends early/], `${bytes.byteLength} bytes`);
  }
  t.match(await codes(Buffer.concat([whole, Buffer.alloc(7)])), [/^verify\/archive-size 7 bytes follow/]);
  t.match(await codes(Buffer.concat([whole, Buffer.alloc(9_000)])), [/^verify\/archive-size bytes follow/]);
  t.match(await codes(Buffer.alloc(9_000, "x")), [/^verify\/archive-header/]);
});

t.test("a pipe of gigabytes is not held in memory", async (t) => {
  const size = 4 * 1024 * mebibyte;
  const zeros = Buffer.alloc(mebibyte);
  async function* big(): AsyncGenerator<Uint8Array> {
    yield encodeHeader({ path: "blobs/b", mode: 0o644, size, mtime: 0 });
    for (let left = size; left > 0; left -= zeros.byteLength) yield zeros.subarray();
    yield Buffer.alloc(endSize);
  }
  // The same bytes again and again cost nothing; what is counted is how many pieces are held.
  const contents = await contentsOf(await openStream(big()));
  t.equal(contents.ok && contents.value.files[0]?.size, size);
});

interface Served {
  readonly url: URL;
  readonly asked: string[];
}

async function serve(t: Test, answer: (request: IncomingMessage, response: ServerResponse, asked: readonly string[]) => void): Promise<Served> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range ?? "all");
    answer(request, response, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return { url: new URL(`http://user:word@127.0.0.1:${(server.address() as AddressInfo).port}/b.tar?key=1`), asked };
}

function ranges(bytes: Uint8Array, tag: () => string = () => '"one"') {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(from), Math.min(Number(to) + 1, bytes.byteLength)];
    const ifRange = request.headers["if-range"];
    if (ifRange !== undefined && ifRange !== tag()) return void response.writeHead(200, { etag: tag(), "content-length": bytes.byteLength }).end();
    response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.byteLength}`, "content-length": end - start, etag: tag(), connection: "close" });
    response.end(bytes.subarray(start, end));
  };
}

const patience = { tries: 2, pauseMs: 5, idleMs: 5_000 };
const from = (url: URL) => ({ url, send: sendThrough({}), signal: new AbortController().signal, patience });

t.test("a web server: headers and what is asked for, by ranges", async (t) => {
  const { url, asked } = await serve(t, ranges(tar));
  const source = await openUrl(from(url));
  t.equal(source.size, tar.byteLength);
  const contents = await contentsOf(source);
  if (!contents.ok) throw new Error(JSON.stringify(contents.issues));
  t.strictSame(contents.value.files.map((file) => file.path), files.map(([path]) => path));
  t.match(await textIn(contents.value, "a.txt"), { ok: true, value: "first\n" });
  t.ok(asked.length <= 5, `${asked.length} requests of 256 KiB for 80 MiB`);
  const blob = contents.value.files[2];
  if (blob === undefined) throw new Error("no blob");
  const got: Uint8Array[] = [];
  for await (const piece of piecesIn(contents.value, blob)) got.push(piece);
  t.ok(Buffer.concat(got).equals(files[2][1]), "a whole blob");
  const [, first] = files[0];
  t.strictSame(await source.hash([{ file: "", start: 512, end: 512 + first.byteLength }]), [createHash("sha256").update(first).digest("hex")]);
});

t.test("a web server that has no ranges, changes the file, fails, or lies", async (t) => {
  const plain = await serve(t, (_, response) => response.end(tar.subarray(0, 2_000)));
  await t.rejects(openUrl(from(plain.url)), { name: "EnvironmentError", message: /gives no ranges/, hint: /curl URL \| cloudlet-bundle inspect -/ });
  let tag = '"one"';
  const changing = await serve(t, ranges(tar, () => tag));
  const source = await openUrl(from(changing.url));
  tag = '"two"';
  await t.rejects(source.read({ file: "", start: 40 * mebibyte, end: 40 * mebibyte + 5 }), { message: /has become another file meanwhile/ });
  const absent = await serve(t, (_, response) => response.writeHead(404).end());
  await t.rejects(openUrl(from(absent.url)), { name: "EnvironmentError", message: /^http:\/\/127\.0\.0\.1:\d+\/b\.tar: the server answers 404/ }, "and no user, password or query is told");
  const failing = await serve(t, (request, response, asked) => (asked.length < 2 ? response.writeHead(503).end() : ranges(tar)(request, response)));
  t.equal((await openUrl(from(failing.url))).size, tar.byteLength, "a server that fails once is asked again");
  const other = await serve(t, (_, response) => response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("12345"));
  await t.rejects(openUrl(from(other.url)), { message: /range is not the one that was asked for/ });
  const short = await serve(t, (_, response) => response.writeHead(206, { "content-range": "bytes 0-99/100" }).end("12345"));
  await t.rejects(openUrl(from(short.url)), { name: "EnvironmentError", message: /less than the 100 bytes/ });
});

t.test("a web server that passes over If-Range: another state of the file is known by its tag or its time", async (t) => {
  const states = [
    [{ etag: '"one"' }, { etag: '"two"' }],
    [{ etag: 'W/"one"' }, { etag: 'W/"two"' }],
    [{ "last-modified": "Tue, 24 Nov 2026 00:00:00 GMT" }, { "last-modified": "Tue, 24 Nov 2026 00:00:01 GMT" }],
  ] as const;
  for (const [before, after] of states) {
    let state: Readonly<Record<string, string>> = before;
    const careless = await serve(t, (request, response) => {
      const [, first = "0", last = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const bytes = tar.subarray(Number(first), Number(last) + 1);
      response.writeHead(206, { ...state, "content-range": `bytes ${first}-${Number(first) + bytes.byteLength - 1}/${tar.byteLength}` }).end(bytes);
    });
    const source = await openUrl(from(careless.url));
    t.equal((await source.read({ file: "", start: 9 * mebibyte, end: 9 * mebibyte + 5 })).byteLength, 5);
    state = after;
    await t.rejects(source.read({ file: "", start: 40 * mebibyte, end: 40 * mebibyte + 5 }), { message: /has become another file meanwhile/ });
  }
});

t.test("a web server that gives less than it was asked for is asked for the rest (RFC 9110 section 15.3.7)", async (t) => {
  const sparing = await serve(t, (request, response) => {
    const [, first = "0", last = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const bytes = tar.subarray(Number(first), Math.min(Number(last) + 1, Number(first) + 100_000));
    response.writeHead(206, { "content-range": `bytes ${first}-${Number(first) + bytes.byteLength - 1}/${tar.byteLength}` }).end(bytes);
  });
  const source = await openUrl(from(sparing.url));
  t.ok(Buffer.from(await source.read({ file: "", start: 1_000, end: 600_000 })).equals(tar.subarray(1_000, 600_000)));
  t.strictSame(sparing.asked.slice(0, 3), ["bytes=0-262143", "bytes=100000-262143", "bytes=200000-262143"]);
  const more = await serve(t, (_, response) => response.writeHead(206, { "content-range": `bytes 0-262144/${tar.byteLength}` }).end(tar.subarray(0, 262_145)));
  await t.rejects(openUrl(from(more.url)), { message: /range is not the one that was asked for/ });
});
