# What a VM on VMware is told: user-data and network-config with what only the site knows filled in, and how they travel.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# vmware_fill IN OUT: secrets and hardware addresses where their placeholders stand. $work/macs has "NUMBER MAC", one line a
# card. No secret is an argument or in the environment of a process; OUT has mode 0600.
vmware_fill() {
    guest_fill "$1" "$2"
    rm -f "$2.new"
    LC_ALL=C awk '
        FILENAME == ARGV[1] { mac[$1] = tolower($2); next }
        { text = ""
          while (match($0, /@@CLOUDLET-PORT-MAC:[0-9]+@@/)) {
              text = text substr($0, 1, RSTART - 1) mac[substr($0, RSTART + 20, RLENGTH - 22)]
              $0 = substr($0, RSTART + RLENGTH)
          }
          print text $0 }' "$work/macs" "$2" >"$2.new" && chmod 600 "$2.new" && mv -f "$2.new" "$2"
}

# vmware_packed FILE: its gzip as base64, in one line: how guestinfo takes it with encoding gzip+base64, and how cloud-init's OVF
# datasource takes user-data. No name and no time is in it, so the same gzip makes the same bytes each time.
vmware_packed() {
    gzip -9nc <"$1" | base64 | tr -d '\n'
}

# vmware_properties FOLDER: the long values of the OVF properties, one line each, in $work/user-data-value and
# $work/network-config-value. The OVF datasource wants network-config below one name (cloud-init, DataSourceOVF).
vmware_properties() {
    vmware_fill "$1/$CB_USER_DATA" "$work/user-data"
    vmware_packed "$work/user-data" >"$work/user-data-value"
    vmware_fill "$1/$CB_NETWORK_CONFIG" "$work/network-config"
    { printf 'network:\n'; sed 's/^./  &/' "$work/network-config"; } | base64 | tr -d '\n' >"$work/network-config-value"
    rm -f "$work/user-data" "$work/network-config"
}

# vmware_member FILE KEY: the value of a line "KEY: VALUE" of meta-data; the writer quotes what YAML would misread.
vmware_member() {
    sed -n "s/^$2: *//p" "$1" | sed "s/^'\(.*\)'\$/\1/; s/''/'/g" | head -n 1
}
