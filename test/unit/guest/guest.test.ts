/** User-data of the golden cases: what is in it, how long it may get, where each line comes from. */

import { load } from "js-yaml";
import t from "tap";

import { guest } from "../../../src/guest/guest.ts";
import { assets, compose, composeText, specText } from "../../golden/cases.ts";

interface UserData {
  readonly hostname: string;
  readonly users: readonly unknown[];
  readonly write_files: readonly { readonly path: string; readonly permissions: string; readonly owner: string; readonly encoding?: string; readonly content: string }[];
  readonly runcmd: readonly unknown[];
}

function made(name: string) {
  const { plan } = compose(name);
  const outcome = guest(plan, plan.machines[0], assets);
  if (!outcome.ok) throw new Error("no guest");
  return { ...outcome.value.userData, config: load(outcome.value.userData.text) as UserData };
}

t.test("user-data holds what the spec says, and a hook", (t) => {
  const { config } = made("everything");
  t.equal(config.hostname, "cologne-5-exampletel-pf");
  t.match(config.users, ["default", { name: "ops", sudo: /NOPASSWD/ }, { name: "reader" }]);
  t.notOk(Object.hasOwn(config.users[2] as object, "sudo"));
  const files = Object.fromEntries(config.write_files.map((file) => [file.path, file]));
  t.match(files["/root/accesskey/accesskey.pem"], { permissions: "0600", owner: "root:root", encoding: "b64", content: "@@CLOUDLET-SECRET:ACCESS_KEY@@" });
  t.match(files["/root/vendor.token"], { permissions: "0600", content: "@@CLOUDLET-SECRET:VENDOR_TOKEN@@" });
  t.equal(files["/usr/local/sbin/cloudlet-bootstrap"]?.content, assets.get("guest/cloudlet-bootstrap"), "the script is in it byte for byte");
  t.notMatch(assets.get("guest/cloudlet-bootstrap"), "\t", "a tab would make one long quoted line of it");
  t.match(files["/etc/cloudlet/bootstrap.env"]?.content, /^CB_CLOUDLET='cologne-5'\n(CB_[A-Z0-9_]+='[^']*'\n)+$/);
  t.match(files["/etc/cloudlet/bootstrap.env"]?.content, "CB_NIC_1_MTU='1400'\n");
  t.strictSame(config.runcmd.at(-1), ["systemctl", "enable", "--now", "--no-block", "cloudlet-bootstrap.service", "cloudlet-health.timer"]);
  t.ok(config.write_files.every((file) => /^0[0-7]{3}$/.test(file.permissions) && file.owner === "root:root"));
  t.end();
});

t.test("every line knows whence it comes", (t) => {
  const { lines, text } = made("everything");
  t.equal(lines.map((line) => line.value).join("\n"), text);
  const originsOf = (start: string) => lines.find((line) => line.value.trimStart().startsWith(start))?.origins;
  t.strictSame(originsOf("hostname:"), ["spec:/name", "spec:/organization"]);
  t.strictSame(originsOf("DNS=2001:db8::53"), ["spec:/networks/dns/1"]);
  t.strictSame(originsOf("CB_PAYLOAD_SIZE="), ["lock:/payload/size"]);
  t.strictSame(originsOf("MIIBfDCC"), ["spec:/trust/caCertificates/0"]);
  t.strictSame(originsOf("ssh_pwauth:"), ["constant:user-data"]);
  t.end();
});

t.test("how long it may get", (t) => {
  const { text, mostBytes } = made("minimal");
  const placeholders = "@@CLOUDLET-SECRET:ACCESS_KEY@@@@CLOUDLET-PORT-MAC:1@@".length;
  t.equal(mostBytes.value, Buffer.byteLength(text) - placeholders + 684 + 17);
  const secrets = [1, 2, 3].map((n) => `  - {name: S${n}, description: d, maxBytes: 11000, target: {kind: file, path: /root/s${n}}}\n`).join("");
  t.match(composeText(`${specText("minimal")}secrets:\n${secrets}`).issues, [{ code: "guest/user-data-too-long", severity: "error", pointer: "/secrets", message: /the IaaS takes 49149/ }]);
  t.end();
});

t.test("a secret can't take the place of another file", (t) => {
  const secret = (name: string, path: string) => `  - {name: ${name}, description: d, target: {kind: file, path: ${path}}}\n`;
  const issues = composeText(`${specText("minimal")}secrets:\n${secret("A", "/etc/cloudlet/bootstrap.env")}`).issues;
  t.match(issues, [{ code: "guest/path-taken", pointer: "/secrets/0/target/path" }]);
  t.end();
});
