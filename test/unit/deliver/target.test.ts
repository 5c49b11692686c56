/** Where a bundle goes: what is a host and what is not, and the folder there. */

import t from "tap";
import { defaultFolder, knownHostsName, readTarget, showTarget } from "../../../src/deliver/target.ts";

t.test("targets", (t) => {
  const good: readonly (readonly [string, string])[] = [
    ["jump", "me@jump"],
    ["ops@jump.example.org", "ops@jump.example.org"],
    ["ops@jump:2222", "ops@jump:2222"],
    ["ops@jump:22", "ops@jump"],
    ["a@b@jump", "a@b@jump"],
    ["DOMAIN\\user name@jump", "DOMAIN\\user name@jump"],
    ["10.0.0.5:65535", "me@10.0.0.5:65535"],
    ["2001:db8::1", "me@[2001:db8::1]"],
    ["[2001:db8::1]", "me@[2001:db8::1]"],
    ["ops@[fe80::1%eth0]:2222", "ops@[fe80::1%eth0]:2222"],
    ["[10.0.0.5]:2222", "me@10.0.0.5:2222"],
  ];
  for (const [text, shown] of good) {
    const reading = readTarget(text, "me");
    t.equal(reading.ok ? showTarget(reading.value) : reading.message, shown, text);
    if (reading.ok) t.strictSame(readTarget(showTarget(reading.value), "x"), reading, `${text}: there and back`);
  }
  const bad = ["", "@jump", "ops@", "-oProxyCommand=id", "ops@-oProxyCommand=id", "jump;id", "jump id", "$(id)", "jump:0", "jump:65536", "jump:x", "jump:", "-x@jump", "a\nb@jump", "[jump", "jump]", "a..b/c", "[]:22", "jump:22:", "'jump'", "\u202ejump"];
  for (const text of bad) t.notOk(readTarget(text, "me").ok, JSON.stringify(text));
  t.notOk(readTarget("jump", "").ok, "no user");
  t.end();
});

t.test("names in known_hosts, and folders", (t) => {
  t.equal(knownHostsName({ host: "Jump", port: 22 }), "jump");
  t.equal(knownHostsName({ host: "2001:DB8::1", port: 2222 }), "[2001:db8::1]:2222");
  t.equal(defaultFolder("/a/munich-tdg-2026.11.cloudlet.tar"), "cloudlet-bundle/munich-tdg-2026.11");
  t.equal(defaultFolder("x.tar"), "cloudlet-bundle/x");
  t.equal(defaultFolder(".tar"), "cloudlet-bundle/bundle");
  t.end();
});
