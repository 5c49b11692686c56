# Uninstalling, and the proof that nothing is left.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# remove_list: what is going to be removed, one line each; ids of all that the stack made go to $work/owned.
remove_list() {
    : >"$work/owned"
    if [ "$stack_status" != absent ]; then
        client stack resource list "$CB_NAME" -f value -c physical_resource_id -c resource_type -c resource_name \
            >"$work/owned-rows" 2>"$work/owned.error" || not_found owned || trouble_stop owned "listing the stack's resources"
        # Name, id, type: the order is Heat's. What was never made has no id, which leaves two spaces.
        awk -F'[ ]' '$2 != "" { print $2 }' "$work/owned-rows" >"$work/owned"
        printf 'stack %s (%s)\n' "$CB_NAME" "$stack_status"
        awk -F'[ ]' '$2 != "" { print "  " $3 " " $1 }' "$work/owned-rows"
    fi
    images_ours
    sed 's/^/image /' "$work/images-ours"
    # What an earlier, interrupted uninstall knew.
    if [ -f "$state/owned" ]; then
        LC_ALL=C sort -u "$state/owned" "$work/owned" >"$work/owned-all"
        mv "$work/owned-all" "$work/owned"
    fi
}

# remove_all: the stack first, for a volume may still be made from the image.
remove_all() {
    cp "$work/owned" "$state/owned"
    say "removing the stack"
    stack_remove
    say "removing the images"
    images_prune
}

# remove_prove: lists what is left of it, one line each, nothing if all is well. Clouds take a moment: five tries.
remove_prove() {
    prove_tries=0
    while :; do
        prove_ask
        prove_left >"$work/left"
        prove_tries=$((prove_tries + 1))
        [ -s "$work/left" ] && [ "$prove_tries" -lt 5 ] || break
        sleep 5
    done
    cat "$work/left"
}

prove_ask() {
    ask left-stack stack list -f value -c 'Stack Name'
    ask left-server server list -f value -c ID -c Name
    ask left-port port list -f value -c ID -c Name --project "$project_id"
    ask left-volume volume list -f value -c ID
    ask left-group security group list -f value -c ID -c Name --project "$project_id"
    ask left-floating floating ip list -f value -c ID --project "$project_id"
    ask left-affinity server group list -f value -c ID
    ask left-image image list --property "cloudlet_bundle=$CB_NAME" -f value -c ID
    asked_all
}

# prove_left: by id what the stack had made, by name what has a name of ours. A list that can't be had proves nothing.
prove_left() {
    for prove_kind in stack server port volume group floating affinity image; do
        answered "left-$prove_kind" || printf '%s: the list can not be had: %s\n' "$prove_kind" \
            "$(tail -n 1 "$work/left-$prove_kind.error" | cut -c1-200)"
        while read -r prove_id prove_name; do
            if [ "$prove_kind" = image ] || grep -qxF -- "$prove_id" "$work/owned" ||
                { [ "$prove_kind" = stack ] && [ "$prove_id" = "$CB_NAME" ]; } ||
                { [ "$prove_kind" = server ] && machines_named "$prove_name"; } ||
                { [ "$prove_kind" = group ] && [ "$prove_name" = "$CB_OS_SECURITY_GROUP" ]; }; then
                printf '%s %s %s\n' "$prove_kind" "$prove_id" "$prove_name"
            fi
        done <"$work/left-$prove_kind"
    done
}

# machines_named NAME: true if one of our PlatformVMs is called so.
machines_named() {
    machines_at=0
    while [ "$machines_at" -lt "$CB_MACHINE_COUNT" ]; do
        machines_at=$((machines_at + 1))
        [ "$(site_value "CB_MACHINE_${machines_at}_NAME")" != "$1" ] || return 0
    done
    return 1
}
