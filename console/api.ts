/** The service's API as the console asks it: JSON, ETags, problems as errors, and a session that can be taken up again. */

export interface Api {
  readonly get: <T>(path: string, options?: AskOptions) => Promise<Answer<T>>;
  readonly post: <T>(path: string, body?: unknown, options?: SendOptions) => Promise<Answer<T>>;
  readonly put: <T>(path: string, body?: unknown, options?: SendOptions) => Promise<Answer<T>>;
  readonly patch: <T>(path: string, body?: unknown, options?: SendOptions) => Promise<Answer<T>>;
  readonly delete: <T = null>(path: string, body?: unknown, options?: SendOptions) => Promise<Answer<T>>;
  /** The body as it is, whatever its type. */
  readonly text: (path: string, options?: AskOptions) => Promise<string>;
  /** The body as the browser keeps it, which is not the page's memory: it may be large. */
  readonly blob: (path: string, options?: AskOptions) => Promise<Blob>;
  /** Server-sent events, until the stream ends. */
  readonly events: (path: string, heard: (event: ServerEvent) => void, signal: AbortSignal) => Promise<void>;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
}

export interface SendOptions extends AskOptions {
  /** Of a body that is a text; `application/json` when left out. Whatever is no text is sent as JSON. */
  readonly type?: string;
  /** The ETag of what was seen. */
  readonly ifMatch?: string;
}

export interface Answer<T> {
  /** The parsed JSON; a text where the answer is none; null where there is nothing. */
  readonly body: T;
  readonly etag: string | undefined;
  readonly status: number;
}

/** One mistake in a document or a request, as the service tells it. */
export interface Issue {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** RFC 9457. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly issues?: readonly Issue[];
}

/** What the service refuses, or that it can't be reached: then `kind` is `unreachable`. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly problem: ProblemDocument;

  constructor(problem: ProblemDocument) {
    super(problem.detail);
    this.problem = problem;
  }

  /** The last part of the type: `not-found`, `changed-meanwhile`, … */
  get kind(): string {
    return this.problem.type.slice(this.problem.type.lastIndexOf(":") + 1);
  }

  get issues(): readonly Issue[] {
    return this.problem.issues ?? [];
  }
}

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Where the session's token is. */
export interface Session {
  readonly token: () => string | undefined;
  /** The token is good no more. Resolves when there is another one, and the request goes out again; rejects when nobody logs in. */
  readonly renew: (rejected: string) => Promise<void>;
}

export function apiOf(session: Session, send: typeof fetch = (input, init) => fetch(input, init)): Api {
  const ask = async (method: string, path: string, init: RequestInit & { readonly headers?: Record<string, string> }): Promise<Response> => {
    for (;;) {
      const token = session.token();
      const headers = { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
      const response = await reached(() => send(path, { ...init, method, headers, cache: "no-store", credentials: "omit", redirect: "error" }), init.signal);
      if (response.ok) return response;
      const problem = await problemOf(response);
      if (token === undefined || problem.kind !== "not-logged-in") throw problem;
      await session.renew(token);
    }
  };
  const change = (method: string) => async <T>(path: string, body?: unknown, options: SendOptions = {}): Promise<Answer<T>> => answerOf<T>(await ask(method, path, {
    headers: { ...(body === undefined ? {} : { "content-type": options.type ?? "application/json" }), ...(options.ifMatch === undefined ? {} : { "if-match": options.ifMatch }) },
    ...(body === undefined ? {} : { body: typeof body === "string" && options.type !== undefined ? body : JSON.stringify(body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }));
  const get = (path: string, { signal }: AskOptions = {}): Promise<Response> => ask("GET", path, signal === undefined ? {} : { signal });
  return {
    get: async (path, options) => answerOf(await get(path, options)),
    post: change("POST"),
    put: change("PUT"),
    patch: change("PATCH"),
    delete: change("DELETE"),
    text: async (path, options) => (await get(path, options)).text(),
    blob: async (path, options) => (await get(path, options)).blob(),
    events: async (path, heard, signal) => {
      const response = await ask("GET", path, { headers: { accept: "text/event-stream" }, signal });
      if (response.body === null || response.status === 204) return;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const read = eventReader(heard);
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) read(chunk.value);
    },
  };
}

/** HTML Living Standard section 9.2.6, as far as the service writes it: `\n` ends a line, an empty one ends an event. */
export function eventReader(heard: (event: ServerEvent) => void): (chunk: string) => void {
  let rest = "";
  let fields: Record<string, string> = {};
  return (chunk) => {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (fields["data"] !== undefined) heard({ id: fields["id"] ?? "", event: fields["event"] ?? "message", data: fields["data"] });
        fields = {};
      } else if (!line.startsWith(":")) {
        const [name = "", ...value] = line.split(":");
        fields[name] = value.join(":").replace(/^ /, "");
      }
    }
  };
}

async function reached(send: () => Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiProblem({
      type: "urn:cloudlet-bundle:problem:unreachable", title: "The service can't be reached", status: 0,
      detail: "Nothing was changed as far as is known. Look whether the service runs and the network is there, then try again.",
    });
  }
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = response.status === 204 ? "" : await response.text();
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "") && !/jsonl/.test(response.headers.get("content-type") ?? "");
  const body: unknown = text === "" ? null : isJson ? JSON.parse(text) : text;
  return { body: body as T, etag: response.headers.get("etag") ?? undefined, status: response.status };
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as Partial<ProblemDocument>;
    if (typeof problem.type === "string" && typeof problem.title === "string" && typeof problem.detail === "string") return new ApiProblem({ ...problem, status: response.status } as ProblemDocument);
  } catch {
    // A proxy's own page, say.
  }
  return new ApiProblem({
    type: "urn:cloudlet-bundle:problem:unreachable", title: "Something else has answered", status: response.status,
    detail: `The answer is none of the service's: status ${response.status}. A proxy in between may have more in its log.`,
  });
}
