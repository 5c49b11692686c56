/** The secret scan: what has the form of a secret is found wherever it is planted, what a bundle holds by nature is not. */

import fc from "fast-check";
import t from "tap";

import { looksRandom } from "../../../../src/evidence/audit/random-looking.ts";
import { suspectsIn } from "../../../../src/evidence/audit/secret-patterns.ts";
import { secretsIn } from "../../../../src/evidence/audit/secrets.ts";
import { inputOfFiles } from "../../../../src/evidence/audit/input.ts";
import { caseNames, textOf } from "../../../golden/cases.ts";
import { bundleOf, composed, edited, type Bundle } from "./bundle.ts";

const found = ({ files, documents }: Bundle): readonly string[] => secretsIn(inputOfFiles(files, documents)).map(({ file, line, looksLike }) => `${file.path}:${line} ${looksLike}`);

t.test("no golden bundle holds one, in any file", (t) => {
  for (const name of caseNames) t.strictSame(found(bundleOf(name)), [], name);
  t.end();
});

const of = (alphabet: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const digits = "0123456789";
const url = `${upper}${lower}${digits}-_`;
const base64 = `${upper}${lower}${digits}+/`;

/** Each kind with texts that are of it. */
const planted: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "a private key": fc.constantFrom("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA ").map((kind) => `-----BEGIN ${kind}PRIVATE KEY-----`),
  "a private key of age": of(`${upper}${digits}`, 58).map((text) => `AGE-SECRET-KEY-1${text}`),
  "an access key of AWS": fc.tuple(fc.constantFrom("AKIA", "ASIA"), of(`${upper}234567`, 16)).map((parts) => parts.join("")),
  "a key of Google's API": of(url, 35).map((text) => `AIza${text}`),
  "a token of Google": of(url, 40).map((text) => `ya29.${text}`),
  "a token of Keystone": of(url, 120).map((text) => `gAAAAA${text}==`),
  "a token of GitHub": of(`${upper}${lower}${digits}`, 36).map((text) => `ghp_${text}`),
  "a token of GitLab": of(url, 20).map((text) => `glpat-${text}`),
  "a token of Slack": of(`${upper}${lower}${digits}`, 24).map((text) => `xoxb-${text}`),
  "a JSON Web Token": fc.tuple(of(url, 20), of(url, 40), of(url, 43)).map(([head, body, sign]) => `eyJ${head}.${body}.${sign}`),
  "a bearer token": of(`${upper}${lower}${digits}`, 30).map((text) => `Bearer ${text}7`),
  "a URL with a password": of(`${lower}${digits}`, 6, 20).map((text) => `https://me:${text}@host.example/path`),
  "a password or token given a value": fc.tuple(fc.constantFrom("password", "OS_PASSWORD", "client_secret", "apiKey", "vault-token", "passphrase", "aws_secret_access_key"), fc.constantFrom("=", ": ", " = "), of(`${lower}${digits}`, 8, 40).map((text) => `${text}x9`)).map((parts) => parts.join("")),
};

/** A secret in the midst of each format of a bundle. */
const surroundings: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `      ${secret}`,
  (secret) => `CB_VALUE='${secret}'`,
  (secret) => `  - "${secret}"`,
  (secret) => `# ${secret} and more`,
  (secret) => `<description>${secret}</description>`,
  (secret) => `| machine | ${secret} |`,
  (secret) => `    "text": "${secret}",`,
];

for (const [kind, secrets] of Object.entries(planted)) {
  t.test(`found in every format: ${kind}`, (t) => {
    fc.assert(
      fc.property(secrets, fc.constantFrom(...surroundings), (secret, surround) => {
        const suspects = suspectsIn(surround(secret)).filter(({ by }) => by === "pattern");
        const kinds = suspects.map(({ looksLike }) => looksLike);
        if (!kinds.includes(kind)) throw new Error(`${surround(secret)}: ${kinds.join(", ")}`);
      }),
      { seed: 5, numRuns: 200 },
    );
    t.pass("200 of them");
    t.end();
  });
}

t.test("found in base64 as well", (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(planted)), fc.context(), (kind, context) => {
      const [secret = ""] = fc.sample(planted[kind] as fc.Arbitrary<string>, { seed: 7, numRuns: 1 });
      const line = `    content: ${Buffer.from(`user data\n${secret}\n`).toString("base64")}`;
      context.log(line);
      return suspectsIn(line).some(({ looksLike, by }) => by === "pattern" && looksLike === `${kind}, in base64`);
    }),
    { seed: 5, numRuns: 60 },
  );
  t.pass("each kind");
  t.end();
});

t.test("found however it is written", (t) => {
  const table: readonly (readonly [line: string, looksLike: string])[] = [
    ["HTTPS://ME:SESAME99@HOST.EXAMPLE/", "a URL with a password"],
    ["https://me:pw@host.example", "a URL with a password"],
    ["https://me:p@ss@host.example", "a URL with a password"],
    ["https://me:it's99@host.example", "a URL with a password"],
    ["https://me:!sesame@host.example", "a URL with a password"],
    ["password=SESAME99", "a password or token given a value"],
    ["password: !sesame99", "a password or token given a value"],
    [String.raw`    "note": "{\"password\":\"sesame99\"}"`, "a password or token given a value"],
    [String.raw`    "note": "first\nAKIAIOSFODNN7EXAMPLE"`, "an access key of AWS"],
    ["AccountKey=sesame99sesame99", "a password or token given a value"],
    ["Authorization: Basic bWU6c2VzYW1lOTk=", "a user's password"],
    ["xapp-1-A01B2C3D4E5-1234567890123-abcdef", "a token of Slack"],
    ["https://hooks.slack.com/services/T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx", "a webhook of Slack"],
    [`npm_${"a1B2c3".repeat(6)}`, "a token of npm"],
    [`hvs.${"a1B2c3".repeat(4)}`, "a token of Vault"],
    ["X=kQ3vz7Xw1mFp9hYtBn4dLs8r", "a random value"],
    ["https://host.example/?sig=kQ3vz7Xw1mFp9hYtBn4dLs8r", "a random value"],
  ];
  for (const [line, looksLike] of table) t.ok(suspectsIn(line).some((each) => each.looksLike === looksLike), line);
  t.end();
});

t.test("chance looks like chance, and names do not", (t) => {
  const random = fc.noBias(fc.oneof(of(base64, 32, 64), of(url, 32, 64), of(`${upper}${lower}${digits}`, 28, 64), of("0123456789abcdef", 40, 64)));
  fc.assert(fc.property(random, (word) => looksRandom(word)), { seed: 5, numRuns: 500 });
  const word = fc.constantFrom("cloudlet", "Standard", "output", "berlin", "example", "Platform", "vm", "2026", "root", "image", "OVMF", "primary", "v4", "CB");
  const named = fc.tuple(fc.array(word, { minLength: 2, maxLength: 8 }), fc.constantFrom("-", "_", "/")).map(([words, glue]) => words.join(glue));
  fc.assert(fc.property(named, (name) => !looksRandom(name)), { seed: 5, numRuns: 500 });
  for (const name of ["5f2c7f0e-6b7d-4f6e-9a55-0f5b6a3c9d11", "ActiveEnterTimestampMonotonic", "aa".repeat(32), "abcdefghijklmnopqrstuvwxyz", "12345678901234567890123456"]) t.notOk(looksRandom(name), name);
  t.end();
});

t.test("what is public by its nature is no finding", (t) => {
  for (const line of [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ops",
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJ6c7k2yq0mGv8c3rQd5x1Zt4u9w2e7r5t6y8u0i4o3p ops",
    "content: '@@CLOUDLET-SECRET:OS_PASSWORD@@'",
    '"purl": "pkg:deb/debian/x@0~git.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b?distro=debian-13"',
    "OS_PASSWORD=",
    "password=OS_PASSWORD token: TOKEN_2",
    "https://me:$password@host.example https://me:<password>@host.example http://host.example:8080/@x",
    'password="$value"',
    'password: { get_param: "secret_os_password" }',
    "CB_SECRET_1_NAME='ACCESS_KEY'",
    "password=$(cat file)",
    "sudo: ALL=(ALL) NOPASSWD:ALL",
    "--secrets FILE",
    "secret: /root/vendor.token",
    "host key SHA256:…",
  ]) {
    t.strictSame(suspectsIn(line).map(({ looksLike }) => looksLike), [], line);
  }
  t.end();
});

t.test("a certificate is public, a private key beside it is not; a digest that nobody accounts for is none", (t) => {
  const good = bundleOf("everything");
  t.ok(textOf(good.files.find(({ path }) => path === "site/user-data")).includes("BEGIN CERTIFICATE"));
  const key = edited(good, "site/user-data", /(-----END CERTIFICATE-----\n)/, "$1      -----BEGIN PRIVATE KEY-----\n");
  t.match(found(key), [/^site\/user-data:\d+ a private key$/]);
  const inside = edited(good, "site/user-data", /(-----BEGIN CERTIFICATE-----\n)/, "$1      password=hunter2!!\n");
  t.match(found(inside), [/a password or token given a value$/, /./], "what is no base64 between the two lines is looked at, and so is all of it");
  const digest = edited(good, "site.env", /CB_PAYLOAD_SHA256='\w+'/, `CB_PAYLOAD_SHA256='9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'`);
  t.match(found(digest), [/^site\.env:\d+ a random value$/]);
  t.end();
});

t.test("the build fails at the field that holds it, unless it is waived, and no message shows it", (t) => {
  const withPassword = (text: string): string => text.replace("  MEX_ENABLE_ANTI_AFFINITY: \"yes\"", "  MEX_ENABLE_ANTI_AFFINITY: \"yes\"\n  OS_PROJECT_NAME: https://me:sesame99@intern");
  const refused = composed("everything", { spec: withPassword });
  t.notOk(refused.ok);
  t.match(refused.issues.filter(({ severity }) => severity === "error"), [{ code: "audit/secret", pointer: "/environment/OS_PROJECT_NAME", message: /^this looks like a URL with a password, and stands in evidence\/spec.json, line \d+$/ }]);
  t.notMatch(JSON.stringify(refused.issues), /sesame99/);
  const short = composed("everything", { spec: (text) => text.replace("OS_USERNAME: cloudlet", "OS_USERNAME: https://u:e@intern") });
  t.match(short.issues.filter(({ severity }) => severity === "error"), [{ code: "audit/secret", pointer: "/environment/OS_USERNAME" }], "not the first field with such a letter");
  const slot = composed("everything", { spec: (text) => text.replace("description: token of the driver's licence server", "description: password=sesame99") });
  t.match(slot.issues.filter(({ severity }) => severity === "error"), [{ code: "audit/secret", pointer: "/secrets/1/description" }], "the slots that are always there move no pointer");
  const waived = composed("everything", { spec: (text) => withPassword(text).replace("audit:\n  waivers:\n", 'audit:\n  waivers:\n    - {rule: SECRET-01, reason: a made-up one, expires: "2027-01-01"}\n') });
  t.strictSame(waived.issues.filter(({ code }) => code.startsWith("audit/")), []);
  t.ok(waived.ok);
  t.end();
});
