/** Limits of others that a bundle has to keep, each with its number and its reason. */

/** Nova refuses user-data of more than 65,535 characters of base64 (nova api/openstack/compute/schemas/servers.py). */
export const novaUserDataBytes = 49_149;

/** Glance, Heat, Neutron and Nova keep names in columns of this length. */
export const openstackNameLength = 255;

/** A host name is one label of a domain name: RFC 1035 section 2.3.4. */
export const hostNameLength = 63;

export const bytesPerGiB = 1_073_741_824;
