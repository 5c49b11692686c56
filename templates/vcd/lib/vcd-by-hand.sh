#!/bin/sh
# Makes the values of the two long guest properties for who types them into vCloud Director; site/runbook.md says when.
#
#   sh lib/vcd-by-hand.sh SECRETS FOLDER MAC...
#
# SECRETS is a file as site/secrets.template describes. FOLDER gets user-data and network-config, one line each, mode 0600.
# MAC: of each network card, in order.
# shellcheck disable=SC2034,SC2154 # variables that the parts read
set -eu
umask 077
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname -- "$0")/.." && pwd -P)
carriage_return=$(printf '\r')
quiet=no bold='' red='' yellow='' green='' plain=''
for part in say progress findings site secrets guest vmware-guest; do
    # shellcheck source=/dev/null
    . "$here/lib/$part.sh"
done
site_load "$here/site.env"

wrong() {
    printf 'vcd-by-hand.sh: %s\nUsage: sh lib/vcd-by-hand.sh SECRETS FOLDER MAC...\n' "$1" >&2
    exit 2
}

[ $# -ge 3 ] || wrong "SECRETS, FOLDER and the hardware addresses are needed"
secrets_file=$1 folder=$2
shift 2
[ $# -eq "$CB_NETWORK_COUNT" ] || wrong "the VM has $CB_NETWORK_COUNT network cards, $# addresses were given"
work=$(mktemp -d "${TMPDIR:-/tmp}/cloudlet-bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
: >"$work/findings"
number=0
for mac in "$@"; do
    number=$((number + 1))
    mac=$(printf '%s' "$mac" | tr 'A-F-' 'a-f:')
    printf '%s\n' "$mac" | grep -Eqx '([0-9a-f]{2}:){5}[0-9a-f]{2}' || wrong "not a hardware address: $mac"
    printf '%s %s\n' "$number" "$mac" >>"$work/macs"
done
secrets_check
[ "$(findings_count)" = 0 ] || {
    findings_show >&2
    exit 1
}
vmware_properties "$here"
mkdir -p "$folder"
mv -f "$work/user-data-value" "$folder/user-data"
mv -f "$work/network-config-value" "$folder/network-config"
printf 'made: %s/user-data and %s/network-config\n' "$folder" "$folder"
