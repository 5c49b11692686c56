/** Ranges of addresses: what they are, what no spec may say of them, and which variables they speak for. */

import t from "tap";
import { countOf, formatRanges, parseRange, rangesOverlap, withoutFirst } from "../../../src/spec/ip-range.ts";
import type { IpRange } from "../../../src/spec/ip-range.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { specText } from "../../golden/cases.ts";

const range = (text: string): IpRange => parseRange(text) ?? t.fail(text) as never;
const least = specText("vsphere");
const written = "{mode: range, ranges: [203.0.113.10-203.0.113.40], prefix: 24, gateway: 203.0.113.1}";

function issues(spec: string): readonly string[] {
  return readSpec(spec, { platforms: ["vsphere", "libvirt"] }).issues.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
}

function withRanges(ranges: string, more = "prefix: 24, gateway: 203.0.113.1"): string {
  return least.replace(written, `{mode: range, ranges: [${ranges}], ${more}}`);
}

t.test("ranges", (t) => {
  t.equal(countOf([range("203.0.113.10-203.0.113.40"), range("203.0.113.50")]), 32n);
  t.equal(formatRanges(withoutFirst([range("203.0.113.10-203.0.113.11"), range("203.0.113.50")]), 24), "203.0.113.11/24-203.0.113.11/24,203.0.113.50/24-203.0.113.50/24");
  t.equal(formatRanges(withoutFirst([range("203.0.113.10"), range("203.0.113.50")]), 24), "203.0.113.50/24-203.0.113.50/24", "a range of one is gone with it");
  t.strictSame(withoutFirst([range("2001:db8::1")]), []);
  t.equal(formatRanges(withoutFirst([range("2001:db8::ff-2001:db8::1:5")]), 64), "2001:db8::100/64-2001:db8::1:5/64");
  t.ok(rangesOverlap(range("203.0.113.10-203.0.113.40"), range("203.0.113.40-203.0.113.50")));
  t.notOk(rangesOverlap(range("0.0.0.1-0.0.0.9"), range("::1-::9")), "families are apart");
  for (const text of ["", "-", "203.0.113.40-203.0.113.10", "203.0.113.10-2001:db8::1", "203.0.113.10-", "203.0.113.10-11", "1.2.3.4-1.2.3.5-1.2.3.6", "203.0.113.010"]) {
    t.equal(parseRange(text), undefined, text);
  }
  t.end();
});

t.test("what a spec may not say of them", (t) => {
  const at = "/networks/external/0/address/ranges";
  t.strictSame(issues(least), []);
  t.strictSame(issues(withRanges("203.0.113.10-203.0.113.30, 203.0.113.30-203.0.113.40")), [`spec/address-range ${at}/1: "203.0.113.30-203.0.113.40" overlaps "203.0.113.10-203.0.113.30"`]);
  t.strictSame(issues(withRanges("203.0.113.40-203.0.113.10")), [`spec/address-range ${at}/0: "203.0.113.40-203.0.113.10" is no range of addresses`]);
  t.strictSame(issues(withRanges("203.0.113.10-203.0.114.40")), [`spec/address-range ${at}/0: "203.0.113.10-203.0.114.40" is not within 203.0.113.0/24`]);
  t.strictSame(issues(withRanges("203.0.113.200-203.0.113.255")), [`spec/address-range ${at}/0: "203.0.113.200-203.0.113.255" holds the first or last address of 203.0.113.0/24`]);
  t.strictSame(issues(withRanges("203.0.113.10-203.0.113.40", "prefix: 24, gateway: 203.0.113.20")), [`spec/address-range ${at}/0: "203.0.113.10-203.0.113.40" holds the gateway 203.0.113.20`]);
  t.strictSame(issues(withRanges("203.0.113.10-203.0.113.17")), [`spec/address-range ${at}: besides the PlatformVM's own there are 7 addresses, and dynamicIps promises 8`]);
  t.match(issues(withRanges("203.0.113.10-203.0.113.40", "prefix: 40, gateway: 203.0.113.1")).join(), /^spec\/prefix .*at most 32 bits/);
  t.match(issues(withRanges("203.0.113.10-203.0.113.40", "prefix: 24, gateway: 203.0.114.1")).join(), /^spec\/gateway /);
  t.match(issues(least.replace("type: vsphere", "type: libvirt").replace(/ {2}parameters:\n( {4}.*\n)*/, "")).join(), /^spec\/address-range [^ ]+mode: "libvirt" gives no addresses of ranges/);
  t.end();
});

t.test("fields speak for variables, and must not be contradicted", (t) => {
  t.strictSame(issues(least.replace("  internal: {name: DC0_DVPG1, cidr: 10.101.0.0/16}\n", "")), ["spec/variable-missing : vsphere needs the variable MEX_INTERNAL_VSWITCH"]);
  const contradicted = least.concat('\nenvironment: {MEX_EXTERNAL_IP_RANGES: "203.0.113.10/24-203.0.113.40/24", MEX_EXTERNAL_NETWORK_MASK: "24", MEX_DATASTORE: other}\n');
  t.strictSame(issues(contradicted).map((each) => each.replace(/:.*/, "")), ["spec/variable-contradicts /environment/MEX_EXTERNAL_IP_RANGES", "spec/variable-contradicts /environment/MEX_DATASTORE"]);
  const dhcp = least.replace(written, "{mode: dhcp}");
  t.strictSame(issues(dhcp), ["spec/variable-missing : vsphere needs the variables MEX_EXTERNAL_IP_RANGES, MEX_EXTERNAL_NETWORK_GATEWAY, MEX_EXTERNAL_NETWORK_MASK"]);
  t.end();
});
