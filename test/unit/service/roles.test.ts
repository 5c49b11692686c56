/** Who may do what, as one table that somebody has thought about: each action by each role, here and elsewhere. */

import t from "tap";
import { actions, grantable, may, organizationsFor, type Action, type Actor } from "../../../src/service/access/roles.ts";

const actor = (platformRole: Actor["platformRole"], roles: Readonly<Record<string, "manager" | "contributor" | "viewer">> = {}, more: Partial<Actor> = {}): Actor => ({ platformRole, roles: new Map(Object.entries(roles)), ...more });

const who = {
  admin: actor("admin"),
  auditor: actor("auditor"),
  manager: actor(null, { Ours: "manager" }),
  contributor: actor(null, { Ours: "contributor" }),
  viewer: actor(null, { Ours: "viewer" }),
  stranger: actor(null, { Theirs: "manager" }),
  nobody: actor(null),
} as const;

/** In their own organization; a dash is no. */
const expected: Readonly<Record<Action, string>> = {
  //                     admin auditor manager contributor viewer stranger nobody
  "organization:create": "admin - - - - - -",
  "organization:delete": "admin - - - - - -",
  "organization:read": "admin auditor manager contributor viewer - -",
  "membership:read": "admin auditor manager contributor viewer - -",
  "membership:write": "admin - manager - - - -",
  "user:read": "admin auditor - - - - -",
  "user:write": "admin - - - - - -",
  "token:write": "admin auditor manager contributor viewer stranger nobody",
  "cloudlet:read": "admin auditor manager contributor viewer - -",
  "cloudlet:write": "admin - manager contributor - - -",
  "cloudlet:delete": "admin - manager contributor - - -",
  "bundle:read": "admin auditor manager contributor viewer - -",
  "bundle:request": "admin - manager contributor - - -",
  "receipt:read": "admin auditor manager contributor viewer - -",
  "receipt:write": "admin - manager contributor - - -",
  "access-key:read": "admin auditor manager contributor viewer - -",
  "access-key:write": "admin - manager contributor - - -",
  "installation:read": "admin auditor manager contributor viewer - -",
  "installation:write": "admin - manager contributor - - -",
  "delivery:read": "admin auditor manager contributor viewer - -",
  "delivery:write": "admin - manager contributor - - -",
  "credential:read": "admin auditor manager contributor viewer - -",
  "credential:write": "admin - manager contributor - - -",
  "release:read": "admin auditor manager contributor viewer stranger nobody",
  "release:write": "admin - - - - - -",
  "signing-key:read": "admin auditor manager contributor viewer stranger nobody",
  "audit:read": "admin auditor manager - - - -",
};

/** Of the platform as a whole: no organization's role counts. */
const platformOnly: ReadonlySet<Action> = new Set(["organization:create", "user:read", "user:write", "release:write"]);

t.test("each action, by each role", (t) => {
  t.strictSame([...actions].sort(), Object.keys(expected).sort());
  for (const action of actions) {
    const subject = platformOnly.has(action) ? {} : { organization: "Ours" };
    const found = Object.entries(who).map(([name, each]) => (may(each, action, subject) ? name : "-")).join(" ");
    t.equal(found, expected[action], action);
  }
  t.end();
});

t.test("nobody has a role in another organization, and none on the platform by one in an organization", (t) => {
  for (const action of actions.filter((each) => !expected[each].endsWith("nobody"))) {
    for (const name of ["manager", "contributor", "viewer"] as const) {
      t.notOk(may(who[name], action, { organization: "Theirs" }), `${name} ${action} elsewhere`);
      t.notOk(may(who[name], action), `${name} ${action} on the platform`);
    }
  }
  t.end();
});

t.test("the auditor changes nothing", (t) => {
  for (const action of actions.filter((each) => !each.endsWith(":read") && each !== "token:write")) t.notOk(may(who.auditor, action, { organization: "Ours" }), action);
  t.end();
});

t.test("a token does no more than its owner, its scopes and its organization", (t) => {
  const scoped = actor("admin", {}, { scopes: new Set<Action>(["cloudlet:read"]) });
  t.ok(may(scoped, "cloudlet:read", { organization: "Ours" }));
  t.notOk(may(scoped, "cloudlet:write", { organization: "Ours" }));
  const bound = actor("admin", {}, { onlyOrganization: "Ours" });
  t.ok(may(bound, "cloudlet:write", { organization: "Ours" }));
  t.notOk(may(bound, "cloudlet:write", { organization: "Theirs" }));
  t.notOk(may(bound, "user:write"));
  t.strictSame(organizationsFor(bound, "cloudlet:read"), ["Ours"]);
  const weak = actor(null, { Ours: "viewer" }, { scopes: new Set<Action>(["cloudlet:write"]) });
  t.notOk(may(weak, "cloudlet:write", { organization: "Ours" }));
  t.notOk(grantable.includes("token:write"), "a token makes no other, which would outlive it");
  t.end();
});

t.test("what a list is filtered by", (t) => {
  t.equal(organizationsFor(who.auditor, "cloudlet:read"), undefined);
  t.strictSame(organizationsFor(who.viewer, "cloudlet:read"), ["Ours"]);
  t.strictSame(organizationsFor(who.viewer, "cloudlet:write"), []);
  t.strictSame(organizationsFor(who.nobody, "cloudlet:read"), []);
  t.end();
});
