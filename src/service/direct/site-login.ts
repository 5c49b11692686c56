/** A login to an operator's IaaS, as somebody gives it: variables, or the text of an openrc or a clouds.yaml; only what is known passes. */

import { outcome, type Issue, type Outcome } from "../../core/issue.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import type { LoginPlatform } from "./direct-platform.ts";

export type GivenLogin = string | Readonly<Record<string, string>>;

export interface SiteLogin {
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that name a file, with what is to be in it: none of the service's own machine is ever named. */
  readonly files: Readonly<Record<string, string>>;
  /** Texts that nobody may see. */
  readonly secrets: readonly string[];
}

/** Where there is nobody to log in to. */
export const noLogin: SiteLogin = { variables: {}, files: {}, secrets: [] };

interface Known {
  readonly plain: RegExp;
  /** Given as text, which is written to a file. */
  readonly files: ReadonlySet<string>;
}

const known: Readonly<Record<LoginPlatform, Known>> = {
  openstack: {
    plain: /^OS_(AUTH_URL|AUTH_TYPE|USERNAME|USER_ID|PASSWORD|TOKEN|PASSCODE|(PROJECT|TENANT|USER_DOMAIN|PROJECT_DOMAIN|DOMAIN|DEFAULT_DOMAIN|TRUST)(_NAME|_ID)?|SYSTEM_SCOPE|APPLICATION_CREDENTIAL_(ID|NAME|SECRET)|REGION_NAME|INTERFACE|ENDPOINT_TYPE|INSECURE|CLOUD|[A-Z]+_API_VERSION)$/,
    files: new Set(["OS_CACERT", "OS_CERT", "OS_KEY"]),
  },
  vsphere: {
    plain: /^GOVC_(URL|USERNAME|PASSWORD|INSECURE|MIN_API_VERSION|VIM_VERSION)$/,
    files: new Set(["GOVC_TLS_CA_CERTS", "GOVC_TLS_KNOWN_HOSTS", "GOVC_CERTIFICATE", "GOVC_PRIVATE_KEY"]),
  },
};

/** A clouds.yaml beside variables such as OS_CLOUD. */
const cloudsName = "clouds.yaml";

/** Plugins of keystoneauth that read no file of the machine they run on. */
const authTypes = new Set(["password", "v3password", "v2password", "token", "v3token", "v3applicationcredential", "v3totp", "v3multifactor"]);

/** Every mistake at once; none of them says a value. */
export function readLogin(platform: LoginPlatform, given: GivenLogin): Outcome<SiteLogin> {
  const issues: Issue[] = [];
  const say = (message: string, hint?: string): void => void issues.push({ code: "service/site-login", severity: "error", pointer: "/credentials", message, ...(hint === undefined ? {} : { hint }) });
  const { variables: all, clouds } = typeof given === "string" ? ofText(given, say) : ofVariables(given);
  if (clouds !== undefined && platform !== "openstack") say("a clouds.yaml is OpenStack's; this platform has none");
  const variables: Record<string, string> = {};
  const files: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    if (known[platform].files.has(name)) {
      // Of a path the service would read a file of its own machine.
      if (/\n/.test(value.trim())) files[name] = value;
      else say(`${name} is a path, and files of the operator's machine are not here`, "give the file's text instead");
    } else if (!known[platform].plain.test(name)) say(`${JSON.stringify(name)} is no variable of a login to ${platform}`, "leave it out");
    else if (/[\0-\x1f\x7f]/.test(value)) say(`${name} has a control character in it`);
    else variables[name] = value;
  }
  const hidden = platform === "openstack" ? readOpenStack(variables, files, clouds, say) : readVSphere(variables, say);
  return outcome(issues, () => ({ variables, files, secrets: [...hidden, ...Object.values(files).flatMap(linesOfKey), ...Object.entries(variables).filter(([name]) => isSecret(name)).map(([, value]) => value)].filter((text) => text.length >= 3) }));
}

type Say = (message: string, hint?: string) => void;

interface Parts {
  readonly variables: Readonly<Record<string, string>>;
  readonly clouds?: string | undefined;
}

function ofVariables({ [cloudsName]: clouds, ...variables }: Readonly<Record<string, string>>): Parts {
  return { variables, clouds };
}

/** An openrc sets variables; whatever else is in it would have to be run, and nothing is. */
function ofText(text: string, say: Say): Parts {
  if (!/^\s*(export\s+)?[A-Z][A-Z0-9_]*=/m.test(text)) return { variables: {}, clouds: text };
  const variables: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#.*)?$/.test(line) || /^\s*unset(\s+[A-Z_]+)+\s*$/.test(line)) continue;
    const [, name, single, double, bare] = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(?:'([^']*)'|"((?:[^"\\$`]|\\["\\$`])*)"|([^\s'"\\$`;&|<>()#]*))\s*(?:#.*)?$/.exec(line) ?? [];
    const value = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? bare;
    if (name === undefined || value === undefined) say(`line ${index + 1} of the openrc is not NAME=value: nothing in it is run`, "give the value itself, a password too, or the variables as an object");
    else variables[name] = value;
  }
  return { variables };
}

function readOpenStack(variables: Record<string, string>, files: Record<string, string>, clouds: string | undefined, say: Say): readonly string[] {
  // keystoneauth takes a password to be meant where nothing else is named.
  if (variables["OS_APPLICATION_CREDENTIAL_SECRET"] !== undefined) variables["OS_AUTH_TYPE"] ??= "v3applicationcredential";
  checkAuthType(variables["OS_AUTH_TYPE"], say);
  // Written even where it is empty: else the client would look for one of this machine.
  files["OS_CLIENT_CONFIG_FILE"] = clouds ?? "clouds: {}\n";
  files["OS_CLIENT_SECURE_FILE"] = "clouds: {}\n";
  if (clouds === undefined) {
    if (variables["OS_CLOUD"] !== undefined) say("OS_CLOUD names a cloud of a clouds.yaml, and there is none", `give its text as "${cloudsName}"`);
    else if (variables["OS_AUTH_URL"] === undefined) say("there is no OS_AUTH_URL");
    return [];
  }
  const { value } = readYaml(clouds);
  const named = isObject(value) && isObject(value["clouds"]) ? value["clouds"] : undefined;
  if (named === undefined || Object.keys(named).length === 0) {
    say("the text is no clouds.yaml: it has no clouds, or is not YAML");
    return [];
  }
  const chosen = variables["OS_CLOUD"];
  const [only, ...others] = Object.keys(named);
  if (chosen === undefined && others.length > 0) say("the clouds.yaml has several clouds", `give the variables as an object: {"${cloudsName}": TEXT, "OS_CLOUD": NAME}`);
  else if (chosen !== undefined && !Object.hasOwn(named, chosen)) say("the clouds.yaml has no cloud of the name in OS_CLOUD");
  else variables["OS_CLOUD"] = chosen ?? only ?? "";
  return inClouds(value as JsonObject, say);
}

/** The secrets in it. Refuses what names a file. */
function inClouds(value: JsonObject, say: Say): readonly string[] {
  return Object.entries(value).flatMap(([name, of]) => {
    if (isObject(of)) return inClouds(of, say);
    if (Array.isArray(of)) return of.flatMap((each) => (isObject(each) ? inClouds(each, say) : []));
    if (/^(ca_?cert|cert|key|ca_?file|cert_?file|key_?file)$|(_|-)(file|path)$/i.test(name)) say(`the clouds.yaml names a file in ${JSON.stringify(name.slice(0, 60))}, and files of the operator's machine are not here`, "leave it out; give a CA's text as OS_CACERT");
    if (name === "auth_type" || name === "auth_plugin") checkAuthType(typeof of === "string" ? of : "", say);
    return isSecret(name) && of !== null ? [String(of)] : [];
  });
}

function checkAuthType(type: string | undefined, say: Say): void {
  if (type !== undefined && !authTypes.has(type)) say("the kind of login (auth_type) is not one that the service uses", `one of: ${[...authTypes].join(", ")}`);
}

function readVSphere(variables: Readonly<Record<string, string>>, say: Say): readonly string[] {
  if (variables["GOVC_URL"] === undefined) say("there is no GOVC_URL");
  for (const name of ["GOVC_USERNAME", "GOVC_PASSWORD"]) {
    // govc 0.3x and later reads them from a file where there is one of that name.
    if (/^\/|(^|\/)\.\.(\/|$)/.test(variables[name] ?? "")) say(`${name} looks like a path, which govc would read a file of this machine for`, "give the value itself");
  }
  const inUrl = /^(?:[a-z]+:\/\/)?[^/@]*?:([^/]*)@/i.exec(variables["GOVC_URL"] ?? "")?.[1];
  return inUrl === undefined ? [] : [inUrl];
}

function isSecret(name: string): boolean {
  return /pass(word|code|phrase)|secret|token/i.test(name);
}

/** Lines of a private key; a certificate is no secret. */
function linesOfKey(text: string): readonly string[] {
  return /PRIVATE KEY/.test(text) ? text.split(/\r?\n/).filter((line) => line.length >= 8 && !line.startsWith("-----")) : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
