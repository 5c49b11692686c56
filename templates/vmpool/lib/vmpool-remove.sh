# Uninstalling, and the proof that nothing is left.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# remove_list: what is going to be removed, one line each; the same goes to $work/owned, for the proof.
remove_list() {
    : >"$work/owned"
    [ -z "$owner_name" ] || [ "$owner_name" = "$CB_NAME" ] || stop 1 host/other-cloudlet \
        "$machine_title is the PlatformVM of another cloudlet, $owner_name" "Nothing was removed. Use that cloudlet's bundle."
    [ "$(fact look half)" != yes ] || printf 'folder /var/lib/cloudlet (a mark that was cut)\n'
    if [ -n "$owner_name" ]; then
        sed -n 's/^made //p; s/^\(image \)/\1/p' "$work/look" >"$work/owned"
        look_each CB_VP_CONTAINER ROLE container >>"$work/owned"
        sed 's/^folder /folder (if empty) /; s/^tree /folder with all in it /' "$work/owned"
        printf 'units, rules of the firewall, payloads\n'
    fi
    # What an earlier, interrupted uninstall knew.
    if [ -f "$state/owned" ]; then
        LC_ALL=C sort -u "$state/owned" "$work/owned" >"$work/owned-all"
        mv "$work/owned-all" "$work/owned"
    fi
}

remove_all() {
    cp "$work/owned" "$state/owned"
    say "removing it from $machine_title"
    machine_must remove "removing" remove </dev/null
}

# remove_prove: lists what is left of it, one line each, nothing if all is well.
remove_prove() {
    machine_must prove "looking for what is left" prove <"$work/owned"
    sed -n 's/^left //p' "$work/prove"
}
