/** The schemas of `schemas/`, compiled ahead by scripts/generate-validators.ts. */

export {
  cloudlet as validateCloudlet,
  lock as validateLock,
  oidc as validateOidc,
  release as validateRelease,
} from "./generated/validators.js";
