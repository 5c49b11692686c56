/** What is found in a booted guest, on its disk and in its memory, is what was planned: not less, and nothing else. */

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import t from "tap";
import { buildBundle } from "../bundle.ts";
import { cloudInitErrors, kvmFullSpec, payloadOf, roles, untilHealthy } from "./cloudlets.ts";
import { lab, machine, patience } from "./guest.ts";
import { noCloud, userData } from "./seed.ts";

interface PlannedFile {
  readonly path: string;
  readonly owner: string;
  readonly permissions: string;
  readonly encoding?: "b64";
  readonly content: string;
}

interface Planned {
  readonly hostname: string;
  readonly write_files: readonly PlannedFile[];
}

interface Ethernet {
  readonly match: { readonly macaddress: string };
  readonly addresses?: readonly string[];
  readonly mtu?: number;
  readonly routes?: readonly { readonly to: string; readonly via: string }[];
}

/** Folders of which every file is accounted for. */
const watched = ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var/lib/cloudlet"];

/** What cloud-init, systemd, netplan and the engine make or change at any first boot, whatever they are told. */
const usual: readonly RegExp[] = [
  /^\/etc$|^\/etc\/(machine-id|hostname|hosts|localtime|timezone|adjtime|\.updated|\.pwd\.lock)$/,
  /^\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)-?$/,
  /^\/etc\/ssh\/ssh_host_ed25519_key(\.pub)?$/,
  /^\/home\/(debian|operator|auditor)(\/|$)/,
  /^\/root\/\.ssh(\/|$)/,
  /^\/etc\/(cni\/net\.d\/cni\.lock|containers\/networks(\/netavark\.lock)?)$/,
  // Where the guest keeps a mark that its files are written.
  /^\/var\/lib\/cloudlet\/installed$/,
];

/** Made because of what user-data and network-config say, but not by write_files. */
const besides: readonly string[] = [
  "/etc/cloudlet",
  "/etc/cloudlet/containers",
  "/etc/netplan/50-cloud-init.yaml",
  "/etc/ssh/sshd_config.d/50-cloud-init.conf",
  "/etc/sudoers.d",
  "/etc/sudoers.d/90-cloud-init-users",
  "/etc/systemd/resolved.conf.d",
  "/etc/systemd/system/multi-user.target.wants/cloudlet-bootstrap.service",
  "/etc/systemd/system/multi-user.target.wants/cloudlet-firewall.service",
  "/etc/systemd/system/timers.target.wants/cloudlet-health.timer",
  "/etc/systemd/timesyncd.conf.d",
  "/etc/systemd/timesyncd.conf.d/cloud-init.conf",
  "/root/accesskey",
  "/root/crm_cache",
  "/var/lib/cloudlet",
  "/var/lib/cloudlet/payload",
];

const folder = mkdtempSync(join(tmpdir(), "boot-inventory-"));
t.teardown(() => rmSync(folder, { recursive: true }));
t.setTimeout(600_000 * patience);
const bundle = await buildBundle("boot-inventory", kvmFullSpec);
const told = load(userData(bundle)) as Planned;
const network = load(readFileSync(join(bundle.folder, "site/network-config"), "utf8")) as { readonly ethernets: Readonly<Record<string, Ethernet>> };
const ethernets = Object.values(network.ethernets);
const cards = ethernets.map(({ match }) => match.macaddress);
const seed = noCloud(folder, bundle, "with-cards");
const running = await machine(folder, "inventory", "podman").boot({ disks: [seed, payloadOf(bundle)], cards });
t.teardown(() => running.cut());
await untilHealthy(running);
t.strictSame(await cloudInitErrors(running), [], "cloud-init has done all that it was told");

t.test("every file of user-data is there: content, owner, mode", async (t) => {
  for (const file of told.write_files) {
    const bytes = Buffer.from(file.content, file.encoding === "b64" ? "base64" : "utf8");
    const digest = createHash("sha256").update(bytes).digest("hex");
    const seen = await running.read(`stat -c '%U:%G %04a %F' '${file.path}'; sha256sum <'${file.path}' | cut -d ' ' -f 1`);
    t.equal(seen, `${file.owner} ${mode(file.permissions)} regular file\n${digest}\n`, file.path);
  }
});

t.test("no other file has come or changed its mode or owner", async (t) => {
  const before = new Set(readFileSync(join(lab, "podman.files"), "utf8").trim().split("\n"));
  const now = (await running.read(`find ${watched.join(" ")} -printf '%y %m %U %G %p\\n'`)).trim().split("\n");
  const planned = new Set(told.write_files.map(({ path }) => path));
  const come = now.filter((line) => !before.has(line)).map((line) => line.split(" ").slice(4).join(" "));
  t.strictSame(come.filter((path) => !planned.has(path) && !usual.some((pattern) => pattern.test(path))).sort(), [...besides].sort());
});

t.test("units: those that are planned, in the state that is planned", async (t) => {
  const files = await running.read("systemctl list-unit-files --plain --no-legend 'cloudlet-*' | awk '{ print $1, $2 }' | sort");
  t.strictSame(files.trim().split("\n"), [
    "cloudlet-bootstrap.service enabled",
    "cloudlet-container@.service static",
    "cloudlet-firewall.service enabled",
    "cloudlet-health.service static",
    "cloudlet-health.timer enabled",
  ]);
  const active = await running.read("systemctl list-units --plain --no-legend --state=active 'cloudlet-*' | awk '{ print $1, $4 }' | sort");
  t.strictSame(active.trim().split("\n"), [
    "cloudlet-bootstrap.service exited",
    ...roles.split(",").sort().map((role) => `cloudlet-container@${role}.service running`),
    "cloudlet-firewall.service exited",
    "cloudlet-health.timer waiting",
  ]);
  t.equal((await running.read("systemctl --failed --plain --no-legend")).trim(), "", "no unit has failed");
});

t.test("containers run what is planned: image, arguments, the host's network", async (t) => {
  for (const role of roles.split(",")) {
    const environment = told.write_files.find(({ path }) => path === `/etc/cloudlet/containers/${role}.env`)?.content ?? "";
    const words = [...environment.matchAll(/^CB_ARGUMENT_\d+='(.*)'$/gm)].map((match) => match[1]);
    const image = /^CB_IMAGE_ID='sha256:(\w+)'$/m.exec(environment)?.[1];
    const seen = await running.read(`podman inspect --format '{{.Image}} {{.HostConfig.NetworkMode}} {{json .Config.Cmd}}' ${role}`);
    t.equal(seen.trim(), `${image} host ${words.length === 0 ? "null" : JSON.stringify(words)}`, role);
  }
});

t.test("addresses, MTU and routes are those of the plan", async (t) => {
  interface Link {
    readonly address: string;
    readonly mtu: number;
    readonly addr_info: readonly { readonly scope: string; readonly local: string; readonly prefixlen: number }[];
  }
  const links = JSON.parse(await running.read("ip -j address")) as readonly Link[];
  for (const { match, addresses, mtu } of ethernets) {
    const link = links.find(({ address }) => address === match.macaddress);
    const seen = link?.addr_info.filter(({ scope }) => scope === "global").map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    t.strictSame([seen, link?.mtu], [addresses, mtu ?? 1500], match.macaddress);
  }
  const planned = ethernets.flatMap(({ routes }) => (routes ?? []).map(({ via }) => via));
  const routes = JSON.parse(await running.read("ip -j route show default")) as readonly { readonly gateway: string }[];
  t.strictSame(routes.map(({ gateway }) => gateway), planned);
});

t.test("listening ports: sshd's and the containers', and the name service's own", async (t) => {
  const health = [...(told.write_files.find(({ path }) => path === "/etc/cloudlet/bootstrap.env")?.content ?? "").matchAll(/HEALTH_PORT='(\d+)'/g)].map((match) => match[1]);
  const seen = await running.read("ss -Hltn | awk '$4 !~ /^127\\./ && $4 !~ /^\\[::1\\]/ { sub(/.*:/, \"\", $4); print $4 }' | sort -un");
  // 5355: systemd-resolved's LLMNR, of the image; the firewall lets nobody in.
  t.strictSame(seen.trim().split("\n"), ["22", "5355", ...health].sort((left, right) => Number(left) - Number(right)));
});

t.test("the firewall is the planned one, and comes first", async (t) => {
  for (const [program, path] of [["iptables", "/etc/cloudlet/firewall.v4"], ["ip6tables", "/etc/cloudlet/firewall.v6"]] as const) {
    const rules = (told.write_files.find((file) => file.path === path)?.content ?? "").split("\n").filter((line) => line.startsWith("-A ")).length;
    t.ok(rules > 0);
    t.equal((await running.read(`${program} -S | grep -c '^-A CLOUDLET-'`)).trim(), String(rules), `${program}: ${rules} rules`);
    t.match(await running.read(`${program} -S INPUT 1`), "-j CLOUDLET-IN");
    t.match(await running.read(`${program} -S OUTPUT 1`), "-j CLOUDLET-OUT");
  }
  const input = await running.read("iptables -S CLOUDLET-IN");
  t.match(input, "-s 192.0.2.0/28 -p tcp -m tcp --dport 22 -j ACCEPT");
  t.match(input, "-s 198.51.100.0/24 -p tcp -m tcp --dport 10000:10100 -j ACCEPT");
  t.match(input.trimEnd().split("\n").at(-1), "-A CLOUDLET-IN -j DROP");
});

t.test("people: keys, no passwords, root's rights for who is to have them", async (t) => {
  const people = await running.read("getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 { print $1, $7 }' | sort");
  t.strictSame(people.trim().split("\n"), ["auditor /bin/bash", "debian /bin/bash", "operator /bin/bash"]);
  const passwords = await running.read("awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow");
  t.equal(passwords, "", "nobody has a password");
  t.match(await running.read("cat /home/operator/.ssh/authorized_keys"), /^ssh-ed25519 \S+ operator@example\n$/);
  t.match(await running.read("cat /home/auditor/.ssh/authorized_keys"), /^ssh-ed25519 \S+ auditor@example\n$/);
  t.match(await running.read("sudo -l -U operator"), "(ALL) NOPASSWD: ALL");
  t.match(await running.read("sudo -l -U auditor"), "not allowed to run sudo");
});

t.test("sshd: keys alone, and the certificates of the planned authority", async (t) => {
  const settings = await running.read("sshd -T");
  for (const line of ["passwordauthentication no", "kbdinteractiveauthentication no", "permitemptypasswords no", "pubkeyauthentication yes", "trustedusercakeys /etc/ssh/trusted-user-ca-keys.pem"]) {
    t.ok(settings.split("\n").includes(line), line);
  }
  t.match(settings, /^permitrootlogin (no|without-password|prohibit-password|forced-commands-only)$/m);
});

t.test("name, time zone, name and time servers; the root file system has the whole disk", async (t) => {
  t.equal((await running.read("hostname")).trim(), told.hostname);
  t.equal((await running.read("date +%Z")).trim(), "UTC");
  t.match(await running.read("resolvectl dns --no-pager"), /^Global: 192\.0\.2\.53$/m);
  t.match(await running.read("timedatectl show-timesync -p SystemNTPServers"), "192.0.2.123");
  const mebibytes = Number(await running.read("df -Pm / | awk 'NR == 2 { print $2 }'"));
  t.ok(mebibytes > 3600, `${mebibytes} MiB of 4096`);
});

function mode(permissions: string): string {
  return permissions.padStart(4, "0");
}
