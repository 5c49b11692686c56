/** A service in this process, for tests: asked without a network where none is needed, and every answer held against its own description. */

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Test } from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { canonicalJson, type JsonObject } from "../../../src/core/json.ts";
import { drawingIn } from "../../../src/service/jobs/drawing.ts";
import { openService, type Service, type ServiceOptions } from "../../../src/service/service.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { resolve } from "../../../src/store/resolve.ts";
import { placeOf, pushed } from "./place.ts";

export const root = join(import.meta.dirname, "../../..");

export interface Asked {
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as application/yaml. */
  readonly yaml?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  /** Of a JSON answer. */
  readonly json: JsonObject;
}

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Running {
  readonly service: Service;
  readonly folder: string;
  readonly ask: (method: Method, path: string, asked?: Asked) => Promise<Answer>;
  /** Every line of the log so far. */
  readonly log: string[];
  /** Every secret that was given or got: none may be in the log. */
  readonly secrets: Set<string>;
  /** A token of this person, who is made, invited and let in. */
  readonly person: (name: string, more?: { readonly platformRole?: "admin" | "auditor"; readonly organization?: string; readonly role?: string }) => Promise<string>;
  /** The administrator's token. */
  readonly admin: string;
  readonly close: () => Promise<void>;
}

/** One thread for the services of a test: it takes longer to start than they do. */
const drawing = drawingIn(root);

/** Cheap, and as scrypt as the real ones. */
const cheap = { logN: 4, r: 1, p: 1 };

export async function startService(t: Test, options: Partial<ServiceOptions> = {}): Promise<Running> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "cloudlet-service-"));
  const log: string[] = [];
  const secrets = new Set<string>();
  const service = await openService({
    folder, packageFolder: root, now: () => Date.now(), random: (bytes) => new Uint8Array(randomBytes(bytes)), writeLog: (line) => void log.push(line),
    passwordCost: cheap, drawing, ...options, ...(await placeOf(folder, options.signer)), limits: { requestsPerMinute: 1_000_000, ...options.limits },
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await service.close(0);
  };
  t.teardown(async () => {
    await close();
    for (const secret of secrets) if (log.join("").includes(secret)) t.fail(`the log has a secret: ${secret}`);
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  });
  const check = judge(service);
  const ask = async (method: Method, path: string, asked: Asked = {}): Promise<Answer> => {
    const { token, json, yaml, body, headers = {}, address } = asked;
    const type = json !== undefined ? "application/json" : yaml !== undefined ? "application/yaml" : undefined;
    const answer = await service.app.inject({
      method, url: path,
      ...(address === undefined ? {} : { remoteAddress: address }),
      headers: { ...(type === undefined ? {} : { "content-type": type }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(json !== undefined ? { payload: JSON.stringify(json) } : yaml !== undefined ? { payload: yaml } : body !== undefined ? { payload: body } : {}),
    });
    const text = answer.payload;
    const isJson = /json(;|$)/.test(String(answer.headers["content-type"] ?? "")) && text !== "";
    const made: Answer = { status: answer.statusCode, headers: answer.headers as Answer["headers"], text, bytes: answer.rawPayload, json: isJson ? jsonOf(text) : {} };
    const wrong = check(method, path, made);
    if (wrong !== undefined) t.fail(wrong);
    for (const found of text.matchAll(/cb[stid]_[A-Za-z0-9_-]{43}|-----BEGIN PRIVATE KEY-----\\n[A-Za-z0-9+/]+/g)) secrets.add(found[0]);
    return made;
  };
  const enter = async (invitation: string, name: string): Promise<string> => {
    const password = `${name}'s long password ${randomBytes(4).toString("hex")}`;
    secrets.add(password).add(invitation);
    const set = await ask("POST", "/v1/setup", { json: { token: invitation, name, password } });
    if (set.status !== 204) throw new Error(set.text);
    return String((await ask("POST", "/v1/sessions", { json: { name, password } })).json["token"]);
  };
  const admin = service.invitation === undefined ? "" : await enter(service.invitation, "root");
  const person: Running["person"] = async (name, { platformRole, organization, role = "viewer" } = {}) => {
    const added = await ask("POST", "/v1/users", { token: admin, json: { name, ...(platformRole === undefined ? {} : { platformRole }) } });
    const token = await enter(String(added.json["invitation"]), name);
    if (organization !== undefined) await ask("PUT", `/v1/organizations/${encodeURIComponent(organization)}/members/${name}`, { token: admin, json: { role } });
    return token;
  };
  return { service, folder, ask, log, secrets, person, admin, close };
}

/** Of a streamed answer, nothing: each of its lines is JSON. */
function jsonOf(text: string): JsonObject {
  return text.trimEnd().includes("\n{") || text.endsWith("}\n") ? {} : (JSON.parse(text) as JsonObject);
}

/** Says what is wrong where an answer is not as the description has it; undefined where it is. */
export function judge(service: Service): (method: string, path: string, answer: Pick<Answer, "status" | "headers" | "text">) => string | undefined {
  const document = JSON.parse(JSON.stringify(service.app.swagger())) as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, "openapi");
  const templates = Object.keys(document.paths)
    .map((template) => ({ template, matches: new RegExp(`^${template.replace(/\{path\}/, ".+").replace(/\{\w+\}/g, "[^/]+")}$`) }))
    // The most exact first.
    .sort((a, b) => a.template.split("{").length - b.template.split("{").length);
  return (method, path, { status, headers, text }) => {
    const plain = path.split("?")[0] ?? "";
    // MobiledgeX's own, which the description is not about.
    if (plain.startsWith("/api/v1/")) return mcFault(method, path, { status, headers, text });
    const found = templates.find(({ template, matches }) => matches.test(plain) && document.paths[template]?.[method.toLowerCase()] !== undefined);
    const type = String(headers["content-type"] ?? "").split(";")[0] ?? "";
    if (status >= 400) {
      if (method === "HEAD") return undefined;
      if (type !== "application/problem+json") return `${method} ${path} ${status}: not a problem document but ${type}: ${text.slice(0, 200)}`;
      const validate = ajv.getSchema("openapi#/components/schemas/Problem") ?? ajv.compile({ $ref: "openapi#/components/schemas/Problem" });
      if (!validate(JSON.parse(text))) return `${method} ${path} ${status}: ${JSON.stringify(validate.errors)}`;
      if (found === undefined) return status === 404 || status === 405 || status === 401 || status === 429 || status === 503 ? undefined : `${method} ${path} ${status}: no such operation is described`;
      return undefined;
    }
    if (found === undefined) return `${method} ${path} ${status}: no such operation is described`;
    const described = document.paths[found.template]?.[method.toLowerCase()]?.responses[String(status)];
    if (described === undefined) return `${method} ${path}: ${status} is not described`;
    const types = Object.keys(described.content ?? {});
    if (types.length === 0) return text === "" ? undefined : `${method} ${path} ${status}: there should be no body`;
    if (method === "HEAD" || types.some((each) => !/json$/.test(each)) || /\+json$/.test(type)) return undefined;
    if (!types.includes(type)) return `${method} ${path} ${status}: ${type} is not described`;
    const pointer = `openapi#/paths/${escaped(found.template)}/${method.toLowerCase()}/responses/${status}/content/${escaped(type)}/schema`;
    const validate = ajv.getSchema(pointer) ?? ajv.compile({ $ref: pointer });
    return validate(JSON.parse(text)) ? undefined : `${method} ${path} ${status}: ${JSON.stringify(validate.errors)}`;
  };
}

/** Every line is JSON; what is refused is a message. */
function mcFault(method: string, path: string, { status, headers, text }: Pick<Answer, "status" | "headers" | "text">): string | undefined {
  if (!/^application\/json(;|$)/.test(String(headers["content-type"] ?? ""))) return status === 404 || status === 405 ? undefined : `${method} ${path} ${status}: ${headers["content-type"]}`;
  const lines = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as JsonObject);
  return status < 400 || (lines.length === 1 && typeof lines[0]?.["message"] === "string") ? undefined : `${method} ${path} ${status}: ${text.slice(0, 200)}`;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

function escaped(text: string): string {
  return encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));
}

export const specText = readFileSync(join(root, "bundles/openstack-single/cloudlet.yaml"), "utf8");

/** The reference cloudlet under another name, or in another organization. */
export function specOf(name: string, organization = "ExampleTel"): string {
  return specText.replace("name: berlin-1", `name: ${name}`).replace("organization: ExampleTel", `organization: ${organization}`);
}

export const releaseText = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8");

/** Resolves the reference release into the service's blob store, as `lock --store` does; gives the lock's text. */
export async function fillStore(folder: string, { text = releaseText, vmdk = false }: { readonly text?: string; readonly vmdk?: boolean } = {}): Promise<string> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const release = readRelease(text);
  if (!release.ok) throw new Error("the reference release is not valid");
  const lock = await resolve({
    release: release.value, releaseFolder: join(root, "bundles/openstack-single"), store: await openStore(join(folder, "blobs")), architecture: "amd64", environment: {}, vmdk,
    progress: () => undefined, signal: new AbortController().signal,
  });
  if (!lock.ok) throw new Error(JSON.stringify(lock.issues));
  await pushed(folder);
  return canonicalJson(lock.value as unknown as JsonObject);
}

/** Uploads the reference release and its lock; gives its id. */
export async function uploadRelease({ ask, admin, folder }: Running): Promise<string> {
  const lock = await fillStore(folder);
  const id = String((await ask("POST", "/v1/releases", { token: admin, yaml: releaseText })).json["id"]);
  await ask("PUT", `/v1/releases/${id}/lock`, { token: admin, body: lock, headers: { "content-type": "application/json" } });
  return id;
}

export async function addOrganization({ ask, admin }: Running, name: string): Promise<void> {
  await ask("POST", "/v1/organizations", { token: admin, json: { name } });
}

export async function addCloudlet({ ask }: Running, token: string, yaml: string): Promise<string> {
  const answer = await ask("POST", "/v1/cloudlets", { token, yaml });
  if (answer.status !== 201) throw new Error(answer.text);
  return String(answer.json["id"]);
}

/** Asks for a bundle and waits until it is ready, or has failed. */
export async function bundleOf({ ask }: Running, token: string, cloudlet: string, release: string): Promise<JsonObject> {
  let bundle = (await ask("POST", "/v1/bundles", { token, json: { cloudlet, release } })).json;
  for (let tries = 0; bundle["state"] !== "ready" && bundle["state"] !== "failed"; tries += 1) {
    if (tries > 1_000) throw new Error(`the bundle is still ${String(bundle["state"])}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
    bundle = (await ask("GET", `/v1/bundles/${String(bundle["id"])}`, { token })).json;
  }
  return bundle;
}
