/** Logins and host keys against a server in this process: passwords, questions, keys, agents that don't answer, a hop that is none. */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import t from "tap";
import type { Credentials } from "../../../src/deliver/authentication.ts";
import { hostKeys } from "../../../src/deliver/host-keys.ts";
import { openSsh2Line } from "../../../src/deliver/ssh2-line.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-ssh2-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

interface Server {
  readonly port: number;
  readonly fingerprint: string;
  /** What clients have tried, in order. */
  readonly tried: string[];
}

interface Choice {
  /** Methods that it offers. */
  readonly methods: readonly string[];
  readonly accepts: (context: ssh2.AuthContext) => boolean;
  readonly questions?: readonly ssh2.Prompt[];
  readonly answers?: readonly string[];
}

async function server(t: Tap, { methods, accepts, questions = [], answers = [] }: Choice): Promise<Server> {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const hostKey = rsa.privateKey.export({ type: "pkcs1", format: "pem" }) as string;
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const { keyFingerprint } = await import("../../../src/deliver/host-keys.ts");
  const tried: string[] = [];
  const made = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      tried.push(context.method);
      const no = (): void => context.reject([...methods] as ssh2.AuthenticationType[]);
      if (context.method === "keyboard-interactive" && questions.length > 0) {
        context.prompt([...questions], (given) => (given.join("|") === answers.join("|") ? context.accept() : no()));
      } else if (accepts(context)) context.accept();
      else no();
    });
    client.on("ready", () => {
      client.on("session", (accept) => {
        accept().on("exec", (yes) => {
          const channel = yes();
          channel.write("said");
          channel.exit(7);
          channel.end();
        });
      });
    });
  });
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  t.teardown(() => made.close());
  return { port: (made.address() as AddressInfo).port, fingerprint: keyFingerprint(new Uint8Array((parsed as ssh2.ParsedKey).getPublicSSH())), tried };
}

type Tap = { readonly teardown: (end: () => void) => void };

async function connect({ port, fingerprint }: Server, credentials: Partial<Credentials>): Promise<number | undefined> {
  const target = { user: "ops", host: "127.0.0.1", port };
  const line = await openSsh2Line({
    hops: [target],
    hostKeys: hostKeys([], new Map([[`[127.0.0.1]:${port}`, fingerprint]])),
    credentials: () => ({ keyFiles: [], ask: () => Promise.resolve(undefined), ...credentials }),
    signal: new AbortController().signal,
  });
  try {
    const process = await line.exec("anything");
    let said = "";
    for await (const piece of process.stdout) said += Buffer.from(piece).toString();
    if (said !== "said") throw new Error(`said ${said}`);
    return await process.ended;
  } finally {
    line.close();
  }
}

function noted(asked: string[], question: string, answer: string): Promise<string> {
  asked.push(question);
  return Promise.resolve(answer);
}

function keyFile(name: string, passphrase?: string): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const encryption = passphrase === undefined ? {} : { cipher: "aes-128-cbc", passphrase };
  const path = join(folder, name);
  writeFileSync(path, privateKey.export({ type: "pkcs1", format: "pem", ...encryption }), { mode: 0o600 });
  return path;
}

t.test("a password, and only when the host takes one", async (t) => {
  const one = await server(t, { methods: ["password"], accepts: (context) => context.method === "password" && context.password === "s3cret" });
  t.equal(await connect(one, { password: "s3cret" }), 7, "the exit status of the command, and a key that is found by its RSA fingerprint");
  await t.rejects(connect(one, { password: "wr0ng" }), { name: "EnvironmentError", message: /does not let us in \(tried: the password\)$/ });
  const asked: string[] = [];
  t.equal(await connect(one, { ask: (question) => noted(asked, question, "s3cret") }), 7);
  t.strictSame(asked, [`Password of ops@127.0.0.1:${one.port}: `]);
  const keysOnly = await server(t, { methods: ["publickey"], accepts: () => false });
  await t.rejects(connect(keysOnly, { ask: (question) => Promise.reject(new Error(`asked ${question}`)) }), { name: "EnvironmentError", message: /tried: nothing/ });
  t.strictSame(keysOnly.tried, ["none"], "a password that it does not take is not sent");
});

t.test("questions of the host: the password's answer is the password, others are asked on the terminal", async (t) => {
  const pam = await server(t, { methods: ["keyboard-interactive"], accepts: () => false, questions: [{ prompt: "Password: ", echo: false }], answers: ["s3cret"] });
  t.equal(await connect(pam, { password: "s3cret" }), 7);
  await t.rejects(connect(pam, {}), { name: "EnvironmentError" });
  const code = await server(t, {
    methods: ["keyboard-interactive"],
    accepts: () => false,
    questions: [
      { prompt: "Password: ", echo: false },
      { prompt: "Code\u001b[2J: ", echo: true },
    ],
    answers: ["s3cret", "123456"],
  });
  const asked: string[] = [];
  const ask = (question: string): Promise<string> => noted(asked, question, question.startsWith("Password of") ? "s3cret" : "123456");
  t.equal(await connect(code, { ask }), 7);
  t.match(asked[1], /asks: Code: $/);
});

t.test("keys: encrypted, wrong passphrase, unreadable, readable by others, and an agent that does not answer", async (t) => {
  const one = await server(t, { methods: ["publickey"], accepts: (context) => context.method === "publickey" });
  const encrypted = keyFile("encrypted", "open sesame");
  t.equal(await connect(one, { keyFiles: [{ path: encrypted, isNamed: true }], passphrase: "open sesame" }), 7);
  await t.rejects(connect(one, { keyFiles: [{ path: encrypted, isNamed: true }], passphrase: "close sesame" }), { name: "EnvironmentError", message: /the passphrase of .*encrypted is wrong/ });
  t.equal(await connect(one, { agentSocket: join(folder, "no-agent"), keyFiles: [{ path: keyFile("plain"), isNamed: false }] }), 7);
  const nonsense = join(folder, "nonsense");
  writeFileSync(nonsense, "no key\n", { mode: 0o600 });
  await t.rejects(connect(one, { keyFiles: [{ path: nonsense, isNamed: true }] }), { message: /holds no private key/ });
  t.equal(await connect(one, { keyFiles: [{ path: nonsense, isNamed: false }, { path: join(folder, "absent"), isNamed: false }, { path: keyFile("second"), isNamed: false }] }), 7);
  writeFileSync(join(folder, "open"), "", { mode: 0o644 });
  await t.rejects(connect(one, { keyFiles: [{ path: join(folder, "open"), isNamed: true }] }), { message: /may be read by others: its mode is 0644/ });
});

t.test("a host key that is not the pinned one is refused before any login is tried", async (t) => {
  const one = await server(t, { methods: ["password"], accepts: () => true });
  await t.rejects(connect({ ...one, fingerprint: `SHA256:${"A".repeat(43)}` }, { password: "s3cret" }), { name: "EnvironmentError", message: /has no host key with the fingerprint/ });
  t.strictSame(one.tried, []);
});

t.test("who does not speak SSH, and nobody", async (t) => {
  const { createServer } = await import("node:net");
  const web = createServer((socket) => socket.on("error", () => undefined).end("HTTP/1.0 400 no\r\n\r\n")).listen(0, "127.0.0.1");
  await once(web, "listening");
  t.teardown(() => web.close());
  const { port } = web.address() as AddressInfo;
  await t.rejects(connect({ port, fingerprint: "", tried: [] }, {}), { name: "LineCut" });
  web.close();
  await t.rejects(connect({ port: 1, fingerprint: "", tried: [] }, {}), { name: "LineCut", neverThere: true, message: /nothing listens there/ });
});
