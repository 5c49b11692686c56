#!/bin/sh
# Makes the two values of guestinfo for who sets them by hand in the vSphere Client; site/runbook.md says when.
#
#   sh lib/vsphere-by-hand.sh SECRETS FOLDER MAC...
#
# SECRETS is a file as site/secrets.template describes.
# FOLDER gets metadata and userdata, one line each, mode 0600. MAC: of each network adapter, in order.
# shellcheck disable=SC2034,SC2154 # variables that the parts read
set -eu
umask 077
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname -- "$0")/.." && pwd -P)
carriage_return=$(printf '\r')
quiet=no bold='' red='' yellow='' green='' plain=''
for part in say progress findings site secrets guest vmware-guest vsphere-guestinfo; do
    # shellcheck source=/dev/null
    . "$here/lib/$part.sh"
done
site_load "$here/site.env"

wrong() {
    printf 'vsphere-by-hand.sh: %s\nUsage: sh lib/vsphere-by-hand.sh SECRETS FOLDER MAC...\n' "$1" >&2
    exit 2
}

[ $# -ge 3 ] || wrong "SECRETS, FOLDER and the hardware addresses are needed"
secrets_file=$1 folder=$2
shift 2
[ $# -eq "$CB_NETWORK_COUNT" ] || wrong "the VM has $CB_NETWORK_COUNT network adapters, $# addresses were given"
work=$(mktemp -d "${TMPDIR:-/tmp}/cloudlet-bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
: >"$work/findings"
for mac in "$@"; do
    # cloud-init and the VM's kernel write them so.
    mac=$(printf '%s' "$mac" | tr 'A-F-' 'a-f:')
    printf '%s\n' "$mac" | grep -Eqx '([0-9a-f]{2}:){5}[0-9a-f]{2}' || wrong "not a hardware address: $mac"
    printf '%s\n' "$mac" >>"$work/cards"
done
secrets_check
[ "$(findings_count)" = 0 ] || {
    findings_show >&2
    exit 1
}
guestinfo_values "$here" "$work/cards"
for name in metadata userdata; do
    size=$(($(wc -c <"$work/$name")))
    [ "$size" -le "$guestinfo_limit" ] || stop 1 guestinfo/too-large "guestinfo.$name has $size bytes, VMware takes $guestinfo_limit" \
        "Give shorter secrets, or ask for a bundle that says less."
done
mkdir -p "$folder"
mv -f "$work/metadata" "$work/userdata" "$folder/"
printf 'made: %s/metadata and %s/userdata\n' "$folder" "$folder"
