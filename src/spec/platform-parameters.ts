/** Which schema `platform.parameters` obeys, by platform type. A new IaaS adds one line here and one schema. */

import type { Validator } from "./schema-issues.ts";
import { platformLibvirt, platformOpenstack, platformVcd, platformVmpool, platformVsphere } from "./generated/validators.js";

/** A platform that is not named here takes no parameters. */
export const PARAMETER_VALIDATORS: Readonly<Record<string, Validator>> = {
  libvirt: platformLibvirt,
  openstack: platformOpenstack,
  vcd: platformVcd,
  vmpool: platformVmpool,
  vsphere: platformVsphere,
};
