/**
 * A vCloud Director for tests: its REST API over HTTPS on loopback, in memory, written from VMware's API documentation. It is
 * strict where a real one may be lenient: method, path, versions, media types, login and every body are checked, and what was
 * wrong is kept in `violations`. It can be told to fail.
 */

import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseXml } from "@rgrove/parse-xml";
import type { XmlElement } from "@rgrove/parse-xml";
import * as show from "./inventory.ts";
import type { Task, Template, VApp } from "./inventory.ts";
import { bodies, elements, faults, fullName } from "./schema.ts";

export interface Login {
  readonly org: string;
  readonly user: string;
  readonly password: string;
  readonly token: string;
}

/** What goes wrong; each field may be changed while it runs. */
export interface Faults {
  /** A connection that sends a disk is cut once so many bytes have come; then this is undefined again. */
  cutUploadAfter: number | undefined;
  /** Tasks of these operations end in an error of this text, as often as it says. */
  readonly failing: Map<string, { message: string; times: number }>;
  refusesLease: boolean;
  /** Leases are accepted and capped. */
  capsLease: boolean;
  /** Sessions end after so many requests; undefined: never. */
  requestsOfSession: number | undefined;
  /** How long a task runs. */
  taskMs: number;
  /** Links that need a right to catalogs and to vApps are not shown. */
  lacksRights: boolean;
  hasNoCloudapi: boolean;
  /** The guest has no VMware Tools. */
  isMute: boolean;
}

export interface Options {
  readonly key: string;
  readonly certificate: string;
  readonly login: Login;
  readonly versions: readonly string[];
  /** Of elements in answers: versions differ in it. */
  readonly prefix: string;
  readonly networks: readonly string[];
  readonly storage: { readonly limitMiB: number; readonly usedMiB: number };
  readonly memory: { readonly limitMiB: number; readonly usedMiB: number };
}

interface Session {
  readonly urn: string;
  requests: number;
}

interface Answer {
  readonly status: number;
  readonly xml?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

class Refusal extends Error {
  readonly status: number;
  readonly minor: string;
  constructor(status: number, minor: string, message: string) {
    super(message);
    this.status = status;
    this.minor = minor;
  }
}

const ids = { org: "11111111", vdc: "22222222", catalog: "33333333", gold: "44444444", silver: "55555555" } as const;

export class VcdServer {
  url = "";
  readonly violations: string[] = [];
  /** METHOD PATH of each request, in order. */
  readonly requests: string[] = [];
  readonly templates: Template[] = [];
  readonly vapps: VApp[] = [];
  readonly sessions = new Map<string, Session>();
  readonly faults: Faults = {
    cutUploadAfter: undefined,
    failing: new Map(),
    refusesLease: false,
    capsLease: false,
    requestsOfSession: undefined,
    taskMs: 5,
    lacksRights: false,
    hasNoCloudapi: false,
    isMute: false,
  };
  private readonly tasks = new Map<string, Task>();
  private readonly options: Options;
  private readonly server;
  private macs = 0;

  constructor(options: Options) {
    this.options = options;
    this.server = createServer({ key: options.key, cert: options.certificate }, (request, response) => void this.handle(request, response));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Somebody else's vApp or template. */
  addForeign(what: "vapp" | "template", name: string): void {
    if (what === "vapp") this.vapps.push({ ...this.freshVapp(name, "made by hand", new Map()), status: 8 });
    else this.templates.push({ ...freshTemplate(name, "made by hand"), status: 8 });
  }

  /** As ovftool leaves one: whole, and without a mark. */
  addSent(name: string, descriptor: string): void {
    this.templates.push({ ...freshTemplate(name, ""), descriptor, status: 8 });
  }

  /** All that clients have made and not removed. */
  leftOvers(): readonly string[] {
    return [
      ...this.vapps.map((vapp) => `vApp ${vapp.name}`),
      ...this.templates.map((template) => `template ${template.name}`),
      ...[...this.sessions.values()].map((session) => `session ${session.urn}`),
    ];
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const path = url.replace(/\?.*$/, "");
    this.requests.push(`${method} ${path}`);
    try {
      this.answer(response, await this.route(method, path, new URL(url, this.url).searchParams, request));
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      if (!(error instanceof Refusal)) throw error;
      this.answer(response, { status: error.status, xml: show.errorXml(error.message, error.minor, error.status) });
    }
  }

  private answer(response: ServerResponse, { status, xml, json, headers }: Answer): void {
    const body = json !== undefined ? JSON.stringify(json) : xml === undefined ? "" : this.prefixed(show.document(xml));
    const type = json !== undefined ? "application/json" : "application/vnd.vmware.vcloud.any+xml";
    response.writeHead(status, { ...headers, ...(body === "" ? {} : { "content-type": type }), "content-length": Buffer.byteLength(body) });
    response.end(body);
  }

  /** The same document with another prefix for vCloud's own elements. */
  private prefixed(xml: string): string {
    const { prefix } = this.options;
    if (prefix === "") return xml;
    return xml.replace(/<(\/?)([A-Z][A-Za-z]*)(?=[\s/>])/g, `<$1${prefix}:$2`).replace('xmlns="', `xmlns:${prefix}="`);
  }

  private async route(method: string, path: string, query: URLSearchParams, request: IncomingMessage): Promise<Answer> {
    if (path === "/api/versions") return { status: 200, xml: this.versions() };
    if (path === "/cloudapi/1.0.0/sessions" || path === "/api/sessions") return this.login(method, path, request);
    if (path === `/oauth/tenant/${this.options.login.org}/token`) return this.tokenLogin(request);
    if (path.startsWith("/transfer/")) return this.transfer(method, path, request);
    this.authorize(path, request);
    const logout = /^\/cloudapi\/1\.0\.0\/sessions\/(.+)$/.exec(path)?.[1];
    if ((logout !== undefined || path === "/api/session") && method === "DELETE") {
      this.sessions.delete(bearer(request));
      return { status: 204 };
    }
    const body = await this.body(method, request);
    for (const [pattern, answer] of this.routes) {
      const match = pattern.exec(`${method} ${path}`);
      if (match !== null) return answer(match[1] ?? "", body, query);
    }
    throw this.wrong(404, `nothing is at ${method} ${path}`);
  }

  private readonly routes: readonly (readonly [RegExp, (id: string, body: XmlElement | undefined, query: URLSearchParams) => Answer])[] = [
    [/^GET \/api\/org$/, () => ok(this.orgList())],
    [/^GET \/api\/org\/11111111$/, () => ok(this.org())],
    [/^GET \/api\/vdc\/22222222$/, () => ok(this.vdc())],
    [/^GET \/api\/catalog\/33333333$/, () => ok(this.catalog())],
    [/^GET \/api\/vdcStorageProfile\/(\w+)$/, (id) => ok(this.profile(id))],
    [/^GET \/api\/query$/, (_, __, query) => ok(this.query(query))],
    [/^GET \/api\/task\/(.+)$/, (id) => ok(show.taskDocument(this.url, this.task(id)))],
    [/^POST \/api\/task\/(.+)\/action\/cancel$/, (id) => this.cancel(this.task(id))],
    [/^POST \/api\/catalog\/33333333\/action\/upload$/, (_, body) => this.upload(need(body))],
    [/^GET \/api\/catalogItem\/(.+)$/, (id) => ok(show.itemXml(this.url, this.template(id)))],
    [/^GET \/api\/vAppTemplate\/vappTemplate-([^/]+)$/, (id) => ok(show.templateXml(this.url, this.template(id)))],
    [/^DELETE \/api\/vAppTemplate\/vappTemplate-([^/]+)$/, (id) => this.dropTemplate(this.template(id))],
    [/^GET \/api\/vAppTemplate\/vappTemplate-([^/]+)\/metadata$/, (id) => ok(show.metadataXml(this.template(id).metadata))],
    [/^POST \/api\/vAppTemplate\/vappTemplate-([^/]+)\/metadata$/, (id, body) => this.mark(this.template(id), need(body))],
    [/^POST \/api\/vdc\/22222222\/action\/instantiateVAppTemplate$/, (_, body) => this.instantiate(need(body))],
    [/^GET \/api\/vApp\/vapp-([^/]+)$/, (id) => ok(show.vappXml(this.url, this.vapp(id)))],
    [/^DELETE \/api\/vApp\/vapp-([^/]+)$/, (id) => this.dropVapp(this.vapp(id))],
    [/^GET \/api\/vApp\/vapp-([^/]+)\/metadata$/, (id) => ok(show.metadataXml(this.vapp(id).metadata))],
    [/^POST \/api\/vApp\/vapp-([^/]+)\/metadata$/, (id, body) => this.mark(this.vapp(id), need(body))],
    [/^GET \/api\/vApp\/vapp-([^/]+)\/leaseSettingsSection$/, (id) => ok(show.leaseXml(this.vapp(id)))],
    [/^PUT \/api\/vApp\/vapp-([^/]+)\/leaseSettingsSection$/, (id, body) => this.setLease(this.vapp(id), need(body))],
    [/^POST \/api\/vApp\/vapp-([^/]+)\/power\/action\/powerOn$/, (id) => this.powerOn(this.vapp(id))],
    [/^POST \/api\/vApp\/vapp-([^/]+)\/action\/undeploy$/, (id, body) => this.undeploy(this.vapp(id), need(body))],
    [/^GET \/api\/vApp\/vm-([^/]+)\/networkConnectionSection$/, (id) => ok(show.cardsXml(this.vm(id)))],
    [/^PUT \/api\/vApp\/vm-([^/]+)\/networkConnectionSection$/, (id, body) => this.setCards(this.vm(id), need(body))],
    [/^PUT \/api\/vApp\/vm-([^/]+)\/guestCustomizationSection$/, (id, body) => this.customize(this.vm(id), need(body))],
    [/^GET \/api\/vApp\/vm-([^/]+)\/virtualHardwareSection\/disks$/, (id) => ok(show.disksXml(this.vm(id)))],
    [/^PUT \/api\/vApp\/vm-([^/]+)\/virtualHardwareSection\/disks$/, (id, body) => this.setDisks(this.vm(id), need(body))],
    [/^GET \/api\/vApp\/vm-([^/]+)\/productSections$/, (id) => ok(show.propertiesXml(this.vm(id)))],
    [/^PUT \/api\/vApp\/vm-([^/]+)\/productSections$/, (id, body) => this.setProperties(this.vm(id), need(body))],
  ];

  // Login.

  private versions(): string {
    const rows = this.options.versions.map((version) => `<VersionInfo deprecated="false"><Version>${version}</Version><LoginUrl>${this.url}/api/sessions</LoginUrl></VersionInfo>`);
    return `<SupportedVersions xmlns="http://www.vmware.com/vcloud/versions">${rows.join("")}</SupportedVersions>`;
  }

  private login(method: string, path: string, request: IncomingMessage): Answer {
    if (method !== "POST") throw this.wrong(405, `${method} ${path}`);
    const isOpenApi = path.startsWith("/cloudapi");
    if (isOpenApi && this.faults.hasNoCloudapi) throw new Refusal(404, "NOT_FOUND", "no such thing");
    const { org, user, password } = this.options.login;
    const accept = request.headers.accept ?? "";
    const wanted = isOpenApi ? "application/json" : "application/*+xml";
    if (!accept.startsWith(`${wanted};version=`) || !this.options.versions.includes(accept.replace(/^.*version=/, ""))) throw this.wrong(406, `login with Accept: ${accept}`);
    if (Number(request.headers["content-length"] ?? -1) !== 0) this.violations.push("a login without a length of 0");
    const given = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString("utf8");
    if (given !== `${user}@${org}:${password}`) {
      if (isOpenApi) return { status: 401, json: { minorErrorCode: "INVALID_CREDENTIALS", message: "Invalid credentials provided.", stackTrace: null } };
      throw new Refusal(401, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "no");
    }
    const [token, session] = this.open();
    const headers = { "x-vmware-vcloud-access-token": token, "x-vmware-vcloud-token-type": "Bearer" };
    return isOpenApi ? { status: 200, json: { id: session.urn, site: { name: "site", id: "urn:vcloud:site:1" }, user: { name: user, id: "urn:vcloud:user:1" }, org: { name: org, id: "urn:vcloud:org:1" }, roles: ["vApp Author"] }, headers } : { status: 200, xml: `<Session ${show.rootNames} user="${user}" org="${org}"/>`, headers };
  }

  private open(): readonly [string, Session] {
    const token = randomUUID().replaceAll("-", "");
    const session = { urn: `urn:vcloud:session:${randomUUID()}`, requests: 0 };
    this.sessions.set(token, session);
    return [token, session];
  }

  private async tokenLogin(request: IncomingMessage): Promise<Answer> {
    const form = new URLSearchParams((await buffer(request)).toString("utf8"));
    if (form.get("grant_type") !== "refresh_token" || form.get("refresh_token") !== this.options.login.token) return { status: 400, json: { error: "invalid_grant", message: "no such token" } };
    const [token, session] = this.open();
    // What an API token gives has no session that could be ended.
    this.sessions.set(token, { ...session, urn: "" });
    return { status: 200, json: { access_token: token, expires_in: 2592000, token_type: "Bearer" } };
  }

  private authorize(path: string, request: IncomingMessage): void {
    const session = this.sessions.get(bearer(request));
    if (session !== undefined && this.faults.requestsOfSession !== undefined && session.requests >= this.faults.requestsOfSession) this.sessions.delete(bearer(request));
    if (!this.sessions.has(bearer(request)) || session === undefined) throw new Refusal(401, "NOT_AUTHENTICATED", "The session has expired.");
    session.requests += 1;
    const accept = request.headers.accept ?? "";
    const version = /^(?:application\/\*\+xml|\*\/\*);version=(\d+\.\d+)$/.exec(accept)?.[1];
    if (version === undefined || !this.options.versions.includes(version)) throw this.wrong(406, `${path} with Accept: ${accept}`);
  }

  private async body(method: string, request: IncomingMessage): Promise<XmlElement | undefined> {
    const text = (await buffer(request)).toString("utf8");
    const type = request.headers["content-type"];
    if (text === "") {
      if (type !== undefined) this.violations.push(`${request.url ?? ""}: a type and no body`);
      if (method === "POST" && request.headers["content-length"] !== "0") this.violations.push(`${request.url ?? ""}: a POST without a length`);
      return undefined;
    }
    const { root } = parseXml(text);
    if (root === null) throw this.wrong(400, "an empty document");
    const expected = bodies[fullName(root, {})];
    if (expected === undefined || type !== show.kind(expected.type)) throw this.wrong(415, `${root.name} as ${type ?? "nothing"}`);
    const found = faults(root);
    if (found.length > 0) throw this.wrong(400, found.join("; "));
    return root;
  }

  private wrong(status: number, message: string): Refusal {
    this.violations.push(message);
    return new Refusal(status, "BAD_REQUEST", message);
  }

  // Where things are.

  private orgList(): string {
    const { org } = this.options.login;
    return `<OrgList ${show.rootNames}><Org href="${this.url}/api/org/${ids.org}" name="${org}" type="${show.kind("org")}"/></OrgList>`;
  }

  private org(): string {
    return `<Org ${show.rootNames} name="${this.options.login.org}">${show.link("down", `${this.url}/api/vdc/${ids.vdc}`, "vdc", "edge & vdc")}${show.link("down", `${this.url}/api/vdc/other`, "vdc", "other")}${show.link("down", `${this.url}/api/catalog/${ids.catalog}`, "catalog", "cloudlets")}<FullName>An organization</FullName></Org>`;
  }

  private vdc(): string {
    const { networks, memory } = this.options;
    const figure = (name: string, units: string, limit: number, used: number): string => `<${name}><Units>${units}</Units><Allocated>${limit}</Allocated><Limit>${limit}</Limit><Reserved>0</Reserved><Used>${used}</Used></${name}>`;
    const resource = (vapp: VApp): string => `<ResourceEntity href="${this.url}/api/vApp/vapp-${vapp.id}" name="${show.escape(vapp.name)}" type="${show.kind("vApp")}"/>`;
    return `<Vdc ${show.rootNames} name="edge &amp; vdc" status="1">
      ${this.faults.lacksRights ? "" : show.link("add", `${this.url}/api/vdc/${ids.vdc}/action/instantiateVAppTemplate`, "instantiateVAppTemplateParams")}
      <AllocationModel>Flex</AllocationModel><ComputeCapacity>${figure("Cpu", "MHz", 0, 0)}${figure("Memory", "MB", memory.limitMiB, memory.usedMiB)}</ComputeCapacity>
      <ResourceEntities>${this.vapps.map(resource).join("")}</ResourceEntities>
      <AvailableNetworks>${networks.map((name, index) => `<Network href="${this.url}/api/network/net-${index}" name="${show.escape(name)}" type="${show.kind("network")}"/>`).join("")}</AvailableNetworks>
      <VdcStorageProfiles><VdcStorageProfile href="${this.url}/api/vdcStorageProfile/${ids.silver}" name="silver"/><VdcStorageProfile href="${this.url}/api/vdcStorageProfile/${ids.gold}" name="gold"/></VdcStorageProfiles>
      <VCpuInMhz2>1000</VCpuInMhz2></Vdc>`;
  }

  private catalog(): string {
    const item = (template: Template): string => `<CatalogItem href="${this.url}/api/catalogItem/${template.item}" name="${show.escape(template.name)}" type="${show.kind("catalogItem")}"/>`;
    const add = this.faults.lacksRights ? "" : show.link("add", `${this.url}/api/catalog/${ids.catalog}/action/upload`, "uploadVAppTemplateParams");
    return `<Catalog ${show.rootNames} name="cloudlets">${add}<CatalogItems>${this.templates.map(item).join("")}</CatalogItems></Catalog>`;
  }

  private profile(id: string): string {
    const { storage } = this.options;
    return `<VdcStorageProfile ${show.rootNames} name="${id === ids.gold ? "gold" : "silver"}"><Enabled>true</Enabled><Units>MB</Units><Limit>${storage.limitMiB}</Limit><Default>${id === ids.silver}</Default><StorageUsedMB>${storage.usedMiB}</StorageUsedMB></VdcStorageProfile>`;
  }

  /** Two pages; a network of a group of datacenters is on the second. */
  private query(query: URLSearchParams): string {
    const page = query.get("page");
    if (query.get("type") !== "orgVdcNetwork") return `<QueryResultRecords ${show.rootNames} total="0"/>`;
    const record = page === "2" ? `<OrgVdcNetworkRecord name="of a group" href="${this.url}/api/network/group"/>` : `<OrgVdcNetworkRecord name="someone's" href="${this.url}/api/network/other"/>`;
    return `<QueryResultRecords ${show.rootNames} total="2" page="${page ?? ""}">${page === "2" ? "" : show.link("nextPage", `${this.url}/api/query?page=2`, "query.records")}${record}</QueryResultRecords>`;
  }

  private networkOf(href: string): string {
    const at = /\/api\/network\/(?:net-(\d+)|(group))$/.exec(href);
    const name = at?.[2] === undefined ? this.options.networks[Number(at?.[1])] : "of a group";
    if (name === undefined) throw this.wrong(400, `no network ${href}`);
    return name;
  }

  // Tasks.

  private task(id: string): Task {
    const task = this.tasks.get(id);
    if (task === undefined) throw this.wrong(404, `no task ${id}`);
    return task;
  }

  /** What changes an entity runs for a while; meanwhile nobody else may change it. */
  private start(owner: { tasks: Task[]; status: number }, what: string, effect: () => void, status = 202, xml?: () => string): Answer {
    if (owner.tasks.some((task) => task.status === "running")) throw new Refusal(400, "BUSY_ENTITY", "The entity is busy completing an operation.");
    const task: Task = { id: randomUUID(), what, status: "running", error: undefined };
    owner.tasks = [...owner.tasks.filter((each) => each.status === "running"), task];
    this.tasks.set(task.id, task);
    setTimeout(() => {
      if (task.status !== "running") return;
      const failure = this.faults.failing.get(what);
      if (failure !== undefined && failure.times > 0) {
        failure.times -= 1;
        task.status = "error";
        task.error = failure.message;
        // What was being made is a failure for good.
        if (owner.status === 0) owner.status = -1;
        return;
      }
      effect();
      task.status = "success";
    }, this.faults.taskMs).unref();
    return { status, xml: xml === undefined ? show.taskDocument(this.url, task) : xml() };
  }

  private cancel(task: Task): Answer {
    if (task.status === "running") task.status = "canceled";
    return { status: 204 };
  }

  // Catalog.

  private template(id: string): Template {
    const template = this.templates.find((each) => each.id === id || each.item === id);
    if (template === undefined) throw new Refusal(404, "RESOURCE_NOT_FOUND", "No such template.");
    return template;
  }

  private upload(body: XmlElement): Answer {
    const name = body.attributes["name"] ?? "";
    if (this.templates.some((template) => template.name === name)) throw new Refusal(400, "DUPLICATE_NAME", `The name ${name} already exists in this catalog.`);
    const template = freshTemplate(name, child(body, "Description")?.text ?? "");
    this.templates.push(template);
    return { status: 201, xml: show.itemXml(this.url, template) };
  }

  private async transfer(method: string, path: string, request: IncomingMessage): Promise<Answer> {
    const [, , id = "", name = ""] = path.split("/");
    const template = this.template(id);
    const length = Number(request.headers["content-length"]);
    if (method !== "PUT" || Number.isNaN(length)) throw this.wrong(411, `${method} ${path} without a length`);
    if (name === "descriptor.ovf") return this.readDescriptor(template, await buffer(request));
    const file = template.files.find((each) => each.name === name);
    if (file === undefined) throw this.wrong(404, `${name} was not asked for`);
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(request.headers["content-range"] ?? "");
    const from = Number(range?.[1] ?? 0);
    if (from !== show.sentBytes(file) || from + length !== file.size || (range !== null && (Number(range[2]) !== file.size - 1 || Number(range[3]) !== file.size)))
      throw this.wrong(416, `${name} from ${from}, ${length} bytes, of ${file.size}; ${show.sentBytes(file)} are there`);
    for await (const piece of request as AsyncIterable<Buffer>) {
      const { cutUploadAfter } = this.faults;
      if (cutUploadAfter !== undefined && show.sentBytes(file) + piece.length > cutUploadAfter) {
        file.bytes.push(piece.subarray(0, cutUploadAfter - show.sentBytes(file)));
        this.faults.cutUploadAfter = undefined;
        request.socket.destroy();
        break;
      }
      file.bytes.push(piece);
    }
    if (template.files.every((each) => show.sentBytes(each) === each.size)) this.start(template, "import", () => (template.status = 8));
    return { status: 200 };
  }

  private readDescriptor(template: Template, bytes: Buffer): Answer {
    const { root } = parseXml(bytes.toString("utf8"));
    if (root === null || root.name !== "Envelope") throw this.wrong(400, "the descriptor is no Envelope");
    setTimeout(() => {
      template.descriptor = bytes.toString("utf8");
      for (const { attributes } of descendants(root, "File")) template.files.push({ name: attributes["ovf:href"] ?? "", size: Number(attributes["ovf:size"]), bytes: [] });
    }, this.faults.taskMs).unref();
    const [own] = template.files;
    if (own !== undefined) own.bytes = [bytes];
    template.files[0] = { name: "descriptor.ovf", size: bytes.length, bytes: [bytes] };
    return { status: 200 };
  }

  private dropTemplate(template: Template): Answer {
    return this.start(template, "delete template", () => remove(this.templates, template));
  }

  private mark(owner: { metadata: Map<string, string>; tasks: Task[]; status: number }, body: XmlElement): Answer {
    return this.start(owner, "metadata", () => {
      for (const entry of elements(body)) owner.metadata.set(child(entry, "Key")?.text ?? "", child(entry, "TypedValue")?.text ?? "");
    });
  }

  // vApps.

  private vapp(id: string): VApp {
    const vapp = this.vapps.find((each) => each.id === id);
    // As vCloud Director tells of what isn't there any more.
    if (vapp === undefined) throw new Refusal(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "No access to entity.");
    return vapp;
  }

  private vm(id: string): VApp {
    const vapp = this.vapps.find((each) => each.vm === id);
    if (vapp === undefined) throw new Refusal(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "No access to entity.");
    return vapp;
  }

  private freshVapp(name: string, description: string, networks: ReadonlyMap<string, string>): VApp {
    const lease = { deployment: 604800, storage: 2592000 };
    const rest = { cards: [], disks: [], properties: [], environment: [], starts: 0, tools: "", metadata: new Map<string, string>(), tasks: [] };
    return { id: randomUUID(), vm: randomUUID(), name, description, networks, status: 0, isDeployed: false, lease, isCustomized: true, ...rest };
  }

  private instantiate(body: XmlElement): Answer {
    const name = body.attributes["name"] ?? "";
    if (body.attributes["deploy"] !== "false" || body.attributes["powerOn"] !== "false") throw this.wrong(400, "it would be started before it was told anything");
    if (this.vapps.some((vapp) => vapp.name === name)) throw new Refusal(400, "DUPLICATE_NAME", `The VCD entity ${name} already exists.`);
    const source = child(body, "Source")?.attributes["href"] ?? "";
    const template = this.template(source.replace(/^.*vappTemplate-/, ""));
    if (template.status !== 8) throw new Refusal(400, "BAD_REQUEST", "The template is not resolved.");
    const configs = descendants(body, "NetworkConfig");
    const networks = new Map(configs.map((config) => [config.attributes["networkName"] ?? "", this.networkOf(descendants(config, "ParentNetwork")[0]?.attributes["href"] ?? "")]));
    const vapp = this.freshVapp(name, child(body, "Description")?.text ?? "", networks);
    const envelope = parseXml(template.descriptor ?? "").root as XmlElement;
    const offered = descendants(envelope, "Network").map((network) => network.attributes["ovf:name"] ?? "");
    if (offered.join() !== [...networks.keys()].join()) throw this.wrong(400, `the descriptor has networks ${offered.join()}, mapped are ${[...networks.keys()].join()}`);
    this.vapps.push(vapp);
    return this.start(
      vapp,
      "instantiate",
      () => {
        vapp.status = 8;
        vapp.cards = offered.map((network, index) => ({ index, network, mac: this.nextMac(), mode: "NONE", address: "", isConnected: true }));
        vapp.disks = descendants(envelope, "Disk").map((disk) => Math.ceil(Number(disk.attributes["ovf:capacity"]) / 1048576));
        vapp.properties = descendants(envelope, "Property").map(({ attributes }) => ({ key: attributes["ovf:key"] ?? "", value: attributes["ovf:value"] ?? "" }));
      },
      201,
      () => show.vappXml(this.url, vapp),
    );
  }

  private nextMac(): string {
    this.macs += 1;
    return `00:50:56:01:00:${this.macs.toString(16).padStart(2, "0")}`;
  }

  private dropVapp(vapp: VApp): Answer {
    if (vapp.isDeployed) throw new Refusal(400, "BAD_REQUEST", "The vApp is deployed; undeploy it first.");
    return this.start(vapp, "delete vapp", () => remove(this.vapps, vapp));
  }

  private setLease(vapp: VApp, body: XmlElement): Answer {
    if (this.faults.refusesLease) throw new Refusal(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "You need the right to change leases.");
    const seconds = (name: string): number => Number(child(body, name)?.text ?? -1);
    return this.start(vapp, "lease", () => {
      if (!this.faults.capsLease) vapp.lease = { deployment: seconds("DeploymentLeaseInSeconds"), storage: seconds("StorageLeaseInSeconds") };
    });
  }

  private powerOn(vapp: VApp): Answer {
    if (vapp.status === 4) throw new Refusal(400, "BAD_REQUEST", "The vApp runs.");
    return this.start(vapp, "power on", () => {
      vapp.status = 4;
      vapp.isDeployed = true;
      vapp.starts += 1;
      vapp.environment = vapp.properties;
      vapp.tools = "";
      setTimeout(() => (vapp.tools = this.faults.isMute ? "" : "11360"), 200).unref();
    });
  }

  private undeploy(vapp: VApp, body: XmlElement): Answer {
    const how = child(body, "UndeployPowerAction")?.text ?? "default";
    if (!vapp.isDeployed) throw new Refusal(400, "BAD_REQUEST", "The vApp is not deployed.");
    return this.start(vapp, `undeploy ${how}`, () => {
      vapp.status = 8;
      vapp.isDeployed = false;
      vapp.tools = "";
    });
  }

  // The VM.

  private setCards(vapp: VApp, body: XmlElement): Answer {
    const cards = descendants(body, "NetworkConnection").map((each) => {
      const value = (name: string): string => child(each, name)?.text ?? "";
      return { index: Number(value("NetworkConnectionIndex")), network: each.attributes["network"] ?? "", mac: value("MACAddress"), mode: value("IpAddressAllocationMode"), address: value("IpAddress"), isConnected: value("IsConnected") === "true" };
    });
    for (const card of cards) {
      if (!vapp.networks.has(card.network)) throw this.wrong(400, `the vApp has no network ${card.network}`);
      if ((card.mode === "MANUAL") !== (card.address !== "")) throw this.wrong(400, `mode ${card.mode} with address "${card.address}"`);
      if (!vapp.cards.some(({ index, mac }) => index === card.index && mac === card.mac)) throw this.wrong(400, `card ${card.index} had not ${card.mac}`);
      const taken = this.vapps.some((other) => other !== vapp && other.cards.some((each) => card.address !== "" && each.address === card.address));
      if (taken) throw new Refusal(400, "BAD_REQUEST", `The IP address ${card.address} is already in use.`);
    }
    if (vapp.isDeployed) throw new Refusal(400, "BAD_REQUEST", "The VM runs.");
    return this.start(vapp, "network", () => (vapp.cards = cards));
  }

  private customize(vapp: VApp, body: XmlElement): Answer {
    return this.start(vapp, "customization", () => (vapp.isCustomized = child(body, "Enabled")?.text === "true"));
  }

  private setDisks(vapp: VApp, body: XmlElement): Answer {
    const sizes = descendants(body, "Item").flatMap((item) => {
      const capacity = Number(child(item, "rasd:HostResource")?.attributes["vcloud:capacity"] ?? NaN);
      if (Number.isNaN(capacity)) return [];
      if (Number(child(item, "rasd:VirtualQuantity")?.text) !== capacity * 1048576) throw this.wrong(400, `a disk of ${capacity} MiB and another VirtualQuantity`);
      return [capacity];
    });
    if (sizes.length !== vapp.disks.length || sizes.some((size, index) => size < (vapp.disks[index] ?? 0))) throw this.wrong(400, `disks ${vapp.disks.join()} can't become ${sizes.join()}`);
    return this.start(vapp, "disks", () => (vapp.disks = sizes));
  }

  private setProperties(vapp: VApp, body: XmlElement): Answer {
    const properties = descendants(body, "ovf:Property").map((each) => ({ key: each.attributes["ovf:key"] ?? "", value: child(each, "ovf:Value")?.attributes["ovf:value"] ?? "" }));
    return this.start(vapp, "properties", () => (vapp.properties = properties));
  }
}

function ok(xml: string): Answer {
  return { status: 200, xml };
}

function need(body: XmlElement | undefined): XmlElement {
  if (body === undefined) throw new Refusal(400, "BAD_REQUEST", "There is no body.");
  return body;
}

function bearer(request: IncomingMessage): string {
  return (request.headers.authorization ?? "").replace(/^Bearer /, "");
}

function freshTemplate(name: string, description: string): Template {
  return { id: randomUUID(), item: randomUUID(), name, description, files: [{ name: "descriptor.ovf", size: -1, bytes: [] }], descriptor: undefined, status: 0, metadata: new Map(), tasks: [] };
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return elements(element).find((each) => isCalled(each, name));
}

/** With whatever prefix its sender has for vCloud's namespace. */
function isCalled(element: XmlElement, name: string): boolean {
  return element.name === name || element.name.endsWith(`:${name}`);
}

/** In document order. */
function descendants(element: XmlElement, name: string): readonly XmlElement[] {
  return elements(element).flatMap((each) => [...(isCalled(each, name) ? [each] : []), ...descendants(each, name)]);
}

/** Of a file that was sent. */
export function sentDigest(file: { readonly bytes: readonly Buffer[] }): string {
  return createHash("sha256").update(Buffer.concat(file.bytes)).digest("hex");
}
