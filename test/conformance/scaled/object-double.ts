/** An S3-compatible object store in memory, for tests: as strict as a real one about signatures, ranges, parts and conditions. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface ObjectDouble {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  readonly objects: Map<string, Buffer>;
  /** Uploads that were begun and neither completed nor given up. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  readonly requests: { get: number; put: number; part: number; refused: number };
  /** What goes wrong next: once each, in this order. */
  readonly faults: Fault[];
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** `cut`: a GET ends half-way. `busy`: 503. `corrupt`: the bytes of a PUT arrive changed. */
export type Fault = "cut" | "busy" | "corrupt";

const minimumPart = 5 * 1024 * 1024;

export async function startObjects(port = 0): Promise<ObjectDouble> {
  const state = {
    url: "", accessKeyId: "AKIATEST", secretAccessKey: "a/secret+key", bucket: "bundles", objects: new Map<string, Buffer>(), uploads: new Map<string, Map<number, Buffer>>(),
    requests: { get: 0, put: 0, part: 0, refused: 0 }, faults: [] as Fault[],
  };
  let server: Server | undefined;
  const listen = (at: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server = createServer((request, response) => void answer(state, request, response).catch(() => response.destroy()));
      server.once("error", reject);
      server.listen(at, "127.0.0.1", () => {
        const address = server?.address();
        resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
      });
    });
  const bound = await listen(port);
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server?.close(() => resolve());
      server?.closeAllConnections();
    });
  state.url = `http://127.0.0.1:${bound}`;
  return { ...state, stop, start: async () => void (await listen(bound)) };
}

type State = Omit<ObjectDouble, "stop" | "start">;

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const url = new URL(request.url ?? "/", state.url);
  const refuse = (status: number, code: string): void => {
    state.requests.refused += 1;
    response.writeHead(status, { "content-type": "application/xml" }).end(request.method === "HEAD" ? "" : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  };
  if (state.faults[0] === "busy") {
    state.faults.shift();
    return refuse(503, "SlowDown");
  }
  if (state.faults[0] === "corrupt" && request.method === "PUT") {
    state.faults.shift();
    body[0] = (body[0] ?? 0) ^ 1;
  }
  const wrong = signatureFault(state, request, url, body);
  if (wrong !== undefined) return refuse(wrong === "XAmzContentSHA256Mismatch" ? 400 : 403, wrong);
  const [, bucket, ...rest] = decodeURIComponent(url.pathname).split("/");
  if (bucket !== state.bucket) return refuse(404, "NoSuchBucket");
  const key = rest.join("/");
  const query = url.searchParams;
  if (request.method === "GET" && key === "") return list(state, query, response);
  if (request.method === "POST" && query.has("uploads")) {
    const id = createHash("sha256").update(`${key}${state.uploads.size}${performance.now()}`).digest("hex").slice(0, 24);
    state.uploads.set(id, new Map());
    return void response.end(`<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  const upload = query.get("uploadId");
  if (upload !== null) return part(state, { upload, key, number: Number(query.get("partNumber")), body, method: request.method ?? "", isNew: request.headers["if-none-match"] === "*" }, response, refuse);
  if (request.method === "PUT") {
    state.requests.put += 1;
    if (request.headers["if-none-match"] === "*" && state.objects.has(key)) return refuse(412, "PreconditionFailed");
    state.objects.set(key, body);
    return void response.writeHead(200, { etag: etag(body) }).end();
  }
  const found = state.objects.get(key);
  if (found === undefined) return refuse(404, "NoSuchKey");
  if (request.method === "HEAD") return void response.writeHead(200, { "content-length": found.byteLength, etag: etag(found), "accept-ranges": "bytes" }).end();
  if (request.method === "DELETE") {
    state.objects.delete(key);
    return void response.writeHead(204).end();
  }
  if (request.method !== "GET") return refuse(405, "MethodNotAllowed");
  state.requests.get += 1;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "bytes=0-") ?? [];
  const start = Number(first);
  const end = Math.min(found.byteLength, last === "" || last === undefined ? found.byteLength : Number(last) + 1);
  if (start >= found.byteLength) return refuse(416, "InvalidRange");
  response.writeHead(206, { "content-length": end - start, "content-range": `bytes ${start}-${end - 1}/${found.byteLength}`, etag: etag(found) });
  if (state.faults[0] === "cut" && end - start > 1) {
    state.faults.shift();
    return void response.write(found.subarray(start, start + ((end - start) >> 1)), () => response.destroy());
  }
  response.end(found.subarray(start, end));
}

interface Part {
  readonly upload: string;
  readonly key: string;
  readonly number: number;
  readonly body: Buffer;
  readonly method: string;
  readonly isNew: boolean;
}

function part(state: State, { upload, key, number, body, method, isNew }: Part, response: ServerResponse, refuse: (status: number, code: string) => void): void {
  const parts = state.uploads.get(upload);
  if (parts === undefined) return refuse(404, "NoSuchUpload");
  if (method === "PUT") {
    state.requests.part += 1;
    parts.set(number, body);
    return void response.writeHead(200, { etag: etag(body) }).end();
  }
  if (method === "DELETE") {
    state.uploads.delete(upload);
    return void response.writeHead(204).end();
  }
  const named = [...body.toString().matchAll(/<Part>.*?<\/Part>/gs)].map(([text]) => ({ number: Number(/<PartNumber>(\d+)</.exec(text)?.[1]), tag: /<ETag>(.*?)<\/ETag>/.exec(text)?.[1]?.replaceAll("&quot;", '"') }));
  const found = named.map((each) => parts.get(each.number));
  if (found.length === 0 || found.some((each, index) => each === undefined || etag(each) !== named[index]?.tag)) return refuse(400, "InvalidPart");
  if (found.slice(0, -1).some((each) => (each?.byteLength ?? 0) < minimumPart)) return refuse(400, "EntityTooSmall");
  if (isNew && state.objects.has(key)) return refuse(412, "PreconditionFailed");
  state.objects.set(key, Buffer.concat(found as Buffer[]));
  state.uploads.delete(upload);
  response.end(`<CompleteMultipartUploadResult><Bucket>${state.bucket}</Bucket><Key>${key}</Key><ETag>&quot;x-${found.length}&quot;</ETag></CompleteMultipartUploadResult>`);
}

/** Few a page, so that whoever lists has to go on. */
const pageKeys = 5;

function list(state: State, query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("continuation-token") ?? "";
  const keys = [...state.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, pageKeys);
  const isCut = keys.length > page.length;
  response.end(
    `<ListBucketResult><Name>${state.bucket}</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${isCut}</IsTruncated>${isCut ? `<NextContinuationToken>${page.at(-1) ?? ""}</NextContinuationToken>` : ""}${page.map((key) => `<Contents><Key>${key}</Key><Size>${state.objects.get(key)?.byteLength ?? 0}</Size></Contents>`).join("")}</ListBucketResult>`,
  );
}

function etag(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

/** Signature Version 4 (docs.aws.amazon.com: "Authenticating Requests"), with the digest of the body in it. Undefined where it is right. */
function signatureFault(state: State, request: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const [, id, date, region, names, given] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? "") ?? [];
  if (id === undefined || date === undefined || region === undefined || names === undefined || given === undefined) return "AccessDenied";
  if (id !== state.accessKeyId) return "InvalidAccessKeyId";
  const digest = String(request.headers["x-amz-content-sha256"]);
  if (!names.split(";").includes("host") || !names.split(";").includes("x-amz-content-sha256")) return "AccessDenied";
  if (digest !== createHash("sha256").update(body).digest("hex")) return "XAmzContentSHA256Mismatch";
  const time = String(request.headers["x-amz-date"]);
  const encoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort().join("&");
  const headers = names.split(";").map((name) => `${name}:${String(request.headers[name] ?? "").trim()}\n`).join("");
  const canonical = [request.method, url.pathname, query, headers, names, digest].join("\n");
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [date, region, "s3", "aws4_request"].reduce<Buffer | string>((secret, piece) => createHmac("sha256", secret).update(piece).digest(), `AWS4${state.secretAccessKey}`);
  return timingSafeEqual(createHmac("sha256", key).update(text).digest(), Buffer.from(given, "hex")) ? undefined : "SignatureDoesNotMatch";
}
