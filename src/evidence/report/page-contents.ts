/** The report's page: exposure, resources, software, keys, secrets, and every reference to an outside. */

import type { Resources } from "../../spec/spec.ts";
import type { ReferenceClass } from "../audit/reference-classes.ts";
import { code, section, table } from "../page/blocks.ts";
import type { Markup } from "../page/html.ts";
import { html } from "../page/html.ts";
import type { ReportKeys, ReportPolicy, SshKey } from "./keys.ts";
import type { Page } from "./page.ts";
import { fileAnchor, placesInline, stateTag } from "./page.ts";
import { pictureOf } from "./picture.ts";
import type { Report } from "./report.ts";
import { bytesText, grouped, timeText } from "./show-figures.ts";

export function exposure(page: Page): Markup {
  const { exposure: of, about } = page.report;
  const { passes, networks, internal, pool, calls } = of;
  const passRows = passes.map(({ direction, cidr, who, protocol, ports, by, places }) => [direction === "in" ? "comes in" : "goes out", who, code(cidr), protocol, ports, by.join(", "), placesInline(page, places, 3)]);
  const netRows = networks.map(({ card, name, purpose, mode, addresses, cidr, gateway, defaultRoute }) => [
    `card ${card}`,
    name,
    purpose,
    addresses.length === 0 ? mode : code(addresses.join(", ")),
    cidr === undefined ? "known to the site only" : code(cidr),
    gateway === undefined ? "" : code(gateway),
    defaultRoute ? "yes" : "",
  ]);
  const inner = internal === undefined ? [] : [["internal", internal.name, "the cloudlet's own VMs", "", code(internal.cidr), "", ""]];
  return section(
    "exposure",
    "Network exposure",
    html`<figure>
<div class="picture" tabindex="0" role="region" aria-label="Picture of the network exposure">${pictureOf(of, about.cloudlet.name)}</div>
<figcaption class="soft">Read from the firewall rules in the files. Beside them pass only: what belongs to a connection that is there, ICMP, and DHCP. All else is dropped.</figcaption>
</figure>
${table("What may pass", ["!Direction", "Who", "!Addresses", "!Protocol", "!Ports", "Held by", "Where"], passRows)}
${netRows.length + inner.length === 0 ? undefined : table("Networks", ["!Card", "Name", "Purpose", "Address", "!Block", "!Gateway", "!Default route"], [...netRows, ...inner])}
${pool.length === 0 ? undefined : table("Machines of the pool", ["Name", "Addresses", "Becomes"], pool.map(({ name, addresses, platform }) => [name, code(addresses.join(", ")), platform ? "the PlatformVM" : ""]))}
${table("Whom it is told to call", ["What for", "Address"], calls.map(({ what, address }) => [what, code(address)]))}`,
  );
}

export function resources({ resources: of }: Report): Markup {
  const row = (name: string, { vcpus, memoryMiB, diskGiB, gpus }: Resources): readonly (string | number)[] => [name, grouped(vcpus), `${grouped(memoryMiB)} MiB`, `${grouped(diskGiB)} GiB`, grouped(gpus)];
  const vms = of.machines === 1 ? "one PlatformVM" : `${of.machines} PlatformVMs, each`;
  const quotas = of.quotas.map(({ name, value, alertThreshold }) => [name, grouped(value), alertThreshold === undefined ? "" : `${alertThreshold} %`]);
  return section(
    "resources",
    "Resources",
    html`<p>${of.flavor === undefined ? "No flavor is named" : html`Flavor <code>${of.flavor}</code>`};
${of.machines === 1 ? "one PlatformVM" : "two PlatformVMs, primary and secondary"}; ${grouped(of.dynamicIps)} addresses for the cloudlet's own VMs.</p>
${table("What is needed", ["For", "#vCPU", "#Memory", "#Disk", "#GPU"], [row(vms, of.platformVm), row("all that runs beside them", of.tenant)])}
${quotas.length === 0 ? undefined : table("Quotas", ["Of", "#At most", "#Alert at"], quotas)}`,
  );
}

export function software({ software: of, verdict }: Report): Markup {
  const { vmImage, containers, payload, generator, sboms } = of;
  const counted = (packages: number | null): string => (packages === null ? "not known" : grouped(packages));
  const rows = [
    ["VM image", `${vmImage.name} ${vmImage.version} (${vmImage.format})`, bytesText(vmImage.size), counted(vmImage.packages), code(vmImage.digest)],
    ...containers.map(({ role, image, layers, size, packages, digest }) => [`container ${role}`, html`${image}, ${layers} ${layers === 1 ? "layer" : "layers"}`, bytesText(size), counted(packages), code(digest)]),
    ["payload", "all containers in one archive", bytesText(payload.size), "", code(payload.digest)],
  ];
  return section(
    "software",
    "Software",
    html`<p>Every component, down to the packages in the layers, stands in ${sboms.map((path, index) => html`${index === 0 ? "" : " and "}<a href="#${fileAnchor(path)}"><code>${path}</code></a>`)}.</p>
${table("What runs", ["!What", "Name", "#Size", "#Packages", "Digest"], rows)}
${table("Scorecard of the SBOM", ["!Row", "Asks that", "!State", "Found"], verdict.scorecard.map(({ id, title, state, message }) => [code(id), title, stateTag(state), message]))}
<details><summary>Made by ${generator.name} ${generator.version}, which is built of ${generator.parts.length} packages</summary>
${table("Packages of the program", ["!Package", "!Version", "Licence"], generator.parts.map(({ name, version, licence }) => [name, version, licence]))}</details>`,
  );
}

export function keys({ keys: of, signature, secrets }: Report): Markup {
  const slots = secrets.map(({ name, description, required, target }) => [code(name), description, required ? "yes" : "no", code(target)]);
  return section(
    "keys",
    "Keys and trust",
    html`<h3 id="signature">The signature</h3>
<p>A key found in a bundle proves nothing. Get the fingerprint by another channel than the bundle, and compare:</p>
<ol class="steps">${signature.map(({ proves, command }) => html`<li>${proves}<code>${command}</code></li>`)}</ol>
${of.policies.length === 0 ? html`<p>One key signs this bundle; it carries no trust policy.</p>` : of.policies.map(policy)}
<h3>Who may log in</h3>
${logins(of)}
<h3>Whom the guest trusts</h3>
${certificates(of)}
<h3>Secrets</h3>
<p>Values of secrets travel in a file of their own. These are the slots that wait for them.</p>
${table("Slots", ["!Name", "What it is", "Needed", "Goes to"], slots)}`,
  );
}

function policy({ version, fingerprint, threshold, until, keys: own }: ReportPolicy): Markup {
  return html`<h3>Trust policy ${version}</h3>
<p>${threshold} of ${own.length} keys must sign; it holds until: ${until}. Its fingerprint: ${code(fingerprint)}</p>
${table(`Keys of policy ${version}`, ["Name", "Fingerprint"], own.map((key) => [key.name, code(key.fingerprint)]))}`;
}

function logins({ users, sshAuthorities, siteKeyPair, hostKeys }: ReportKeys): Markup {
  const row = (who: string, { type, comment, fingerprint }: SshKey): readonly (string | Markup)[] => [who, type, comment, code(fingerprint)];
  const rows = [
    ...users.flatMap(({ name, sudo, keys: own }) => own.map((key) => row(`${name}${sudo ? ", with sudo" : ""}`, key))),
    ...sshAuthorities.map((key) => row("whoever this authority vouches for", key)),
  ];
  const hosts = hostKeys.map(({ machine, key }) => row(machine, key));
  return html`${rows.length === 0 ? html`<p>Nobody: the spec names no user.</p>` : table("SSH keys", ["Who", "!Type", "Comment", "Fingerprint"], rows)}
${siteKeyPair === null ? undefined : siteKey(siteKeyPair)}
${hosts.length === 0 ? undefined : table("Host keys of the pool's machines", ["Machine", "!Type", "Comment", "Fingerprint"], hosts)}`;
}

function siteKey({ name }: { readonly name: string | null }): Markup {
  const choice = html`whoever installs may choose another with ${code("--parameter key_name=NAME")}. The cloud holds the key; it is not in the bundle.`;
  return name === null
    ? html`<p>The spec names no Nova key pair for the image's default user; ${choice}</p>`
    : html`<p>The image's default user gets the Nova key pair ${code(name)}; ${choice}</p>`;
}

function certificates({ certificates: all }: ReportKeys): Markup {
  if (all.length === 0) return html`<p>No certificate authority besides those of the VM image.</p>`;
  const rows = all.map(({ subject, issuer, notAfter, fingerprint }) => [subject, issuer, html`<time datetime="${notAfter}">${timeText(notAfter)}</time>`, code(fingerprint)]);
  return table("Certificates", ["Subject", "Issuer", "Good until", "Fingerprint"], rows);
}

export function references(page: Page): Markup {
  const all = page.report.references;
  const tagOf = (name: ReferenceClass): Markup => html`<span class="tag${name === "unclassified" || name === "forbidden" ? " bad" : ""}">${name}</span>`;
  const rows = all.map(({ kind, text, class: of, reason, places }) => [code(text), kind, tagOf(of), reason, placesInline(page, places, 3)]);
  return section(
    "references",
    "Air-gap closure",
    html`<p>Every URL, address, host, image and repository that a text of the bundle refers to.
<i>site</i>: the spec names it; <i>controller</i>: the release does; <i>bundle</i>: it travels inside; <i>local</i>: it never leaves the
machine or its link; <i>document</i>: a word that nothing acts on.</p>
<details><summary>${grouped(all.length)} references</summary>${table("References", ["Reference", "!Kind", "!Class", "Why", "Where"], rows)}</details>`,
  );
}
