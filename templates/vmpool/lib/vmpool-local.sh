# --local: this machine is the one that becomes the PlatformVM. That this file is in a bundle tells that it can be.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# local_access: root, or nothing can be written where it has to be.
local_access() {
    [ "$(id -u)" = 0 ] || {
        finding host/not-root "with --local this machine is changed, for which one has to be root" "Run it as root: sudo ./install.sh --local …"
        return 1
    }
    for local_name in address port user identity known_hosts host_key; do
        ! grep -q "^$local_name=" "$work/parameters" || note parameter/unused "--parameter $local_name is not used with --local" ""
    done
}
