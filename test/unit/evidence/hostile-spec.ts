/** A spec whose every free text would break out of a page that does not escape it. */

import { load } from "js-yaml";
import { specText } from "../../golden/cases.ts";

/** What each of them would do, it would do by setting `window.pwned` or by opening a dialog. */
export const hostileTexts: readonly string[] = [
  `"><script>window.pwned=1;alert(1)</script>`,
  `javascript:window.pwned=1;alert(1)//" onmouseover="window.pwned=1" autofocus onfocus="window.pwned=1`,
  `</style></title></desc></details></svg></ol></main><img src=x onerror=window.pwned=1>`,
  `<svg/onload=window.pwned=1><foreignObject><iframe src="javascript:parent.pwned=1"></iframe>`,
  `]]><a href="javascript:window.pwned=1">x</a><!-- <base href="//evil.invalid/"> <meta http-equiv=refresh content=0>`,
  `' style='position:fixed' &#60;script&#62; &lt;b&gt; {{constructor}} \${alert(1)} <!--#exec cmd=id-->`,
  "W".repeat(200),
  "\u05d0\u05d1\u05d2 \u200f\u200e\u00ad\u200b\u2060 \u0627\u0644 e\u0301\u0301\u0301\u0301",
];

interface Loose {
  [key: string]: never;
}

/** The golden case "everything" with these texts in every field that takes any text, turned by `turn` places. */
export function hostileSpec(turn: number): string {
  let count = turn;
  const hostile = (): never => {
    count += 1;
    // A number of its own, for names must differ.
    return `${hostileTexts[count % hostileTexts.length] ?? ""} ${count}` as never;
  };
  const all = (node: Loose, ...keys: readonly string[]): void => {
    for (const key of keys) node[key] = hostile();
  };
  const spec = load(specText("everything")) as Record<string, Loose> & {
    compute: Loose;
    networks: { external: readonly (Loose & { address?: Loose & { pool?: string } })[]; internal: Loose };
    firewall: { ingress: readonly Loose[]; egress: readonly Loose[] };
    users: readonly { sshAuthorizedKeys: string[] }[];
    trust: { sshUserCaKeys: string[] };
    gpu: { properties: Loose };
    platform: { parameters: Loose & Record<"extraFlavorProperties" | "imageProperties" | "serverMetadata", Loose> };
    secrets: readonly Loose[];
    audit: { waivers: readonly Loose[] };
  };
  all(spec.compute, "flavor");
  for (const network of spec.networks.external) {
    all(network, "name");
    if (network.address?.pool !== undefined) all(network.address, "pool");
  }
  all(spec.networks.internal, "name");
  for (const rule of [...spec.firewall.ingress, ...spec.firewall.egress]) all(rule, "description");
  for (const keys of [...spec.users.map((user) => user.sshAuthorizedKeys), spec.trust.sshUserCaKeys]) {
    for (const [index, key] of keys.entries()) keys[index] = `${key.split(" ").slice(0, 2).join(" ")} ${hostile() as string}`;
  }
  all(spec["kafka"] as Loose, "user");
  const { extraFlavorProperties, imageProperties, serverMetadata } = spec.platform.parameters;
  for (const node of [spec.gpu.properties, spec["environment"] as Loose, extraFlavorProperties, imageProperties, serverMetadata]) all(node, ...Object.keys(node).filter((key) => !["OS_AUTH_URL", "MEX_ENABLE_ANTI_AFFINITY", "hw_disk_bus", "hw_scsi_model"].includes(key)));
  all(spec.platform.parameters, "securityGroupName", "volumeType", "keyName");
  for (const slot of spec.secrets) all(slot, "description");
  for (const waiver of spec.audit.waivers) all(waiver, "reason");
  return JSON.stringify(spec, null, 1);
}
