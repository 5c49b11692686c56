/** The text of an OpenIdConnect document to an `OidcConfig`. */

import { outcome, type Issue, type Outcome } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { entries, type Draft } from "../../spec/draft.ts";
import { readForm, type DocumentForm } from "../../spec/read-document.ts";
import { error } from "../../spec/rules/rule.ts";
import { validateOidc } from "../../spec/validators.ts";
import { isLoopback } from "../../store/sources/http-send.ts";
import { withoutSlash, type IssuerConfig, type OidcConfig } from "./config.ts";

type Written = Partial<IssuerConfig> & Pick<IssuerConfig, "issuer" | "audience" | "rules">;

export function readOidcConfig(text: string): Outcome<OidcConfig> {
  const read = readForm<OidcConfig>(text, form);
  if (!read.ok) return read;
  // The schema and the rules together are what the type says.
  const { issuers } = read.value as unknown as { readonly issuers: readonly Written[] };
  return outcome(read.issues, () => ({ issuers: issuers.map((each) => ({ ...defaults, ...each, issuer: withoutSlash(each.issuer) })) }));
}

/** RFC 9068 section 2.1 wants RS256 of everybody; the others are what providers sign with by default. */
const defaults = { algorithms: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"], tokenTypes: ["at+jwt"], nameClaim: "preferred_username", clockSkewSeconds: 60, lifetimeHours: 24 } as const;

const form: DocumentForm<OidcConfig> = {
  kind: "OpenIdConnect",
  validate: validateOidc,
  parts: () => [],
  rules: (draft) => [...twice(draft), ...entries(draft.issuers).flatMap(([index, each]) => issuerIssues(each, below("/issuers", index)))],
  mayBreakLines: () => false,
};

function twice({ issuers }: Draft<OidcConfig>): readonly Issue[] {
  const seen = new Set<string>();
  return entries(issuers).flatMap(([index, { issuer }]) => {
    if (issuer === undefined) return [];
    const name = withoutSlash(issuer);
    const again = seen.has(name);
    seen.add(name);
    return again ? [error("service/oidc-issuer", below("/issuers", index, "issuer"), "this issuer is listed before; a slash at the end makes no other", "give all of its rules in one place")] : [];
  });
}

function issuerIssues(each: Draft<IssuerConfig>, pointer: string): readonly Issue[] {
  const { issuer, keysUrl, keysFile } = each;
  const wrong = issuer === undefined ? undefined : (unsafe(issuer) ?? (/[?#]/.test(issuer) ? "an issuer has no query and no fragment" : undefined));
  return [
    ...(wrong === undefined ? [] : [error("service/oidc-issuer", below(pointer, "issuer"), wrong, "write it as `issuer` of its /.well-known/openid-configuration does")]),
    ...(keysUrl === undefined ? [] : keyIssues(keysUrl, below(pointer, "keysUrl"))),
    ...(keysUrl === undefined || keysFile === undefined ? [] : [error("service/oidc-keys", below(pointer, "keysFile"), "the keys come from a URL or from a file, not from both", "take one of them out")]),
    ...entries(each.rules).flatMap(([index, rule]) => ruleIssues(rule, below(pointer, "rules", index))),
  ];
}

function keyIssues(url: string, pointer: string): readonly Issue[] {
  const wrong = unsafe(url);
  return wrong === undefined ? [] : [error("service/oidc-keys", pointer, wrong, "give the https URL that the provider names as jwks_uri")];
}

/** OpenID Connect Discovery 1.0 section 3 wants https; whoever can change what is on the way could put in keys of their own. */
function unsafe(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || /\s/.test(text)) return "this is no URL";
  if (url.username !== "" || url.password !== "") return "the URL holds credentials";
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)) ? undefined : "only https is safe; http is for this machine alone";
}

function ruleIssues(rule: Draft<IssuerConfig["rules"][number]>, pointer: string): readonly Issue[] {
  const { platformRole, organization, role } = rule;
  const isPlatform = platformRole !== undefined && organization === undefined && role === undefined;
  const isMember = platformRole === undefined && organization !== undefined && role !== undefined;
  // What the schema has taken out was given, too.
  const isJudged = ["platformRole", "organization", "role"].every((name) => !Object.hasOwn(rule, name) || rule[name as "role"] !== undefined);
  if (isPlatform || isMember || !isJudged) return [];
  return [error("service/oidc-rule", pointer, "a rule gives one role: platformRole, or role with organization", "make two rules of it, or add what is missing")];
}
