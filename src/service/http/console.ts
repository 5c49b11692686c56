/** The web console: whatever is no address of the API is answered with its page, which knows its own addresses. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

export interface ConsoleFiles {
  /** False where the request is none for the console; else it is answered. */
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => boolean;
}

interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly compressed: Buffer;
  /** Its name has its hash. */
  readonly isHashed: boolean;
}

/** Of the program's own folder; a checkout that was not built has none. */
export function consoleFiles(packageFolder: string): ConsoleFiles {
  const files = filesIn(join(packageFolder, "dist/console"));
  const page = files.get("/index.html");
  return {
    answer: (request, reply) => {
      const path = pathOf(request.url);
      if (page === undefined || (request.method !== "GET" && request.method !== "HEAD") || ofTheApi.test(path)) return false;
      const file = files.get(path) ?? (path.startsWith("/assets/") ? undefined : page);
      if (file === undefined) return false;
      const takesGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
      const bytes = takesGzip ? file.compressed : file.bytes;
      void reply.headers({
        ...pageHeaders, "content-type": file.type, "cache-control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache", vary: "accept-encoding",
        "content-length": bytes.byteLength, ...(takesGzip ? { "content-encoding": "gzip" } : {}),
      }).code(200).send(request.method === "HEAD" ? "" : bytes);
      return true;
    },
  };
}

/** Ours and MobiledgeX's, and what is no path of anyone's. */
const ofTheApi = /^\/(?:\/|(?:v1|api)(?:\/|$))/;

/** Everything comes from the service, nothing is inline, and nobody may put the page into another. */
export const consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const pageHeaders = {
  "content-security-policy": consolePolicy,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
};

/** All of it is little, and is read once: who asks can't reach any other file. */
function filesIn(folder: string): ReadonlyMap<string, ConsoleFile> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const name = path.slice(folder.length);
    return [name, { type: types[extname(name)] ?? "application/octet-stream", bytes, compressed: gzipSync(bytes), isHashed: name.startsWith("/assets/") }];
  }));
}

function pathOf(url: string): string {
  return url.split("?")[0] ?? "";
}
