/** The platform types this build knows, by name alone. */

export const platformNames: readonly string[] = ["openstack"];
