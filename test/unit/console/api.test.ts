/** The API as the console asks it: what goes out, what comes back, and a session that ends half-way. */

import t from "tap";
import { ApiProblem, apiOf, eventReader, type ServerEvent, type Session } from "../../../console/api.ts";

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function answering(...answers: readonly (() => Response)[]): { readonly send: typeof fetch; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const send = (async (input: unknown, init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: unknown }) => {
    sent.push({ url: String(input), method: init.method, headers: init.headers, body: init.body });
    const answer = answers[sent.length - 1];
    if (answer === undefined) throw new TypeError("nobody is there");
    return answer();
  }) as unknown as typeof fetch;
  return { send, sent };
}

const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Response => new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
const problem = (kind: string, status: number, more: object = {}): Response => new Response(JSON.stringify({ type: `urn:cloudlet-bundle:problem:${kind}`, title: "T", status, detail: "D", ...more }), { status, headers: { "content-type": "application/problem+json" } });
const noSession: Session = { token: () => undefined, renew: () => Promise.reject(new Error("nobody")) };
const session = (token: string): Session => ({ token: () => token, renew: () => Promise.reject(new Error("signed out")) });

t.test("JSON with its ETag, texts as they are, nothing as null", async (t) => {
  const { send, sent } = answering(() => json({ a: 1 }, 200, { etag: '"x"' }), () => new Response("a: 1\n", { headers: { "content-type": "application/yaml" } }), () => new Response(null, { status: 204 }), () => new Response("{}\n{}\n", { headers: { "content-type": "application/jsonl" } }));
  const api = apiOf(session("cbs_t"), send);
  t.strictSame(await api.get("/v1/a"), { body: { a: 1 }, etag: '"x"', status: 200 });
  t.equal((await api.get("/v1/b")).body, "a: 1\n");
  t.equal((await api.delete("/v1/c", undefined, { ifMatch: '"x"' })).body, null);
  t.equal((await api.get("/v1/d")).body, "{}\n{}\n");
  t.strictSame(sent.map(({ method, headers }) => [method, headers["authorization"], headers["if-match"], headers["content-type"]]), [["GET", "Bearer cbs_t", undefined, undefined], ["GET", "Bearer cbs_t", undefined, undefined], ["DELETE", "Bearer cbs_t", '"x"', undefined], ["GET", "Bearer cbs_t", undefined, undefined]]);
});

t.test("documents go out as they are written, everything else as JSON", async (t) => {
  const { send, sent } = answering(() => json({}), () => json({}), () => json({}));
  const api = apiOf(noSession, send);
  await api.post("/v1/a", "name: x\n", { type: "application/yaml" });
  await api.put("/v1/a", { name: "x" });
  await api.post("/v1/a", "text");
  t.strictSame(sent.map(({ body, headers }) => [body, headers["content-type"], headers["authorization"]]), [["name: x\n", "application/yaml", undefined], ['{"name":"x"}', "application/json", undefined], ['"text"', "application/json", undefined]]);
});

t.test("a refusal is an ApiProblem with its issues", async (t) => {
  const issues = [{ code: "schema/range", severity: "error", pointer: "/a", message: "too much", line: 3 }];
  const { send } = answering(() => problem("not-valid", 422, { issues }), () => new Response("<h1>Bad gateway</h1>", { status: 502 }), () => new Response('{"type": 1}', { status: 500 }));
  const api = apiOf(noSession, send);
  const refused = await api.post("/v1/a", {}).catch((error: unknown) => error);
  t.ok(refused instanceof ApiProblem);
  t.match(refused, { kind: "not-valid", message: "D", issues });
  t.match(await api.get("/v1/a").catch((error: unknown) => error), { kind: "unreachable", problem: { status: 502 } });
  t.match(await api.get("/v1/a").catch((error: unknown) => error), { kind: "unreachable", problem: { status: 500 } });
  t.match(await api.get("/v1/a").catch((error: unknown) => error), { kind: "unreachable", problem: { status: 0 } }, "nobody is there");
});

t.test("a session that has ended is renewed, and the same request goes out again", async (t) => {
  let token = "old";
  const renewed: string[] = [];
  const renewing: Session = { token: () => token, renew: async (rejected) => { renewed.push(rejected); token = "new"; } };
  const { send, sent } = answering(() => problem("not-logged-in", 401), () => json({ done: true }));
  t.strictSame((await apiOf(renewing, send).put("/v1/a", "long text", { type: "application/yaml", ifMatch: '"1"' })).body, { done: true });
  t.strictSame(renewed, ["old"]);
  t.strictSame(sent.map(({ body, headers }) => [body, headers["if-match"], headers["authorization"]]), [["long text", '"1"', "Bearer old"], ["long text", '"1"', "Bearer new"]]);
  const wrongPassword = answering(() => problem("login-failed", 401));
  t.match(await apiOf(session("x"), wrongPassword.send).post("/v1/sessions", {}).catch((error: unknown) => error), { kind: "login-failed" }, "a wrong password is no ended session");
  const nobody = answering(() => problem("not-logged-in", 401));
  await t.rejects(apiOf(session("x"), nobody.send).get("/v1/a"), /signed out/);
});

t.test("events come whole, wherever the stream is cut", (t) => {
  const text = 'id: 1\nevent: queued\ndata: {"a":"b: c"}\n\n: \n\nid: 2\ndata:x\n\n: quiet\nid: 3\nevent: ready\ndata: ü\n\nid: 4\ndata: unfinished';
  for (let size = 1; size < 12; size += 1) {
    const heard: ServerEvent[] = [];
    const read = eventReader((event) => heard.push(event));
    for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size));
    t.strictSame(heard, [{ id: "1", event: "queued", data: '{"a":"b: c"}' }, { id: "2", event: "message", data: "x" }, { id: "3", event: "ready", data: "ü" }], `pieces of ${size}`);
  }
  t.end();
});
