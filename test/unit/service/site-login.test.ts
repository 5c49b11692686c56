/** What a login becomes on its way to the site's client. */

import t from "tap";
import { readLogin } from "../../../src/service/direct/site-login.ts";

t.test("an application credential is taken for one, whoever has left out the kind of login", (t) => {
  const given = { OS_AUTH_URL: "https://keystone.example.net:5000/v3", OS_APPLICATION_CREDENTIAL_ID: "i", OS_APPLICATION_CREDENTIAL_SECRET: "hidden" };
  const read = readLogin("openstack", given);
  t.match(read, { ok: true, value: { variables: { ...given, OS_AUTH_TYPE: "v3applicationcredential" }, secrets: ["hidden"] } });
  t.match(readLogin("openstack", { ...given, OS_AUTH_TYPE: "password" }), { value: { variables: { OS_AUTH_TYPE: "password" } } }, "what was said stays");
  const { OS_APPLICATION_CREDENTIAL_SECRET: _, ...others } = given;
  t.strictSame(Object.keys((readLogin("openstack", { ...others, OS_PASSWORD: "hidden" }) as { value: { variables: object } }).value.variables).includes("OS_AUTH_TYPE"), false);
  t.end();
});
